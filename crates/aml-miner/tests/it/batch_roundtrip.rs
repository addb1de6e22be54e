//! What is written is what is read, whole or not at all, and the same batch is the same bytes.

use std::fs;

use aml_miner::data::{BatchDir, FileLimits, WriteBatchError, list_batches, read_table, write_batch};
use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS};
use aml_miner::wire::{Batch, Table};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use proptest::prelude::*;

use crate::batch_kit::{
    Written, any_table, assert_same, files_of, numbers, options, small_batch, small_labels, table, texts,
};
use crate::frame_kit::{self, Frame, Values, stored};

fn any_batch() -> impl Strategy<Value = (Batch, Table)> {
    let tables = (any_table(&ALERTS), any_table(&FEATURES), any_table(&CLUSTERS), any_table(&MONEY_FLOWS));
    (tables, any_table(&LABELS)).prop_map(|((alerts, features, clusters, money_flows), labels)| {
        (Batch { alerts, features, clusters, money_flows }, labels)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_written_is_read_back_bit_for_bit((batch, labels) in any_batch()) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let target = root.path().join("2025-10-26_w7");
        let manifest = write_batch(&target, &batch, Some(&labels), &options()).expect("a good batch");
        let loaded = BatchDir::open(&target).and_then(|directory| directory.load()).expect("what was written");
        prop_assert_eq!(&loaded.meta, &manifest);
        assert_same(&loaded.batch.alerts, &batch.alerts);
        assert_same(&loaded.batch.features, &batch.features);
        assert_same(&loaded.batch.clusters, &batch.clusters);
        assert_same(&loaded.batch.money_flows, &batch.money_flows);
        assert_same(loaded.labels.as_ref().expect("labels"), &labels);
    }
}

#[test]
fn the_same_batch_gives_the_same_bytes() {
    let (first, second) = (Written::small(), Written::small());
    assert_eq!(files_of(&first.path()), files_of(&second.path()));
    first.must_load();
}

#[test]
fn an_empty_batch_is_a_batch() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let target = root.path().join("batch");
    write_batch(&target, &Batch::empty(), None, &options()).expect("no rule is broken");
    let loaded = BatchDir::open(&target).and_then(|directory| directory.load()).expect("what was written");
    assert_eq!(loaded.batch, Batch::empty());
    assert!(loaded.labels.is_none());
}

#[test]
fn optional_files_may_be_missing() {
    let written = Written::small();
    for name in ["money_flows.parquet", "labels.parquet"] {
        fs::remove_file(written.path().join(name)).expect("removable");
        written.edit_manifest(|manifest| {
            manifest.files.remove(name);
        });
    }
    let loaded = written.must_load();
    assert_eq!(loaded.batch.money_flows.rows(), 0);
    assert!(loaded.labels.is_none());
}

#[test]
fn an_existing_batch_is_kept_unless_told_otherwise() {
    let written = Written::small();
    let before = files_of(&written.path());
    let refused = write_batch(&written.path(), &Batch::empty(), None, &options());
    assert!(matches!(refused, Err(WriteBatchError::Exists(_))));
    assert_eq!(files_of(&written.path()), before);
    let replace = aml_miner::data::WriteOptions { replace: true, ..options() };
    write_batch(&written.path(), &Batch::empty(), None, &replace).expect("replaceable");
    assert_eq!(written.must_load().batch, Batch::empty());
    assert_eq!(fs::read_dir(written.root.path()).expect("listable").count(), 1, "nothing is left beside the batch");
}

#[test]
fn a_batch_that_breaks_a_rule_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let mut batch = small_batch();
    batch.alerts = table(&ALERTS, 2, [("alert_id", texts(["a", "a"])), ("volume_usd", numbers([1.0, 2.0]))]);
    let error = write_batch(&root.path().join("batch"), &batch, None, &options()).expect_err("a duplicate");
    assert_eq!(error.to_string(), "alerts.parquet, column `alert_id`, row 1: `a` stands already in row 0");
    assert_eq!(fs::read_dir(root.path()).expect("listable").count(), 0);
}

