//! Models from elsewhere become bundles that serve: the same scores, explained; what is not as it should be is refused before
//! anything is written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_miner::error_chain::with_causes;
use aml_miner::features::Schema;
use aml_miner::models::bundle::{METADATA_FILE, Metadata, ModelKind};
use aml_miner::models::{BaseModel as _, Calibration, TreeModel};
use aml_miner::training::adopt::{AdoptError, Adoption, Done, adopt};
use aml_miner::training::assemble::Range;
use aml_miner::training::shelf::models;
use aml_miner::training::watch::Silent;
use aml_miner::trees::{self, forest::Forest};
use tempfile::TempDir;

use crate::models_boosters::{model_files, stored};
use crate::training_flow::write_days;

const CLOCK: FixedClock = FixedClock(Duration::from_secs(1_767_225_600));

/// A file with the names of the first features of alerts.
fn names(directory: &Path, count: usize) -> PathBuf {
    let path = directory.join(format!("features_{count}.txt"));
    let schema = Schema::default_alert();
    std::fs::write(&path, schema.features[..count].join("\n")).expect("writable");
    path
}

fn adoption<'a>(model: &'a Path, schema: &'a Path, output: &'a Path) -> Adoption<'a> {
    Adoption {
        model,
        kind: ModelKind::AlertScorer,
        schema: Some(schema),
        version: "1.0.0",
        output,
        replace: false,
        calibrate: None,
        values_are_codes: true,
        watch: &Silent,
        clock: &CLOCK,
    }
}

/// Whether a stored vector can be an alert scorer that takes a file of names.
fn takes_names(path: &Path) -> bool {
    let model = trees::read(&std::fs::read(path).expect("a vector")).expect("a model");
    model.objective.is_probability() && model.outputs == 1 && model.feature_names.is_empty()
}

fn scorers() -> Vec<PathBuf> {
    model_files(&stored()).into_iter().filter(|path| takes_names(path)).collect()
}

fn refusal(adoption: &Adoption<'_>) -> String {
    let error = adopt(adoption).expect_err("must be refused");
    assert!(!adoption.output.join(METADATA_FILE).exists(), "nothing is written: {error}");
    with_causes(&error)
}

#[test]
fn an_adopted_model_serves_its_own_scores_and_is_explained() {
    let scorers = scorers();
    assert!(scorers.len() >= 4, "{scorers:?}");
    let mut libraries = Vec::new();
    for file in scorers {
        let room = tempfile::tempdir().expect("a directory");
        let bytes = std::fs::read(&file).expect("a vector");
        let model = trees::read(&bytes).expect("a model");
        let schema = names(room.path(), model.features);
        let output = room.path().join("adopted");
        let Done { path, entry, .. } = adopt(&adoption(&file, &schema, &output)).expect("adopted");
        assert_eq!(std::fs::read(&path).expect("the bundle's file"), bytes, "the file stays as it is");
        let served = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads");
        assert_eq!(served.version(), entry.model_version);
        let rows: Vec<f64> =
            (0..3 * model.features).map(|i| if i % 5 == 0 { f64::NAN } else { (i as f64).sin() * 9.0 }).collect();
        let (mut scores, mut values, mut raw) = (vec![0.0; 3], vec![0.0; rows.len()], vec![0.0; 3]);
        served.predict_and_explain_into(&rows, &mut scores, &mut values);
        served.raw_into(&rows, &mut raw);
        for ((values, raw), score) in values.chunks(model.features).zip(&raw).zip(&scores) {
            assert!((0.0..=1.0).contains(score), "{score}");
            let sum = served.base_value() + values.iter().sum::<f64>();
            assert!((sum - raw).abs() <= 1e-9 + served.raw_rounding(), "{sum} in parts, {raw}");
        }
        if model.code_books.is_empty() {
            let mut expected = vec![0.0; 3];
            Forest::new(&model).predict_into(&rows, &mut expected);
            assert_eq!(scores, expected);
        }
        libraries.push(entry.adopted.expect("where it comes from").library);
    }
    libraries.dedup();
    assert!(libraries.len() >= 3, "{libraries:?}");
}

fn scorer() -> PathBuf {
    let xgboost = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("xgboost"));
    scorers().into_iter().find(xgboost).expect("a scorer of XGBoost")
}

