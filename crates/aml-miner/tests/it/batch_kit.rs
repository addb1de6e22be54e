//! Batches for tests: small fixed ones, random ones, and ways to break a directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aml_miner::data::manifest::FileEntry;
use aml_miner::data::{BatchDir, LoadedBatch, Manifest, WriteOptions, write_batch};
use aml_miner::digest::Digest;
use aml_miner::wire::spec::{
    ALERTS, CLUSTERS, ColumnSpec, ColumnType, FEATURES, LABELS, MONEY_FLOWS, SEVERITIES, TableSpec,
};
use aml_miner::wire::{Batch, Column, NumberLists, Table, TextLists};
use proptest::prelude::*;

use crate::frame_kit::Frame;

/// The options of every batch that a test writes.
pub(crate) fn options() -> WriteOptions<'static> {
    WriteOptions {
        processing_date: "2025-10-26".parse().expect("a day"),
        window_days: 7,
        network: "testnet",
        created_at: "2025-10-27T00:00:00Z",
        publisher: None,
        replace: false,
    }
}

/// Three alerts on two addresses, a cluster, two edges.
pub(crate) fn small_batch() -> Batch {
    let mut batch = Batch::empty();
    batch.alerts = table(
        &ALERTS,
        3,
        [
            ("processing_date", numbers([20_387.0, 20_387.0, 20_387.0])),
            ("alert_id", texts(["a0", "a1", "a2"])),
            ("address", texts(["x", "y", "x"])),
            ("severity", texts(["low", "high", "critical"])),
            ("alert_confidence_score", numbers([0.5, 0.25, f64::NAN])),
            ("volume_usd", numbers([10.5, 0.0, 1e9])),
        ],
    );
    batch.features = table(
        &FEATURES,
        2,
        [
            ("address", texts(["x", "y"])),
            ("degree_in", numbers([3.0, f64::NAN])),
            ("pagerank", numbers([0.1, 0.2])),
            ("is_whale", numbers([1.0, 0.0])),
        ],
    );
    batch.clusters = table(&CLUSTERS, 1, [("cluster_id", texts(["c0"])), ("total_alerts", numbers([2.0]))]);
    batch.money_flows = table(
        &MONEY_FLOWS,
        2,
        [("from_address", texts(["x", "y"])), ("to_address", texts(["y", "x"])), ("amount_usd", numbers([12.34, 5.0]))],
    );
    batch
}

/// Outcomes of two of [`small_batch`]'s alerts.
pub(crate) fn small_labels() -> Table {
    let known = numbers([1_761_955_200_000.0, 1_761_955_200_000.0]);
    let columns =
        [("alert_id", texts(["a0", "a2"])), ("confirmed_illicit", numbers([1.0, 0.0])), ("confirmed_at", known)];
    table(&LABELS, 2, columns)
}

pub(crate) fn numbers<const N: usize>(values: [f64; N]) -> Column {
    Column::Numbers(values.to_vec())
}

pub(crate) fn texts<const N: usize>(values: [&str; N]) -> Column {
    Column::Texts(values.into_iter().collect())
}

pub(crate) fn table<const N: usize>(spec: &'static TableSpec, rows: usize, columns: [(&str, Column); N]) -> Table {
    let mut all: Vec<Option<Column>> = vec![None; spec.columns.len()];
    for (name, column) in columns {
        all[spec.position(name).expect("a column of the format")] = Some(column);
    }
    Table::new(spec, rows, all, Vec::new())
}

/// A directory with [`small_batch`] and its labels.
pub(crate) struct Written {
    pub(crate) root: tempfile::TempDir,
}

impl Written {
    pub(crate) fn small() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let labels = small_labels();
        write_batch(&root.path().join("batch"), &small_batch(), Some(&labels), &options()).expect("a good batch");
        Self { root }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("batch")
    }

    /// Changes the bytes of a file, leaving the manifest as it was.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.path().join(name);
        let mut bytes = fs::read(&path).expect("a file of the batch");
        change(&mut bytes);
        fs::write(path, bytes).expect("writable");
    }

    /// Replaces a file and makes the manifest fit it, with `rows` rows stated.
    pub(crate) fn put(&self, name: &str, bytes: &[u8], rows: u64) {
        fs::write(self.path().join(name), bytes).expect("writable");
        let entry = FileEntry { sha256: Digest::of(bytes), bytes: bytes.len() as u64, rows };
        self.edit_manifest(|manifest| {
            manifest.files.insert(name.to_owned(), entry);
        });
    }

    pub(crate) fn edit_manifest(&self, change: impl FnOnce(&mut Manifest)) {
        let path = self.path().join("META.json");
        let bytes = fs::read(&path).expect("a manifest");
        let mut manifest = Manifest::parse(&bytes, 64).expect("a good manifest");
        change(&mut manifest);
        fs::write(path, manifest.to_json()).expect("writable");
    }

    /// Rewrites a table through a frame and makes the manifest fit.
    pub(crate) fn rewrite(&self, name: &str, change: impl FnOnce(&mut Frame)) {
        let mut frame = Frame::read(&self.path().join(name));
        change(&mut frame);
        self.put(name, &frame.parquet(), frame.rows() as u64);
    }

    /// The message with which the batch is refused.
    pub(crate) fn refusal(&self) -> String {
        match BatchDir::open(self.path()).and_then(|directory| directory.load()) {
            Ok(_) => panic!("the batch was accepted"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn must_load(&self) -> LoadedBatch {
        BatchDir::open(self.path()).and_then(|directory| directory.load()).expect("a good batch")
    }
}

/// Every byte of a directory, by name.
pub(crate) fn files_of(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry"));
    entries.map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).expect("a file"))).collect()
}

