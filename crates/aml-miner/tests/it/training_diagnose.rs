//! A scorer is diagnosed before anything is risked: page, figures, and exactly the answers that it would give.

use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::BatchDir;
use aml_miner::features::FeatureBuilder;
use aml_miner::models::bundle::ModelKind;
use aml_miner::models::{BaseModel as _, TreeModel};
use aml_miner::training::train_scorer::train_scorer;
use serde_json::Value;

use crate::training_flow::{session, write_days};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../trained_models");

fn diagnose(room: &Path, more: &[&str]) -> Output {
    let config = "split: {validation_share: 0.1, test_share: 0.1, shared_addresses: both}\nboosting: {rounds: 12, early_stopping: 5}\n\
                  evaluation: {bootstrap: 20}\n";
    std::fs::write(room.join("config.yaml"), config).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.args(["diagnose", "--data-dir", "data", "--models", "models", "--output", "out", "--threads", "1"]);
    command.args(["--config", "config.yaml", "--public", SHIPPED]).args(more).current_dir(room);
    command.output().expect("the trainer starts")
}

#[test]
fn the_submission_is_what_the_model_answers_and_the_figures_go_with_it() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 66);
    let mut made = session(&room.join("data"), &room.join("models"), 1);
    made.range.end = Some("2025-11-03".parse().expect("a date"));
    let trained = train_scorer(&made).expect("a scorer");
    let done = diagnose(room, &["--seeds", "2"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));

    let text = std::fs::read_to_string(room.join("out/submission.jsonl")).expect("a submission");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["submission"]), (67, &Value::from(1)));
    assert_eq!(lines[0]["model_version"], trained.version.as_str());
    let last = lines.last().expect("a day");
    let date = last["processing_date"].as_str().expect("a date");
    let batch = BatchDir::open(room.join("data").join(date)).and_then(|found| found.load()).expect("a batch").batch;
    for (path, scores) in [
        (trained.model.clone(), &last["scores"]),
        (Path::new(SHIPPED).join("alert_scorer_v1.0.0.txt"), &last["public"][SHIPPED]),
    ] {
        let model = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads");
        let matrix = FeatureBuilder::new(model.schema()).expect("known").alerts(&batch).expect("features").matrix;
        let given: Vec<f64> = serde_json::from_value(scores.clone()).expect("scores");
        assert_eq!(given, model.predict(&matrix), "to the bit: {}", path.display());
    }

    let all: Value =
        serde_json::from_slice(&std::fs::read(room.join("out/diagnosis.json")).expect("figures")).expect("JSON");
    let (diagnosis, report) = (&all["diagnosis"], &all["report"]);
    assert_eq!(diagnosis["days"].as_array().expect("days").len(), 66);
    assert_eq!(diagnosis["stability"]["seeds"].as_array().expect("seeds").len(), 2);
    let alike = diagnosis["likeness"][0]["rank_correlation"].as_f64().expect("a number");
    assert!((-1.0..=1.0).contains(&alike), "{alike}");
    assert!(diagnosis["ensemble"]["metrics"]["roc_auc"]["difference"].is_f64());
    assert!(!diagnosis["seen_days"].as_array().expect("days").is_empty(), "the training days are told");
    assert_eq!(report["evaluation"]["rows"].as_u64().expect("rows"), trained.record.test.rows as u64);
    let page = std::fs::read_to_string(room.join("out/diagnosis.html")).expect("a page");
    assert!(page.find("<h2>Diagnosis").expect("first") < page.find("Reliability").expect("then the report"));
    assert!(page.contains("too good to be true") && !page.contains("<script"), "{}", &page[..400]);

    let again = diagnose(room, &[]);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("--replace"));
    assert!(diagnose(room, &["--replace"]).status.success());
}
