//! A model with features of earlier days at work: refused without its state, scored with it, and named in the receipt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::digest::Digest;
use aml_miner::features::Schema;
use aml_miner::history::History;
use aml_miner::models::bundle::{ModelKind, save};
use aml_miner::models::{ModelFiles, NeedsState};
use aml_miner::offline::{OfflineModels, ScoreError};
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::{Explain, write_body};
use serde_json::Value;

use crate::api_process::{Running, draft, head, program};

/// One tree that asks whether an address had an alert in the last week.
const TREE: &str = "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=10\nleft_child=-1\n\
right_child=-2\nleaf_value=-1 2\nleaf_count=3 1\ninternal_count=4\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";

fn save_model(directory: &Path) -> PathBuf {
    let feature = "history_alerts_7d";
    let text = format!("{}{TREE}", head(&[feature], "binary sigmoid:1"));
    let kind = ModelKind::AlertScorer;
    save(directory, &text, draft(kind, "1.0.0", Schema::new(kind.rows(), [feature]))).expect("saved").0
}

fn days() -> Vec<Day> {
    let config = SynthConfig { days: 10, alerts: 30, addresses: 150, ..SynthConfig::default() };
    generate(&config).expect("a right configuration").collect()
}

/// The days as batch directories `data/DAY_w7`.
fn write(days: &[Day], data: &Path) -> Vec<PathBuf> {
    let write = |day: &Day| {
        let options = WriteOptions {
            processing_date: day.date,
            window_days: 7,
            network: "synthetic",
            created_at: "2026-01-01T00:00:00Z",
            publisher: None,
            replace: false,
        };
        let path = data.join(format!("{}_w7", day.date));
        write_batch(&path, &day.batch, Some(&day.labels), &options).expect("written");
        path
    };
    days.iter().map(write).collect()
}

fn batch_tool(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"));
    for name in [
        "ALERT_SCORER_PATH",
        "ALERT_RANKER_PATH",
        "CLUSTER_SCORER_PATH",
        "MINER_SIGNING_KEY_FILE",
        "HISTORY_STATE_PATH",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the command starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_command_builds_a_state_offline_scoring_takes_it_and_the_receipt_names_it() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, models, state) = (room.path().join("data"), room.path().join("models"), room.path().join("s.parquet"));
    let paths = write(&days(), &data);
    save_model(&models);
    let until = "2025-09-09";
    let built = batch_tool(&["history", text(&data), "--until", until, "--out", text(&state)]);
    assert!(built.status.success(), "{}", said(&built));
    for part in ["2025-09-01 to 2025-09-09", "for batches from 2025-09-10 on", "9 batches read", "0 passed over"] {
        assert!(said(&built).contains(part), "{part}: {}", said(&built));
    }
    let again = batch_tool(&["history", text(&data), "--out", text(&state)]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let digest = Digest::of(&fs::read(&state).expect("a state"));

    let (out, key) = (room.path().join("out"), room.path().join("key"));
    let score = |batch: &Path, more: &[&str]| {
        let fixed = ["score", text(batch), "--out", text(&out), "--models", text(&models), "--signing-key", text(&key)];
        batch_tool(&[&fixed[..], &["--replace"], more].concat())
    };
    let refused = score(&paths[9], &[]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(said(&refused).contains("aml-miner-batch history"), "{}", said(&refused));
    let scored = score(&paths[9], &["--history", text(&state)]);
    assert!(scored.status.success(), "{}", said(&scored));
    let receipt: Value =
        serde_json::from_slice(&fs::read(out.join("scores.receipt.json")).expect("a receipt")).expect("JSON");
    assert_eq!(receipt["state_sha256"], digest.to_string());
    // A day that the state contains would know its future.
    let contained = score(&paths[8], &["--history", text(&state)]);
    assert_eq!(contained.status.code(), Some(1));
    assert!(said(&contained).contains("BAD") && said(&contained).contains("contains this day"), "{}", said(&contained));
}

#[test]
fn scores_are_those_of_the_state_and_a_model_without_it_does_not_load() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, state) = (room.path().join("data"), room.path().join("state.parquet"));
    let days = days();
    write(&days[..9], &data);
    let model = save_model(room.path());
    let built = aml_miner::history::build(History::default(), &[data], None).expect("a state");
    built.history.write(&state).expect("written");
    let files = ModelFiles { alert_scorer: Some(model), history: None, ..ModelFiles::default() };
    let missing = OfflineModels::load(&files).err().expect("it needs a state");
    assert!(matches!(missing, ScoreError::NeedsState(NeedsState(_))), "{missing}");
    let with = OfflineModels::load(&ModelFiles { history: Some(state), ..files }).expect("loaded");
    let answers = with.answers(&days[9].batch, Explain::None).expect("scored");
    let scores = answers[0].table.numbers("score").expect("scores");
    let addresses = days[9].batch.alerts.texts("address").expect("addresses");
    let today = days[9].date.to_epoch_days();
    for (address, score) in addresses.iter().zip(scores) {
        let known = built.history.past(address, today).map(|known| known.alerts_within(7));
        // What is missing goes to the left, as no alert does.
        let raw: f64 = if known.is_some_and(|alerts| alerts > 0.5) { 2.0 } else { -1.0 };
        assert!((score - 1.0 / (1.0 + (-raw).exp())).abs() < 1e-12, "{address}: {score}");
    }
    assert!(scores.iter().any(|score| *score > 0.5) && scores.iter().any(|score| *score < 0.5));
}

#[test]
fn a_server_without_the_state_does_not_start_and_one_with_it_says_when_it_is_of_no_use() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, state) = (room.path().join("data"), room.path().join("state.parquet"));
    let days = days();
    write(&days[..9], &data);
    let built = aml_miner::history::build(History::default(), &[data], None).expect("a state");
    let digest = built.history.write(&state).expect("written");
    let none = PathBuf::from("none");
    let model = save_model(room.path());
    let models = [("ALERT_SCORER_PATH", model), ("ALERT_RANKER_PATH", none.clone()), ("CLUSTER_SCORER_PATH", none)];
    let refused = program(room.path(), &models).output().expect("it starts");
    assert!(!refused.status.success());
    assert!(said(&refused).contains("needs a state of addresses"), "{}", said(&refused));
    let checked = program(room.path(), &models).arg("--check").output().expect("it starts");
    assert_eq!(checked.status.code(), Some(2), "{}", said(&checked));

    let mut command = program(room.path(), &models);
    command.env("HISTORY_STATE_PATH", &state);
    let mut running = Running::spawn(&mut command);
    let told = running.wait_for("state of addresses");
    assert_eq!((&told["last_day"], &told["sha256"]), (&Value::from("2025-09-09"), &Value::from(digest.to_string())));
    running.wait_until_listening();
    let ask = |day: &Day| {
        let body = String::from_utf8(write_body(&day.batch)).expect("JSON");
        let length = body.len();
        running.ask(&format!(
            "POST /score/alerts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        ))
    };
    let fresh = ask(&days[9]);
    assert!(fresh.starts_with("HTTP/1.1 200"), "{fresh}");
    assert!(!fresh.contains("the state of addresses"), "{}", &fresh[..600]);
    let contained = ask(&days[8]).to_ascii_lowercase();
    assert!(contained.contains("x-aml-warnings") && contained.contains("contains this day or a later one"));
}
