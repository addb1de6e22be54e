//! The cluster scorer is made for the alert scorer that is there, whatever the configuration says.

use std::path::Path;
use std::process::{Command, Output};

use aml_miner::models::TreeModel;
use aml_miner::models::bundle::ModelKind;
use aml_miner::training::assemble::alerts;
use aml_miner::training::session::TrainError;
use aml_miner::training::train_cluster_scorer::{train_cluster_scorer, train_cluster_scorer_with};
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Silent;

use crate::training_flow::{session, write_days};

const MODEL: &str = "cluster_scorer_v1.0.0.txt";

/// A configuration that keeps short periods, with these lines about the features of alerts.
fn config(features: &str) -> String {
    format!(
        "{features}\nsplit: {{embargo_days: 21, validation_share: 0.1, test_share: 0.1, shared_addresses: both}}\n\
         boosting: {{rounds: 12, early_stopping: 5, min_data_in_leaf: 3}}\nevaluation: {{bootstrap: 5}}\n"
    )
}

fn train(what: &str, data: &Path, models: &Path, config: &str) -> Output {
    let file = models.with_extension("yaml");
    std::fs::write(&file, config).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.arg(what).arg("--data-dir").arg(data).arg("--output").arg(models).arg("--config").arg(file);
    command.args(["--threads", "1"]).env("SOURCE_DATE_EPOCH", "1767225600");
    command.output().expect("the trainer starts")
}

fn must_train(what: &str, data: &Path, models: &Path, config: &str) -> String {
    let output = train(what, data, models, config);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what}: {said}");
    said
}

#[test]
fn clusters_are_trained_on_the_features_that_the_saved_scorer_takes() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    // Fewer features than the default ones, and as many that mean something else.
    for (name, features) in [
        ("fewer", "alert_features: {drop: [\"flow_*\"]}"),
        ("others", "alert_features: {drop: [degree_in], add: [log_volume_usd]}"),
    ] {
        let (same, other) = (room.path().join(format!("{name}_same")), room.path().join(format!("{name}_other")));
        must_train("scorer", &data, &same, &config(features));
        std::fs::create_dir(&other).expect("a directory");
        for file in std::fs::read_dir(&same).expect("models").map(|entry| entry.expect("a file").path()) {
            std::fs::copy(&file, other.join(file.file_name().expect("a name"))).expect("copied");
        }
        let silent = must_train("clusters", &data, &same, &config(features));
        assert!(!silent.contains("other features"), "{silent}");
        let said = must_train("clusters", &data, &other, &config(""));
        assert!(said.contains("trained on other features than the configuration names"), "{said}");
        let model = |models: &Path| std::fs::read_to_string(models.join(MODEL)).expect("a model");
        assert_eq!(model(&same), model(&other), "{name}: the scorer decides, not the configuration");
        TreeModel::load(&other.join(MODEL), ModelKind::ClusterScorer).expect("loads");
    }
}

#[test]
fn alerts_that_were_read_with_other_features_are_refused() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    let mut session = session(&data, room.path(), 1);
    let rows = alerts(&session.range, &session.schema(ModelKind::AlertScorer), &Silent).expect("labelled alerts");
    session.config.alert_features.drop = vec!["flow_*".to_owned()];
    train_scorer(&session).expect("a scorer without flows");
    let error = train_cluster_scorer_with(&session, &rows).expect_err("other features");
    assert!(matches!(error, TrainError::OtherFeatures { .. }), "{error}");
    assert!(!room.path().join(MODEL).exists());
}

#[test]
fn a_scorer_that_learnt_from_days_held_out_here_is_refused() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    let mut session = session(&data, room.path(), 1);
    session.config.split.embargo_days = 18;
    train_scorer(&session).expect("a scorer");
    session.config.split.embargo_days = 21;
    let error = train_cluster_scorer(&session).expect_err("days that the scorer has seen");
    assert!(matches!(error, TrainError::OtherDays { .. }), "{error}");
    assert!(error.to_string().contains("train it again with this configuration"), "{error}");
    session.config.split.embargo_days = 17;
    train_cluster_scorer(&session).expect("blocks cover all days that the scorer learnt from");
}