/// Fails unless both tables hold the same columns with the same bits.
pub(crate) fn assert_same(left: &Table, right: &Table) {
    assert_eq!((left.spec().name, left.rows()), (right.spec().name, right.rows()));
    for (index, about) in left.spec().columns.iter().enumerate() {
        match (left.column(index), right.column(index)) {
            (Some(Column::Numbers(left)), Some(Column::Numbers(right))) => {
                assert_eq!(bits(left), bits(right), "column {}", about.name);
            }
            (Some(Column::NumberLists(left)), Some(Column::NumberLists(right))) => {
                assert_eq!(left.len(), right.len());
                (0..left.len()).for_each(|row| assert_eq!(bits(left.get(row)), bits(right.get(row)), "{}", about.name));
            }
            (left, right) => assert_eq!(left, right, "column {}", about.name),
        }
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect()
}

/// A random table of `spec` that keeps the rules of the format.
pub(crate) fn any_table(spec: &'static TableSpec) -> impl Strategy<Value = Table> {
    (1_usize..12).prop_flat_map(move |rows| {
        let columns: Vec<_> = spec.columns.iter().map(|about| any_column(spec, about, rows)).collect();
        columns.prop_map(move |columns| Table::new(spec, rows, columns, Vec::new()))
    })
}

fn any_column(spec: &'static TableSpec, about: &'static ColumnSpec, rows: usize) -> BoxedStrategy<Option<Column>> {
    let filled = match about.kind {
        ColumnType::Text if spec.key == Some(about.name) => {
            let keys = "[a-z0-9é]{1,6}";
            prop::collection::btree_set(keys, rows)
                .prop_map(|keys| Column::Texts(keys.iter().map(String::as_str).collect()))
                .boxed()
        }
        ColumnType::Text => {
            let shape = if about.required { "[ -~é日]{1,9}" } else { "[ -~é日]{0,9}" };
            prop::collection::vec(shape, rows)
                .prop_map(|v| Column::Texts(v.iter().map(String::as_str).collect()))
                .boxed()
        }
        ColumnType::Severity => {
            let names = prop::sample::select([&SEVERITIES[..], &[""]].concat());
            prop::collection::vec(names, rows).prop_map(|v| Column::Texts(v.into_iter().collect())).boxed()
        }
        ColumnType::TextList => {
            let lists = prop::collection::vec(prop::collection::vec("[a-z,\"]{0,5}", 0..4), rows);
            lists.prop_map(text_lists).boxed()
        }
        ColumnType::NumberList => {
            let lists = prop::collection::vec(prop::collection::vec(maybe(finite().boxed()), 0..4), rows);
            lists.prop_map(number_lists).boxed()
        }
        _ => {
            let value = any_number(about);
            let value = if about.required { value } else { maybe(value) };
            prop::collection::vec(value, rows).prop_map(Column::Numbers).boxed()
        }
    };
    if about.required {
        return filled.prop_map(Some).boxed();
    }
    prop_oneof![1 => Just(None), 3 => filled.prop_map(Some)].boxed()
}

fn maybe(value: BoxedStrategy<f64>) -> BoxedStrategy<f64> {
    prop_oneof![1 => Just(f64::NAN), 4 => value].boxed()
}

fn finite() -> impl Strategy<Value = f64> {
    prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO
}

fn any_number(about: &ColumnSpec) -> BoxedStrategy<f64> {
    let (min, max) = (about.min, about.max);
    match about.name {
        "processing_date" => return Just(20_387.0).boxed(),
        "window_days" => return Just(7.0).boxed(),
        _ => {}
    }
    match about.kind {
        ColumnType::Bool => prop_oneof![Just(0.0), Just(1.0)].boxed(),
        ColumnType::Decimal => {
            let cents = (0_i64..10_000_000_000_000).prop_map(|cents| cents as f64 / 100.0);
            prop_oneof![4 => cents, 1 => finite().prop_map(f64::abs)].boxed()
        }
        ColumnType::F32 => {
            let single = (0.0_f32..=1.0).prop_map(f64::from);
            prop_oneof![single, 0.0..=1.0].prop_map(move |value: f64| value.clamp(min, max)).boxed()
        }
        // Within decades of the batch's day: what lies elsewhere is no instant of it.
        ColumnType::TimestampMs => (1.2e12_f64..2.2e12).prop_map(f64::trunc).boxed(),
        ColumnType::F64 => finite().prop_map(move |value| value.clamp(min, max)).boxed(),
        _ => (min..=max).prop_map(f64::trunc).boxed(),
    }
}

fn text_lists(rows: Vec<Vec<String>>) -> Column {
    let mut lists = TextLists::default();
    for row in rows {
        row.iter().for_each(|item| lists.push_item(item));
        lists.end_row();
    }
    Column::TextLists(lists)
}

fn number_lists(rows: Vec<Vec<f64>>) -> Column {
    let mut lists = NumberLists::default();
    for row in rows {
        row.iter().for_each(|&item| lists.push_item(item));
        lists.end_row();
    }
    Column::NumberLists(lists)
}
