//! Public datasets become batches that keep every rule, with labels that become known after their day.

use std::fs;
use std::path::{Path, PathBuf};

use aml_miner::data::import::{ImportOptions, amlgentex, gen_batch, openaml};
use aml_miner::data::inspect::inspect;
use aml_miner::data::{BatchDir, LoadedBatch};

use crate::batch_kit::{Written, files_of};
use crate::frame_kit::{Frame, numbers, texts};
use crate::shared::shared;

fn options(output: &Path) -> ImportOptions {
    let base_date = "2025-01-01".parse().expect("a day");
    ImportOptions { output: output.to_path_buf(), base_date, parts: 10, replace: false, limit: None }
}

fn must_load(path: &Path) -> LoadedBatch {
    BatchDir::open(path).and_then(|directory| directory.load()).expect("an imported batch is good")
}

fn labels_come_later(loaded: &LoadedBatch) {
    let labels = loaded.labels.as_ref().expect("a labelled dataset");
    let day_end = 86_400_000.0 * (loaded.batch.alerts.numbers("processing_date").expect("days")[0] + 1.0);
    assert!(labels.numbers("confirmed_at").expect("times").iter().all(|&known| known >= day_end));
}

#[test]
fn wallets_are_spread_over_days_with_one_label_rate() {
    let Some(source) = shared("data/openaml_wallets") else { return };
    let output = tempfile::tempdir().expect("a directory");
    let days = openaml::import(&source, &options(output.path())).expect("the dataset");
    assert_eq!(days.len(), 10);
    let mut wallets = 0;
    for day in &days {
        let loaded = must_load(day);
        labels_come_later(&loaded);
        let found = inspect(&loaded);
        let rate = found.labels.expect("labels").illicit_rate.expect("labelled alerts");
        assert!((rate - 27_052.0 / 34_546.0).abs() < 5e-4, "{rate}");
        assert_eq!(found.joins.alerts_without_features, 0);
        wallets += loaded.batch.alerts.rows();
    }
    assert_eq!(wallets, 34_546);
}

#[test]
fn a_simulated_run_becomes_days_that_know_only_the_past() {
    let Some(source) = shared("data/amlgentex_10k") else { return };
    let output = tempfile::tempdir().expect("a directory");
    let days = amlgentex::import(&source, &ImportOptions { limit: Some(24), ..options(output.path()) });
    let days = days.expect("the dataset");
    assert_eq!(days.len(), 24);
    for day in days.iter().skip(20) {
        let loaded = must_load(day);
        labels_come_later(&loaded);
        let midnight = 86_400_000.0 * loaded.batch.alerts.numbers("processing_date").expect("days")[0];
        let flows = loaded.batch.money_flows.numbers("last_seen").expect("times");
        assert!(flows.iter().all(|&at| at < midnight && at >= midnight - 28.0 * 86_400_000.0));
        let found = inspect(&loaded);
        assert_eq!((found.joins.alerts_without_features, found.joins.cluster_alerts_unknown), (0, 0));
        the_measurements_are_those_of_the_flows(&loaded);
    }
}

/// What the source measured of an account is what the transfers of the window add up to.
fn the_measurements_are_those_of_the_flows(loaded: &LoadedBatch) {
    let (features, flows) = (&loaded.batch.features, &loaded.batch.money_flows);
    let from = flows.texts("from_address").expect("senders");
    let amounts = flows.numbers("amount_usd").expect("amounts");
    let totals = features.numbers("total_out_usd").expect("totals");
    for (row, address) in features.texts("address").expect("addresses").iter().enumerate() {
        let sent: f64 = from.iter().zip(amounts).filter(|(sender, _)| *sender == address).map(|(_, usd)| usd).sum();
        assert!((sent - totals[row]).abs() <= 1e-4 * sent.max(1.0), "{address}: {sent} and {}", totals[row]);
    }
}

/// The generator's form: the tables of a batch without a manifest, and labels of its own.
fn generated(root: &Path) -> PathBuf {
    let written = Written::small();
    let day = root.join("2025-10-26");
    fs::create_dir_all(&day).expect("a directory");
    written.rewrite("alerts.parquet", |frame| {
        frame.put("window_days", numbers([7_i64; 3]));
        frame.put("processing_date", texts(["2025-10-26"; 3]));
        frame.put("volume_usd", texts(["10.50", "0.00", "3.25"]));
    });
    for (name, bytes) in files_of(&written.path()).iter().filter(|(name, _)| *name != "META.json") {
        fs::write(day.join(name), bytes).expect("writable");
    }
    let labels = Frame::of(vec![
        ("alert_id", texts(["a0", "a1", "a2"])),
        ("label", numbers([1_i32, 0, 1])),
        ("prob", numbers([0.9, 0.2, 0.7])),
        ("grade", numbers([3_i64, 0, 1])),
    ]);
    fs::write(day.join("labels.parquet"), labels.parquet()).expect("writable");
    root.to_path_buf()
}

#[test]
fn generated_tables_become_batches() {
    let (source, output) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let days = gen_batch::import(&generated(source.path()), &options(output.path())).expect("good tables");
    assert_eq!(days, [output.path().join("2025-10-26_w7")]);
    let loaded = must_load(&days[0]);
    labels_come_later(&loaded);
    let labels = loaded.labels.expect("labels");
    assert_eq!(labels.numbers("confirmed_illicit"), Some(&[1.0, 0.0, 1.0][..]));
    assert_eq!(labels.numbers("relevance"), Some(&[2.0, 0.0, 2.0][..]));
    assert_eq!(loaded.batch.alerts.numbers("volume_usd"), Some(&[10.5, 0.0, 3.25][..]));
}

#[test]
fn a_source_of_another_shape_is_refused_with_its_line() {
    let (source, output) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let refusal = |text: &str| {
        fs::write(source.path().join("raw.csv"), text).expect("writable");
        openaml::import(source.path(), &options(output.path())).expect_err("a wrong file").to_string()
    };
    assert!(refusal("id,classification\n").ends_with("line 1: the header is not wallet_id, ..., classification"));
    let header = "wallet_id,total_transaction_count,classification";
    assert!(
        refusal(&format!("{header}\n1,2,Positive\n2,x,Negative\n"))
            .ends_with("line 3: total_transaction_count `x` is not a number")
    );
    assert!(refusal(&format!("{header}\n1,2\n")).ends_with("line 2: 2 cells, the header has 3"));
    assert!(refusal(&format!("{header}\n1,2,Maybe\n")).contains("neither Positive nor Negative"));
    let empty = tempfile::tempdir().expect("a directory");
    let message = gen_batch::import(empty.path(), &options(output.path())).expect_err("no tables").to_string();
    assert!(message.contains("holds alerts.parquet"), "{message}");
}
