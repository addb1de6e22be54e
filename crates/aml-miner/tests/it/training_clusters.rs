//! The cluster scorer is made for the alert scorer that is there, whatever the configuration says.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use aml_miner::api::models::{Loaded, OwnModel};
use aml_miner::models::bundle::{METADATA_FILE, Metadata, ModelKind};
use aml_miner::models::{Calibration, ModelFiles, TreeModel};
use aml_miner::offline::OfflineModels;
use aml_miner::training::assemble::alerts;
use aml_miner::training::session::TrainError;
use aml_miner::training::train_cluster_scorer::{train_cluster_scorer, train_cluster_scorer_with};
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Silent;

use crate::features_customization::custom_model::WeightedSum;
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
    session.config.alert_features.drop = vec!["flow_*".to_owned()];
    let rows = alerts(&session.range, &session.schema(ModelKind::AlertScorer), &Silent).expect("alerts without flows");
    session.config.alert_features.drop = Vec::new();
    train_scorer(&session).expect("a scorer with flows");
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

#[test]
fn a_model_that_is_there_is_kept_unless_told_otherwise_and_a_pair_stays_a_pair() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, models) = (room.path().join("data"), room.path().join("models"));
    write_days(&data, 64);
    for what in ["scorer", "clusters"] {
        must_train(what, &data, &models, &config(""));
    }
    let bytes = |name: &str| std::fs::read(models.join(name)).expect("a model");
    let before = (bytes("alert_scorer_v1.0.0.txt"), bytes("model_metadata.json"));
    let other = config("seed: 7\nalert_features: {drop: [\"flow_*\"]}");
    // Asked before any data is read: there is none.
    let refused = train("all", &room.path().join("nothing"), &models, &other);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("alert_scorer_v1.0.0.txt is there already"), "{said}");
    assert!(said.contains("--replace") && said.contains("--model-version"), "{said}");
    assert_eq!((bytes("alert_scorer_v1.0.0.txt"), bytes("model_metadata.json")), before);

    let files = |models: &Path| ModelFiles {
        alert_scorer: Some(models.join("alert_scorer_v1.0.0.txt")),
        alert_ranker: None,
        cluster_scorer: Some(models.join(MODEL)),
        history: None,
    };
    files(&models).check_pair().expect("trained on each other");
    let file = models.with_extension("yaml");
    std::fs::write(&file, other).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.args(["scorer", "--replace", "--threads", "1", "--data-dir"]).arg(&data).arg("--output").arg(&models);
    let replaced = command.arg("--config").arg(file).output().expect("the trainer starts");
    assert!(replaced.status.success(), "{}", String::from_utf8_lossy(&replaced.stderr));
    let error = files(&models).check_pair().expect_err("another scorer").to_string();
    assert!(error.contains("was trained on the scores of the alert scorer with SHA-256"), "{error}");
    let loaded = Loaded::from_paths(&files(&models));
    assert!(loaded.models.alert_scorer.is_some() && loaded.models.cluster_scorer.is_none());
    assert_eq!(loaded.failures, [("cluster_scorer", error)]);
    // Nor beside a scorer that comes from no file.
    let own = OwnModel { kind: ModelKind::AlertScorer, model: Arc::new(WeightedSum::new()) };
    let loaded = Loaded::with_own(&files(&models), &[own]);
    assert!(loaded.models.alert_scorer.is_some() && loaded.models.cluster_scorer.is_none());
    let [(name, why)] = loaded.failures.as_slice() else { panic!("{:?}", loaded.failures) };
    assert!(*name == "cluster_scorer" && why.contains("was trained on the scores of"), "{why}");
    assert!(OfflineModels::load(&files(&models)).is_err());
}

#[test]
fn a_scorer_that_is_calibrated_anew_is_another_one_to_its_clusters() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, models) = (room.path().join("data"), room.path().join("models"));
    write_days(&data, 64);
    for what in ["scorer", "clusters"] {
        must_train(what, &data, &models, &config(""));
    }
    let scorer = models.join("alert_scorer_v1.0.0.txt");
    let files = ModelFiles {
        alert_scorer: Some(scorer),
        alert_ranker: None,
        cluster_scorer: Some(models.join(MODEL)),
        history: None,
    };
    files.check_pair().expect("trained on each other");
    // The same trees under another curve give other scores, and clusters take scores.
    let mut metadata = Metadata::load(&models).expect("readable");
    let entry = metadata.models.get_mut("alert_scorer_v1.0.0.txt").expect("an entry");
    entry.calibration = Calibration::Platt { a: 0.25, b: 1.5 };
    let file = entry.sha256.short();
    entry.model_version = format!("1.0.0+{file}.{}", entry.calibration.digest().short());
    let text = serde_json::to_vec(&metadata).expect("JSON");
    std::fs::write(models.join(METADATA_FILE), text).expect("writable");
    let error = files.check_pair().expect_err("another curve").to_string();
    assert!(error.contains("which was calibrated otherwise"), "{error}");
    let loaded = Loaded::from_paths(&files);
    assert!(loaded.models.alert_scorer.is_some() && loaded.models.cluster_scorer.is_none());
    assert_eq!(loaded.failures, [("cluster_scorer", error)]);
    assert!(OfflineModels::load(&files).is_err());
}
