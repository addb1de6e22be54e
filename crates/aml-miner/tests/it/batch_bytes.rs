//! The bytes of a table's file are a promise: a manifest's digest, and with it what was trained on or paid for, hangs on
//! them. The digests below are of files that the first release wrote.

use aml_miner::data::{FileLimits, read_table, to_parquet};
use aml_miner::digest::Digest;
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::table::Table;
use aml_miner::table::spec::ALERTS;

use crate::shared::shared;

fn digest(table: &Table) -> String {
    Digest::of(&to_parquet(table).expect("a table that keeps the rules")).to_string()
}

#[test]
fn a_day_of_the_generator_has_the_bytes_it_always_had() {
    let config = SynthConfig { alerts: 60, addresses: 400, days: 1, ..SynthConfig::default() };
    let day = generate(&config).expect("a valid configuration").next().expect("one day");
    let batch = &day.batch;
    let tables = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows, &day.labels];
    let found: Vec<String> = tables.iter().map(|table| format!("{} {}", table.spec().name, digest(table))).collect();
    assert_eq!(
        found,
        [
            "alerts 8a111c78d69653390e294b56bb8674cee6b10831e3611087c51d0accf768495b",
            "features e36b3bf7839baf23e1a7c76b815cbd0a00fe1b24621f11d17ee6f67896f37f84",
            "clusters 5c52b7f3cc658e65209a0a797afbcb216f3d6945ad34aa72de9554e07a430632",
            "money_flows 8d0cba74e9200a09ec043330e3dab54c169410804782e81ac2b344b5d1d9e8f5",
            "labels 015be23654d17135cefb0262d2524e66b527a61456fabb1bac6737f85a58c8ad",
        ]
    );
}

#[test]
fn what_an_earlier_release_wrote_is_written_again_byte_for_byte() {
    let Some(path) = shared("cases/ours_unreadable_by_pandas/alerts.parquet") else { return };
    let bytes = std::fs::read(path).expect("readable");
    let table = read_table(&bytes, &ALERTS, "alerts.parquet", &FileLimits::default()).expect("a good table");
    assert!(to_parquet(&table).expect("a table that keeps the rules") == bytes, "{} rows", table.rows());
}