#[test]
fn batches_are_listed_by_day() {
    let root = tempfile::tempdir().expect("a temporary directory");
    for name in
        ["2025-10-27_w7", "2025-10-26_w7", "2025-10-26_w30", "2025-10-26", "2025-11-01_w7", "notes", "2025-10-9_w7"]
    {
        write_batch(&root.path().join(name), &small_batch(), Some(&small_labels()), &options()).expect("a good batch");
    }
    fs::create_dir(root.path().join("2025-10-28_w7")).expect("a directory without a manifest");
    let day = |text: &str| Some(text.parse().expect("a day"));
    let found = list_batches(root.path(), day("2025-10-26"), day("2025-10-31")).expect("listable");
    let names: Vec<_> =
        found.iter().map(|e| e.path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["2025-10-26", "2025-10-26_w7", "2025-10-26_w30", "2025-10-27_w7"]);
    assert_eq!(list_batches(root.path(), None, None).expect("listable").len(), 5);
}

fn flows_with(name: &str, values: Values) -> Result<Table, String> {
    let ends = || frame_kit::texts(vec!["x"; values.len()]);
    let frame = Frame::of(vec![("from_address", ends()), ("to_address", ends()), (name, values.clone())]);
    let table = read_table(&frame.parquet(), &MONEY_FLOWS, "money_flows.parquet", &FileLimits::default());
    table.map_err(|error| error.to_string())
}

#[test]
fn a_number_may_be_stored_in_any_type_that_holds_it() {
    use ArrowDataType as D;
    let types = [
        stored(D::Int8, [Some(0_i8), None, Some(100)]),
        stored(D::Int16, [Some(0_i16), None, Some(100)]),
        stored(D::Int32, [Some(0_i32), None, Some(100)]),
        stored(D::Int64, [Some(0_i64), None, Some(100)]),
        stored(D::UInt8, [Some(0_u8), None, Some(100)]),
        stored(D::UInt16, [Some(0_u16), None, Some(100)]),
        stored(D::UInt32, [Some(0_u32), None, Some(100)]),
        stored(D::UInt64, [Some(0_u64), None, Some(100)]),
        stored(D::Float32, [Some(0.0_f32), None, Some(100.0)]),
        stored(D::Float64, [Some(0.0_f64), None, Some(100.0)]),
        stored(D::Decimal(10, 3), [Some(0_i128), None, Some(100_000)]),
        frame_kit::maybe_texts([Some("0"), None, Some("100")]),
    ];
    for values in types {
        let kind = values.dtype().clone();
        let table = flows_with("tx_count", values).expect("readable");
        let values = table.numbers("tx_count").expect("the column");
        assert_eq!((values[0], values[2]), (0.0, 100.0), "{kind:?}");
        assert!(values[1].is_nan(), "{kind:?}");
    }
}

#[test]
fn money_as_text_and_as_decimal_is_the_same_double() {
    let text = frame_kit::texts(["1234.56", "0.1", "1e3", "98765432109876.54"]);
    let expected = [1234.56, 0.1, 1e3, 98_765_432_109_876.54];
    assert_eq!(flows_with("amount_usd", text).expect("readable").numbers("amount_usd"), Some(&expected[..]));
    let ten = |power| 10_i128.pow(power);
    let digits = [123_456 * ten(16), ten(17), ten(21), 9_876_543_210_987_654 * ten(16)];
    let decimal = stored(ArrowDataType::Decimal(38, 18), digits.map(Some));
    assert_eq!(flows_with("amount_usd", decimal).expect("readable").numbers("amount_usd"), Some(&expected[..]));
}

#[test]
fn times_are_milliseconds_whatever_their_unit() {
    let times = |unit, value: i64| flows_with("last_seen", stored(ArrowDataType::Timestamp(unit, None), [Some(value)]));
    let units = [(TimeUnit::Millisecond, 1), (TimeUnit::Microsecond, 1_000), (TimeUnit::Nanosecond, 1_000_000)];
    for (unit, units_per_ms) in units {
        let table = times(unit, 1_700_000_000_123 * units_per_ms).expect("readable");
        assert_eq!(table.numbers("last_seen"), Some(&[1_700_000_000_123.0][..]));
    }
    assert_eq!(
        times(TimeUnit::Microsecond, 1).expect_err("a microsecond"),
        "money_flows.parquet, column `last_seen`, row 0: 1 (1/1000 ms) has a finer resolution than the column"
    );
}
