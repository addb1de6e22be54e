//! `aml-miner-batch` from the outside: findings on the output, and the exit code that tells them apart.

use std::path::Path;
use std::process::{Command, Output};

use crate::batch_kit::{Written, files_of};

fn batch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-miner-batch")).args(args).output().expect("the command starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn verify_tells_good_bad_and_absent_apart() {
    let (good, bad) = (Written::small(), Written::small());
    bad.edit("alerts.parquet", |bytes| bytes[50] ^= 1);
    let output = batch(&["verify", text(&good.path())]);
    assert_eq!(code(&output), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("3 alerts, 2 features, 1 clusters, 2 money_flows, 2 labels")
    );
    let output = batch(&["verify", text(&bad.path()), text(&good.path())]);
    assert_eq!(code(&output), Some(1));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.contains("BAD  ") && lines.contains("ok   "), "the others are checked too: {lines}");
    let output = batch(&["verify", text(&good.root.path().join("nothing"))]);
    assert_eq!(code(&output), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("META.json"));
    assert_eq!(code(&batch(&["verify"])), Some(2));
}

#[test]
fn verify_demands_a_publisher() {
    let good = Written::small();
    let output = batch(&["verify", text(&good.path()), "--publisher", &"ab".repeat(32)]);
    assert_eq!(code(&output), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("the publisher is nobody"));
}

#[test]
fn inspect_prints_text_or_json() {
    let good = Written::small();
    let output = batch(&["inspect", text(&good.path())]);
    assert_eq!(code(&output), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("alert_confidence_score"));
    let output = batch(&["inspect", text(&good.path()), "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(found["tables"][0]["rows"], 3);
    assert_eq!(found["labels"]["illicit_rate"], 0.5);
}

#[test]
fn download_fetches_a_range_and_reports_missing_days() {
    let written = Written::small();
    std::fs::rename(written.path(), written.root.path().join("2025-10-26_w7")).expect("renamed");
    let output = tempfile::tempdir().expect("a directory");
    let range = |end: &str, more: &[&str]| {
        let base = text(written.root.path()).to_owned();
        let fixed = ["download", "--base-url", &base, "--output", text(output.path()), "--start-date", "2025-10-26"];
        batch(&[&fixed[..], &["--end-date", end], more].concat())
    };
    let fetched = range("2025-10-26", &[]);
    assert_eq!(code(&fetched), Some(0), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(String::from_utf8_lossy(&fetched.stdout).starts_with("ok       2025-10-26_w7: digest "));
    let source = files_of(&written.root.path().join("2025-10-26_w7"));
    assert_eq!(files_of(&output.path().join("2025-10-26_w7")), source);
    let missing = range("2025-10-27", &[]);
    assert_eq!(code(&missing), Some(1));
    let lines = String::from_utf8_lossy(&missing.stdout).into_owned();
    assert!(lines.contains("present  2025-10-26_w7") && lines.contains("missing  2025-10-27_w7"), "{lines}");
    assert_eq!(code(&range("2025-10-27", &["--allow-missing"])), Some(0));
    assert_eq!(code(&range("2025-10-25", &[])), Some(2), "the range is empty");
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let output = batch(&["--help"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Examples:") && text.contains("Exit codes:"), "{text}");
    for command in
        ["verify", "inspect", "download", "import", "synth", "score", "validate-submission", "verify-receipt"]
    {
        assert!(text.contains(command), "{text}");
        assert_eq!(code(&batch(&[command, "--help"])), Some(0));
    }
}

#[test]
fn synth_makes_batches_that_verify() {
    let output = tempfile::tempdir().expect("a directory");
    let sizes = ["--days", "2", "--alerts", "40", "--addresses", "600"];
    let made = batch(&[&["synth", text(output.path())], &sizes[..]].concat());
    assert_eq!(code(&made), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let verified = batch(&["verify", text(output.path())]);
    assert_eq!(code(&verified), Some(0));
    assert_eq!(String::from_utf8_lossy(&verified.stdout).lines().count(), 2);
    assert_eq!(code(&batch(&["synth", text(output.path()), "--illicit-share", "0.9"])), Some(2));
}
