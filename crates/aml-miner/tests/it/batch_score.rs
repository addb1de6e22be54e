//! Offline scoring: the same bits on any number of threads, whole or not at all, with receipts that hold.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::{FileLimits, read_table};
use aml_miner::models::ModelFiles;
use aml_miner::offline::{CLUSTER_SCORES, OfflineModels, RANKINGS, SCORES};
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::spec::TableSpec;
use aml_miner::wire::{Batch, Explain, Share, Table};

use crate::batch_kit::{Written, files_of};
use crate::batch_models::model_directory;

fn must_read(directory: &Path, spec: &'static TableSpec) -> Table {
    let file = format!("{}.parquet", spec.name);
    let bytes = fs::read(directory.join(&file)).expect("an answer");
    read_table(&bytes, spec, &file, &FileLimits::default()).expect("a good table")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"));
    for name in ["ALERT_SCORER_PATH", "ALERT_RANKER_PATH", "CLUSTER_SCORER_PATH", "MINER_SIGNING_KEY_FILE"] {
        command.env_remove(name);
    }
    command.args(args).output().expect("the command starts")
}

/// Scores a batch with the small models into `root/answers`.
fn score(batch: &Path, models: &Path, root: &Path, more: &[&str]) -> Output {
    let (out, key) = (root.join("answers"), root.join("key"));
    let fixed = ["score", text(batch), "--out", text(&out), "--models", text(models), "--signing-key", text(&key)];
    run(&[&fixed[..], more].concat())
}

fn synthetic(alerts: usize) -> Batch {
    let config = SynthConfig { alerts, addresses: 2_000, ..SynthConfig::default() };
    generate(&config).expect("a good configuration").next().expect("one day").batch
}

#[test]
fn threads_do_not_change_a_bit() {
    let directory = model_directory();
    let models = ModelFiles::in_directory(directory.path()).expect("one model a kind");
    let models = OfflineModels::load(&models).expect("good bundles");
    let batch = synthetic(1_500);
    let answers = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| models.answers(&batch, Explain::Top)).expect("scored")
    };
    let one = answers(1);
    assert_eq!(
        one.iter().map(|answer| answer.table.rows()).collect::<Vec<_>>(),
        [batch.alerts.rows(), batch.alerts.rows(), batch.clusters.rows()]
    );
    for threads in [2, 5] {
        assert_eq!(answers(threads), one);
    }
}

#[test]
fn a_share_is_explained_as_the_whole_is() {
    let directory = model_directory();
    let models = ModelFiles::in_directory(directory.path()).expect("one model a kind");
    let models = OfflineModels::load(&models).expect("good bundles");
    let batch = synthetic(1_200);
    let answers = |explain| models.answers(&batch, explain).expect("scored");
    let (all, some) = (answers(Explain::Top), answers(Explain::Share(Share::TENTH)));
    for (all, some, severities) in [
        (&all[0].table, &some[0].table, batch.alerts.texts("severity").expect("it has them")),
        (&all[2].table, &some[2].table, batch.clusters.texts("severity_max").expect("it has them")),
    ] {
        assert_eq!(some.numbers("score"), all.numbers("score"));
        let (each, told) = (all.texts("explain_json").expect("all"), some.texts("explain_json").expect("some"));
        let scores = all.numbers("score").expect("scores");
        let mut highest: Vec<f64> = scores.to_vec();
        highest.sort_unstable_by(|one, other| other.total_cmp(one));
        let least = highest[Share::TENTH.of(scores.len()) - 1];
        for (row, score) in scores.iter().enumerate() {
            let severe = ["high", "critical"].contains(&severities.get(row));
            // Of those that tie at the limit the ids decide.
            match told.get(row) {
                "{}" => assert!(*score <= least && !severe, "row {row}"),
                text => assert!(text == each.get(row) && (*score >= least || severe), "row {row}"),
            }
        }
        let explained = told.iter().filter(|text| *text != "{}").count();
        assert!((1..scores.len()).contains(&explained), "{explained}");
    }
}

#[test]
fn scoring_a_part_gives_the_bits_of_the_whole() {
    let directory = model_directory();
    let models = ModelFiles::in_directory(directory.path()).expect("one model a kind");
    let models = OfflineModels::load(&models).expect("good bundles");
    let mut batch = synthetic(700);
    let whole = models.answers(&batch, Explain::Top).expect("scored");
    let rows: Vec<usize> = (0..batch.alerts.rows()).step_by(3).collect();
    batch.alerts = batch.alerts.take(&rows);
    let part = models.answers(&batch, Explain::Top).expect("scored");
    assert_eq!(part[0].table, whole[0].table.take(&rows));
}