fn features_of(path: &Path) -> usize {
    trees::read(&std::fs::read(path).expect("a vector")).expect("a model").features
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let room = tempfile::tempdir().expect("a directory");
    let (file, output) = (scorer(), room.path().join("adopted"));
    let features = features_of(&file);
    let good = names(room.path(), features);
    let no_names = Adoption { schema: None, ..adoption(&file, &good, &output) };
    assert!(refusal(&no_names).contains("does not name its"));
    let list = |name: &str, text: &str| {
        let path = room.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    };
    let few = list("few", "volume_usd");
    assert!(refusal(&adoption(&file, &few, &output)).contains("features, the schema 1"));
    let unknown = list("unknown", &std::fs::read_to_string(&good).expect("text").replace("volume_usd", "volum_usd"));
    let text = refusal(&adoption(&file, &unknown, &output));
    assert!(text.contains("`volum_usd`") && text.contains("volume_usd"), "{text}");
    let clusters = list("clusters", r#"{"version": 1, "rows": "cluster", "features": ["total_alerts"]}"#);
    assert!(refusal(&adoption(&file, &clusters, &output)).contains("cluster rows"));
    let json = list("json", r#"{"features": 1}"#);
    assert!(refusal(&adoption(&file, &json, &output)).contains("names, one per line"));
    let nothing = list("nothing", "hello");
    assert!(refusal(&adoption(&nothing, &good, &output)).contains("not a model"));
}

#[test]
fn codes_that_nothing_explains_must_be_vouched_for() {
    let room = tempfile::tempdir().expect("a directory");
    let unexplained =
        |path: &PathBuf| trees::read(&std::fs::read(path).expect("a vector")).expect("a model").codes_unexplained;
    let file = model_files(&stored()).into_iter().find(unexplained).expect("a model with categories");
    let (good, output) = (names(room.path(), features_of(&file)), room.path().join("adopted"));
    let silent = Adoption { values_are_codes: false, kind: ModelKind::AlertRanker, ..adoption(&file, &good, &output) };
    assert!(refusal(&silent).contains("--values-are-codes"));
    adopt(&Adoption { values_are_codes: true, ..silent }).expect("vouched for");
}

#[test]
fn a_bundle_is_replaced_only_when_that_is_asked_for() {
    let room = tempfile::tempdir().expect("a directory");
    let (file, output) = (scorer(), room.path().join("adopted"));
    let good = names(room.path(), features_of(&file));
    let first = adopt(&adoption(&file, &good, &output)).expect("adopted");
    assert!(matches!(adopt(&adoption(&file, &good, &output)), Err(AdoptError::There { .. })));
    let again = adopt(&Adoption { replace: true, ..adoption(&file, &good, &output) }).expect("replaced");
    assert_eq!(first.entry, again.entry);
    let ending = file.extension().expect("an ending").to_owned();
    let orders =
        |path: &PathBuf| path.extension() != Some(&ending) && path.extension().is_some_and(|ending| ending == "cbm");
    let other = model_files(&stored()).into_iter().find(orders).expect("another form");
    let schema = names(room.path(), features_of(&other));
    let ranker = Adoption { kind: ModelKind::AlertRanker, ..adoption(&file, &good, &output) };
    adopt(&ranker).expect("another kind is beside it");
    let form = Adoption { model: &other, schema: Some(&schema), replace: true, ..ranker };
    assert!(matches!(adopt(&form), Err(AdoptError::OtherForm { .. })));
    adopt(&Adoption { version: "1.0.1", ..form }).expect("beside it");
    assert_eq!(Metadata::load(&output).expect("metadata").models.len(), 3);
}

#[test]
fn labelled_days_calibrate_an_adopted_scorer() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 12);
    let (file, output) = (scorer(), room.path().join("adopted"));
    let good = names(room.path(), features_of(&file));
    let range = Range { data_dir: data, start: None, end: None, history: None };
    let calibrated = Adoption { calibrate: Some(range.clone()), ..adoption(&file, &good, &output) };
    let done = adopt(&calibrated).expect("adopted");
    assert!(matches!(done.entry.calibration, Calibration::Platt { .. }), "{:?}", done.entry.calibration);
    let rows = done.entry.adopted.clone().and_then(|adopted| adopted.calibrated).expect("the rows");
    assert!(rows.rows > 100 && rows.first_date < rows.last_date, "{rows:?}");
    let shelf = models(&output, None).expect("the trainer's commands take it");
    let samples = shelf[0].rows(&range, &shelf, &Silent).expect("rows").samples;
    assert_eq!(
        shelf[0].overlap(&samples),
        Some((rows.first_date, rows.last_date)),
        "days it was calibrated on are told"
    );
    let ranker = Adoption { kind: ModelKind::AlertRanker, version: "2.0.0", ..calibrated };
    assert!(adopt(&ranker).expect_err("an order").to_string().contains("no probabilities"));
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

fn run(room: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.current_dir(room.path()).args(arguments).output().expect("the command starts")
}

#[test]
fn the_command_says_what_it_took() {
    let room = tempfile::tempdir().expect("a directory");
    let file = scorer();
    let good = names(room.path(), features_of(&file));
    let model = text_of(&file);
    let arguments = ["adopt", model, "--kind", "alert_scorer", "--schema", text_of(&good), "--output", "adopted"];
    let arguments = [&arguments[..], &["--values-are-codes"]].concat();
    let output = run(&room, &arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("XGBoost, objective `") && text.contains("--calibrate"), "{text}");
    let again = run(&room, &arguments);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("--replace"));
}

#[test]
fn the_server_s_check_names_the_library() {
    let room = tempfile::tempdir().expect("a directory");
    let (file, output) = (scorer(), room.path().join("adopted"));
    let good = names(room.path(), features_of(&file));
    let done = adopt(&adoption(&file, &good, &output)).expect("adopted");
    let served = Command::new(env!("CARGO_BIN_EXE_aml-miner-serve"))
        .current_dir(room.path())
        .args(["--check", "--alert-ranker", "none", "--cluster-scorer", "none", "--alert-scorer"])
        .arg(&done.path)
        .output()
        .expect("the server starts");
    let text = String::from_utf8_lossy(&served.stdout).into_owned();
    assert!(served.status.success(), "{text} {}", String::from_utf8_lossy(&served.stderr));
    let expected =
        format!("alert_scorer: {} (XGBoost, adopted), {} features", done.entry.model_version, features_of(&file));
    assert!(text.contains(&expected), "{text}");
}
