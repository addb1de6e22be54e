//! The bytes of a table's file are a promise: a manifest's digest, and with it what was trained on or paid for, hangs on
//! them. The digests below changed once since the first release: when the embedded Arrow schema went. (That of the features was
//! another one without optimisation, where entropies of one value were -0.)

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

/// Name and digest of each table of the first day of a configuration.
fn first_day(config: &SynthConfig) -> Vec<String> {
    let day = generate(config).expect("a valid configuration").next().expect("one day");
    let batch = &day.batch;
    let tables = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows, &day.labels];
    tables.iter().map(|table| format!("{} {}", table.spec().name, digest(table))).collect()
}

/// The generator is frozen: what features are worth is compared on its days, from release to release.
#[test]
fn a_day_of_the_default_settings_and_seed_42_has_the_bytes_it_always_had() {
    let config = SynthConfig::default();
    assert_eq!(config.seed, 42);
    assert_eq!(
        first_day(&config),
        [
            "alerts 584bb8c4a5cc2bed3c5517e01d374fc09715e7667cfe7f9600fa425d1bbf2b9f",
            "features 628f0ebe4b952d8744bc3151315644fd3dadf31857e2b036ea5ecc9ade23a7f4",
            "clusters cfb0e17975a93f449c55e4b070fcc361fcfcb4276f4f4e61ecc716b9958c0872",
            "money_flows 932b8583e49397368c65d03edd370efefef5d476f93573e1488da381b17ad3e1",
            "labels 23ea9546c4ce0d9297c45838cc8f5ec78e76a433db9bf00d8a7665fd85326409",
        ]
    );
}

#[test]
fn a_day_of_the_generator_has_the_bytes_it_always_had() {
    let config = SynthConfig { alerts: 60, addresses: 400, days: 1, ..SynthConfig::default() };
    assert_eq!(
        first_day(&config),
        [
            "alerts 76faaf33d6e29c01d78ee34621296437445e5d309175d310df8cb63a9fb40d14",
            "features ac997c49d476538bc43276480af8fc64ff12d7227612af87710b421f476439e6",
            "clusters 2e338cb56050e00327d52e524f4ca02fdbd1e098d4569dbfbcb68b7cbc1fc0b2",
            "money_flows b6b03d382e7975fbf1fcae5370169d6fa2e611225dccda8e77010344642720f9",
            "labels 0d893b03f57198794bd3e435298c06c9e6a3a92d105316df2740580fc71e6249",
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