#[test]
fn answers_are_tables_and_receipts_that_hold() {
    let (written, models, root) = (Written::small(), model_directory(), tempfile::tempdir().expect("a directory"));
    let output = score(&written.path(), models.path(), root.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = root.path().join("answers");
    let scores = must_read(&answers, &SCORES);
    let ids: Vec<&str> = scores.texts("alert_id").expect("ids").iter().collect();
    assert_eq!(ids, ["a0", "a1", "a2"], "in the order of the batch");
    let logistic = |raw: f64| 1.0 / (1.0 + (-raw).exp());
    let expected = [logistic(0.5), logistic(-1.25), logistic(2.0)];
    for (score, expected) in scores.numbers("score").expect("scores").iter().zip(expected) {
        assert!((score - expected).abs() < 1e-12, "{score} {expected}");
    }
    let explanation = scores.texts("explain_json").expect("explanations").get(0);
    let explanation: serde_json::Value = serde_json::from_str(explanation).expect("JSON");
    assert_eq!(explanation["score"].as_f64(), Some(scores.numbers("score").expect("scores")[0]));
    let ranked = must_read(&answers, &RANKINGS);
    let ranked: Vec<&str> = ranked.texts("alert_id").expect("ids").iter().collect();
    assert_eq!(ranked, ["a2", "a0", "a1"], "the most urgent first");
    assert_eq!(must_read(&answers, &CLUSTER_SCORES).rows(), 1);
    for name in ["scores", "rankings", "cluster_scores"] {
        let receipt = answers.join(format!("{name}.receipt.json"));
        let (input, table) = (written.path().join("META.json"), answers.join(format!("{name}.parquet")));
        let checked = run(&["verify-receipt", text(&receipt), "--input", text(&input), "--output", text(&table)]);
        let told = String::from_utf8_lossy(&checked.stdout);
        assert_eq!(checked.status.code(), Some(0), "{told}");
        assert!(told.contains("read as directory, no state"), "{told}");
    }
}

#[test]
fn a_receipt_does_not_hold_for_anything_else() {
    let (written, models, root) = (Written::small(), model_directory(), tempfile::tempdir().expect("a directory"));
    assert_eq!(score(&written.path(), models.path(), root.path(), &[]).status.code(), Some(0));
    let answers = root.path().join("answers");
    let (receipt, input) = (answers.join("scores.receipt.json"), written.path().join("META.json"));
    let (scores, ranks) = (answers.join("scores.parquet"), answers.join("rankings.parquet"));
    let check = |receipt: &str, input: &Path, output: &Path, more: &[&str]| {
        let output =
            run(&[&["verify-receipt", receipt, "--input", text(input), "--output", text(output)], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, told) = check(text(&receipt), &input, &ranks, &[]);
    assert!(code == Some(1) && told.contains("the answer has digest"), "{told}");
    let (code, told) = check(text(&receipt), &scores, &scores, &[]);
    assert!(code == Some(1) && told.contains("the request has digest"), "{told}");
    let (code, told) = check(text(&receipt), &input, &scores, &["--public-key", &"ab".repeat(32)]);
    assert!(code == Some(1) && told.contains("not by the expected key"), "{told}");
    let (code, told) = check("not-a-receipt", &input, &scores, &[]);
    assert!(code == Some(1) && told.contains("cannot be read"), "{told}");
    let forged = fs::read_to_string(&receipt).expect("a receipt").replace("1.0.0+", "2.0.0+");
    fs::write(&receipt, forged).expect("writable");
    let (code, told) = check(text(&receipt), &input, &scores, &[]);
    assert!(code == Some(1) && told.contains("the signature does not hold"), "{told}");
    let (code, _) = check(text(&receipt), &root.path().join("nothing"), &scores, &[]);
    assert_eq!(code, Some(3));
}

#[test]
fn the_same_batch_gives_the_same_tables() {
    let (written, models) = (Written::small(), model_directory());
    let answers = || {
        let root = tempfile::tempdir().expect("a directory");
        assert_eq!(score(&written.path(), models.path(), root.path(), &["--threads", "1"]).status.code(), Some(0));
        let mut files = files_of(&root.path().join("answers"));
        files.retain(|name, _| name.ends_with(".parquet"));
        files
    };
    assert_eq!(answers(), answers());
}

#[test]
fn a_bad_batch_gets_no_answers() {
    let (written, models, root) = (Written::small(), model_directory(), tempfile::tempdir().expect("a directory"));
    written.edit("features.parquet", |bytes| bytes[60] ^= 1);
    let output = score(&written.path(), models.path(), root.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("features.parquet has SHA-256"));
    assert!(!root.path().join("answers").exists());
}

#[test]
fn a_changed_model_is_refused() {
    let (written, models, root) = (Written::small(), model_directory(), tempfile::tempdir().expect("a directory"));
    let path = models.path().join("alert_scorer_v1.0.0.txt");
    let changed = fs::read_to_string(&path).expect("a model").replace("leaf_value=-1.25", "leaf_value=-1.26");
    fs::write(&path, changed).expect("writable");
    let output = score(&written.path(), models.path(), root.path(), &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("alert_scorer_v1.0.0.txt"));
    assert!(!root.path().join("answers").exists());
}
