//! A scorer is diagnosed before anything is risked: page, figures, and exactly the answers that it would give.

use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::BatchDir;
use aml_miner::features::FeatureBuilder;
use aml_miner::models::bundle::ModelKind;
use aml_miner::models::{BaseModel as _, TreeModel};
use aml_miner::training::assemble::Range;
use aml_miner::training::config::{EvaluationConfig, Refit};
use aml_miner::training::diagnose::{Named, Subject, diagnose, section, submitted};
use aml_miner::training::evaluation::Judging;
use aml_miner::training::samples::Samples;
use aml_miner::training::shelf::{Model, models};
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Silent;
use serde_json::Value;

use crate::training_flow::{session, write_days};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../trained_models");

fn run(room: &Path, more: &[&str]) -> Output {
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
    let done = run(room, &["--seeds", "2"]);
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

    // A window beside another one: a submission has a line for each day.
    let day = |name: &str| room.join("data").join(name);
    std::fs::create_dir(day("2025-11-01_w7")).expect("a directory");
    for entry in std::fs::read_dir(day("2025-11-01")).expect("a batch").map(|entry| entry.expect("a file")) {
        std::fs::copy(entry.path(), day("2025-11-01_w7").join(entry.file_name())).expect("copied");
    }
    let twice = run(room, &["--replace"]);
    let said = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert!(said.contains("two batches of 2025-11-01, 2025-11-01 and 2025-11-01_w7"), "{said}");
    assert_eq!(std::fs::read_to_string(room.join("out/submission.jsonl")).expect("that of before"), text);
    std::fs::remove_dir_all(day("2025-11-01_w7")).expect("removed");

    let again = run(room, &[]);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("--replace"));
    assert!(run(room, &["--replace"]).status.success());
}

#[test]
fn beside_public_models_it_is_measured_on_days_that_none_of_them_has_seen() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 64);
    let made = session(&room.join("data"), &room.join("models"), 1);
    train_scorer(&made).expect("a scorer");
    // Without their records, public models have seen every day up to the last of their data.
    std::fs::create_dir(room.join("seen")).expect("a directory");
    for entry in std::fs::read_dir(SHIPPED).expect("models").map(|entry| entry.expect("a file")) {
        if entry.path().is_file() && !entry.path().to_string_lossy().ends_with(".training.json") {
            std::fs::copy(entry.path(), room.join("seen").join(entry.file_name())).expect("copied");
        }
    }
    let scorer = |directory: &Path| {
        let mut found = models(directory, None).expect("models").into_iter();
        found.find(|model| model.entry.model == ModelKind::AlertScorer).expect("a scorer")
    };
    let [model, shipped, seen] = [room.join("models"), SHIPPED.into(), room.join("seen")].map(|path| scorer(&path));
    // The shipped model was calibrated on days up to 21 October.
    let date = |text: &str| Some(text.parse().expect("a date"));
    let range = Range { start: date("2025-10-20"), end: date("2025-10-25"), ..made.range.clone() };
    let mut samples = model.rows(&range, &[], &Silent).expect("rows").samples;
    let config = EvaluationConfig { bootstrap: 5, calibration_bins: 10 };
    let judging = Judging { config: &config, seed: 1 };
    let with = |samples: &Samples, public: &Model| {
        let public = [Named { name: "public", model: public }];
        diagnose(&Subject { model: &model, samples, public: &public }, &range, judging, &Silent).map(|(found, _)| found)
    };
    assert_eq!(samples.days.len(), 6);
    let found = with(&samples, &shipped).expect("a diagnosis");
    let later = samples.with_days(samples.days[2..].to_vec());
    assert_eq!(found.ensemble, with(&later, &shipped).expect("a diagnosis").ensemble);
    assert!(found.ensemble.is_some() && found.warnings[0].contains("4 of 6"), "{:?}", found.warnings);

    let found = with(&samples, &seen).expect("a diagnosis");
    assert!(found.ensemble.is_none() && found.warnings[0].contains("learnt from every day"), "{:?}", found.warnings);
    assert!(section(&found).contains("learnt from every day"));

    samples.days[4].rows[3].id = "another".to_owned();
    let failed = with(&samples, &shipped).expect_err("no score is no score of 0");
    assert!(failed.to_string().contains("alert another of 2025-10-24"), "{failed}");
}

#[test]
fn on_days_of_its_test_period_the_model_that_was_measured_answers() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 66);
    let mut made = session(&room.join("data"), &room.join("models"), 1);
    made.config.training.refit = Refit::Known;
    made.range.end = Some("2025-11-03".parse().expect("a date"));
    let trained = train_scorer(&made).expect("a scorer");
    let model = models(&room.join("models"), None).expect("a model").remove(0);
    let kept = TreeModel::load(&trained.model, ModelKind::AlertScorer).expect("loads");
    let builder = FeatureBuilder::new(kept.schema()).expect("known");
    let range = Range { start: Some("2025-11-02".parse().expect("a date")), end: None, ..made.range.clone() };
    let days = submitted(&range, &[&model], &Silent).expect("answers");
    let alike = days.iter().map(|day| {
        let date =
            range.start.expect("a day") + chrono::Days::new((day.date - days[0].date).try_into().expect("later"));
        let read = BatchDir::open(room.join("data").join(date.to_string())).and_then(|found| found.load());
        let matrix = builder.alerts(&read.expect("a batch").batch).expect("features").matrix;
        assert!(!model.has_seen(day.date));
        kept.predict(&matrix) == day.scores[0]
    });
    assert_eq!(alike.collect::<Vec<_>>(), [false, false, true, true], "2 November to 5 November");
}
