//! The bytes of a table's file are a promise: a manifest's digest, and with it what was trained on or paid for, hangs on
//! them. The digests below changed once since the first release: when the embedded Arrow schema went.

use aml_miner::data::{FileLimits, read_table, to_parquet};
use aml_miner::digest::Digest;
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::table::Table;
use aml_miner::table::spec::ALERTS;

use polars_parquet::read::{PhysicalType, PrimitiveLogicalType, read_metadata};

use crate::batch_kit::assert_same;
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
fn what_an_earlier_release_wrote_is_read_and_written_without_its_arrow_schema() {
    let Some(path) = shared("cases/ours_unreadable_by_pandas/alerts.parquet") else { return };
    let old = std::fs::read(path).expect("readable");
    let read =
        |bytes: &[u8]| read_table(bytes, &ALERTS, "alerts.parquet", &FileLimits::default()).expect("a good table");
    let table = read(&old);
    let new = to_parquet(&table).expect("a table that keeps the rules");
    assert_same(&read(&new), &table);
    let names_views = |bytes: &[u8]| bytes.windows(12).any(|part| part == b"ARROW:schema");
    assert!(names_views(&old) && !names_views(&new));
    // The pages are the same: only what stands behind them is shorter.
    let common = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    assert!(common > new.len() / 2, "{common} of {} bytes", new.len());
}

#[test]
fn no_file_of_ours_names_a_type_that_is_not_parquets_own() {
    let config = SynthConfig { alerts: 20, addresses: 200, days: 1, ..SynthConfig::default() };
    let day = generate(&config).expect("a valid configuration").next().expect("one day");
    let batch = &day.batch;
    for table in
        [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows, &day.labels, &Table::empty(&ALERTS)]
    {
        let bytes = to_parquet(table).expect("a table that keeps the rules");
        let metadata = read_metadata(&mut std::io::Cursor::new(&bytes)).expect("a Parquet file");
        assert_eq!(metadata.key_value_metadata().as_deref(), Some(&[][..]), "{}", table.spec().name);
        for column in metadata.schema().columns() {
            let kind = &column.descriptor.primitive_type;
            let is_text = kind.logical_type == Some(PrimitiveLogicalType::String);
            assert!(kind.physical_type != PhysicalType::ByteArray || is_text, "{:?}", column.path_in_schema);
        }
    }
}
