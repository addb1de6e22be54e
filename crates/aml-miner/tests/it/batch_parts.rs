//! Days in parts: whatever the split, the same values, the same name of the day, the same answers; and manifests that
//! cannot be meant are refused by name.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use aml_miner::data::manifest::FileEntry;
use aml_miner::data::{
    BatchDir, Manifest, SealOptions, WriteOptions, content_sha256, seal, to_parquet, write_batch, write_batch_in_parts,
};
use aml_miner::digest::Digest;
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::Column;
use aml_miner::wire::spec::ALERTS;
use serde_json::{Value, json};

use crate::batch_kit::{assert_same, files_of, options, small_batch, small_labels};

/// A simulated day.
pub(crate) fn day(alerts: usize, addresses: usize) -> Day {
    let config = SynthConfig { alerts, addresses, ..SynthConfig::default() };
    generate(&config).expect("a good configuration").next().expect("one day")
}

/// What a manifest of `day` says.
fn about(day: &Day) -> WriteOptions<'static> {
    WriteOptions { processing_date: day.date, ..options() }
}

/// Writes `day` in parts of so many rows, or each table as one file.
pub(crate) fn written(day: &Day, rows: Option<usize>, target: &Path) -> PathBuf {
    let labels = Some(&day.labels);
    match rows.and_then(NonZeroUsize::new) {
        Some(rows) => write_batch_in_parts(target, &day.batch, labels, &about(day), rows).expect("written"),
        None => write_batch(target, &day.batch, labels, &about(day)).expect("written"),
    };
    target.to_path_buf()
}

/// A batch of three alerts in parts of one row.
fn small_parts(root: &Path) -> PathBuf {
    let target = root.join("batch");
    let one = NonZeroUsize::MIN;
    write_batch_in_parts(&target, &small_batch(), Some(&small_labels()), &options(), one).expect("a good batch");
    target
}

fn refusal(path: &Path) -> String {
    match BatchDir::open(path).and_then(|directory| directory.load()) {
        Ok(_) => panic!("the batch was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_split_has_the_values_and_the_name_of_the_day() {
    let (day, root) = (day(400, 1_500), tempfile::tempdir().expect("a directory"));
    let mut names = Vec::new();
    for (number, rows) in [1_000_000, 500, 97, 64].into_iter().enumerate() {
        let path = written(&day, Some(rows), &root.path().join(number.to_string()));
        let directory = BatchDir::open(&path).expect("a batch");
        assert_eq!(directory.manifest_sha256(), directory.manifest().digest());
        names.push(directory.manifest().digest());
        let loaded = directory.load().expect("a good batch");
        for (left, right) in [
            (&loaded.batch.alerts, &day.batch.alerts),
            (&loaded.batch.features, &day.batch.features),
            (&loaded.batch.clusters, &day.batch.clusters),
            (&loaded.batch.money_flows, &day.batch.money_flows),
            (loaded.labels.as_ref().expect("labels"), &day.labels),
        ] {
            assert_eq!(left.rows(), right.rows());
            assert_same(left, right);
            assert_eq!(content_sha256(left), content_sha256(right));
        }
        let rows = directory.check(1, &aml_miner::wire::InOrder).expect("a good batch");
        assert_eq!(rows.iter().map(|table| table.rows).sum::<u64>(), {
            let batch = &day.batch;
            let all = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows, &day.labels];
            all.iter().map(|table| table.rows() as u64).sum::<u64>()
        });
    }
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    // Another value is another day.
    let mut other = day.clone();
    let column = ALERTS.position("volume_usd").expect("a column");
    let Some(Column::Numbers(values)) = other.batch.alerts.column(column) else { panic!("it has volumes") };
    let mut values = values.clone();
    values[399] += 1.0;
    other.batch.alerts.set_column(column, Some(Column::Numbers(values)));
    let path = written(&other, Some(97), &root.path().join("other"));
    assert_ne!(BatchDir::open(path).expect("a batch").manifest().digest(), names[0]);
}

#[test]
fn a_batch_without_parts_keeps_its_bytes() {
    let root = tempfile::tempdir().expect("a directory");
    let target = root.path().join("batch");
    let manifest = write_batch(&target, &small_batch(), None, &options()).expect("a good batch");
    assert_eq!(manifest.schema_version, "1.0");
    let text = fs::read(target.join("META.json")).expect("a manifest");
    assert!(!String::from_utf8_lossy(&text).contains("tables"));
    let directory = BatchDir::open(&target).expect("a batch");
    assert_eq!(directory.manifest_sha256(), Digest::of(&text));
    assert_eq!(manifest.digest(), Digest::of(&manifest.signed_bytes()));
}

#[test]
fn the_digest_of_values_is_that_of_the_documentation() {
    // docs/data.md, "Tables in parts".
    let table = small_batch().money_flows;
    let of = |bytes: &[u8]| Digest::of(bytes).to_string();
    let text = |text: &str| [&u32::try_from(text.len()).expect("short").to_le_bytes(), text.as_bytes()].concat();
    let (from, to) = ([text("x"), text("y")].concat(), [text("y"), text("x")].concat());
    let amounts = [12.34_f64.to_le_bytes(), 5.0_f64.to_le_bytes()].concat();
    let lines = format!(
        "aml-table/1\nmoney_flows\n2\nfrom_address {}\nto_address {}\namount_usd {}\n",
        of(&from),
        of(&to),
        of(&amounts)
    );
    assert_eq!(content_sha256(&table), Digest::of(lines.as_bytes()));
}

#[test]
fn manifests_that_cannot_be_meant_are_refused_by_name() {
    let root = tempfile::tempdir().expect("a directory");
    let path = small_parts(root.path());
    let text = fs::read_to_string(path.join("META.json")).expect("a manifest");
    let good: Value = serde_json::from_str(&text).expect("JSON");
    let parts = |value: Value| {
        let mut manifest = good.clone();
        manifest["tables"]["alerts"]["parts"] = value;
        manifest
    };
    let with = |change: &dyn Fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        manifest
    };
    let many: Vec<String> = (0..1_001).map(|part| format!("alerts-{part:04}.parquet")).collect();
    for (manifest, expected) in [
        (
            parts(json!(["alerts-000.parquet", "alerts-001.parquet", "alerts-001.parquet"])),
            "`alerts-001.parquet` stands twice among the parts",
        ),
        (
            parts(json!(["alerts-000.parquet", "alerts-007.parquet"])),
            "the table alerts has the part `alerts-007.parquet`, which `files` does not name",
        ),
        (parts(json!(["../alerts-000.parquet"])), "the part `../alerts-000.parquet` is not a plain file name"),
        (parts(json!(["/etc/passwd"])), "the part `/etc/passwd` is not a plain file name"),
        (parts(json!([])), "the table alerts has no parts"),
        (parts(json!(["labels.parquet"])), "`labels.parquet` is the whole of a table"),
        (
            parts(json!(["alerts-000.parquet", "alerts-001.parquet", "features-000.parquet"])),
            "`features-000.parquet` stands twice",
        ),
        (parts(json!(many)), "parts, at most 1000 are accepted"),
        (parts(json!(["alerts-000.parquet", "alerts-001.parquet"])), "the table alerts has 3 rows, its parts have 2"),
        (with(&|it| it["tables"]["alerts"]["rows"] = json!(4)), "the table alerts has 4 rows, its parts have 3"),
        (with(&|it| it["tables"]["labels"] = it["tables"]["alerts"].clone()), "tables names `labels`"),
        (with(&|it| it["tables"]["alerts"]["more"] = json!(1)), "unknown field `more`"),
        (with(&|it| it["schema_version"] = json!("1.0")), "unknown key `tables` for schema_version 1.0"),
        (with(&|it| it["tables"] = json!({})), "is not in its one form"),
        (
            with(&|it| it["files"]["alerts.parquet"] = it["files"]["alerts-000.parquet"].clone()),
            "`alerts.parquet` is the whole of a table, and stands beside or among parts",
        ),
    ] {
        let told = Manifest::parse(manifest.to_string().as_bytes(), 64).expect_err("a bad manifest").to_string();
        assert!(told.contains(expected), "{expected}: {told}");
    }
    Manifest::parse(good.to_string().as_bytes(), 64).expect("the manifest itself is good");
}

#[test]
fn parts_that_are_not_what_the_manifest_says_are_refused_by_name() {
    let root = tempfile::tempdir().expect("a directory");
    let path = small_parts(root.path());
    let meta = path.join("META.json");
    let good = fs::read(&meta).expect("a manifest");
    let change = |edit: &dyn Fn(&mut Manifest)| {
        let mut manifest = Manifest::parse(&good, 64).expect("good");
        edit(&mut manifest);
        fs::write(&meta, manifest.to_json()).expect("writable");
        let told = refusal(&path);
        fs::write(&meta, &good).expect("writable");
        told
    };
    let told = change(&|manifest| manifest.tables.get_mut("alerts").expect("parts").parts.swap(0, 2));
    assert!(told.contains("the values of alerts have SHA-256"), "{told}");
    let told = change(&|manifest| {
        for (part, rows) in [("alerts-000.parquet", 2), ("alerts-001.parquet", 0)] {
            manifest.files.get_mut(part).expect("named").rows = rows;
        }
    });
    assert!(told.contains("alerts-000.parquet has 1 rows, META.json says 2"), "{told}");
    // The same key in two parts.
    let again = to_parquet(&small_batch().alerts.take(&[0])).expect("a table");
    fs::write(path.join("alerts-002.parquet"), &again).expect("writable");
    let told = change(&|manifest| {
        let entry = FileEntry { sha256: Digest::of(&again), bytes: again.len() as u64, rows: 1 };
        manifest.files.insert("alerts-002.parquet".to_owned(), entry);
    });
    assert_eq!(
        told,
        "alerts-002.parquet, column `alert_id`, row 0: `a0` stands already in row 0 of alerts-000.parquet"
    );
    fs::remove_file(path.join("alerts-001.parquet")).expect("removable");
    assert!(refusal(&path).contains("alerts-001.parquet"), "{}", refusal(&path));
}

#[test]
fn parts_of_ones_own_are_sealed_where_they_lie() {
    let root = tempfile::tempdir().expect("a directory");
    let path = root.path().join("mine");
    fs::create_dir_all(&path).expect("a directory");
    let batch = small_batch();
    for (part, rows) in [vec![0, 1], vec![2]].iter().enumerate() {
        let bytes = to_parquet(&batch.alerts.take(rows)).expect("a table");
        fs::write(path.join(format!("alerts-{part:03}.parquet")), bytes).expect("writable");
    }
    let before = files_of(&path);
    let options = SealOptions { about: options(), names: Default::default(), output: None };
    let sealed = seal(&path, &options).expect("good tables");
    assert_eq!(sealed.manifest.tables["alerts"].rows, 3);
    assert_eq!(sealed.manifest.tables["alerts"].content_sha256, content_sha256(&batch.alerts));
    let after = files_of(&path);
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes), "nothing of them is changed");
    let loaded = BatchDir::open(&path).and_then(|directory| directory.load()).expect("a batch");
    assert_same(&loaded.batch.alerts, &batch.alerts);
    // What cannot be done with parts is said.
    fs::write(path.join("alerts.csv"), "alert_id\nq\n").expect("writable");
    let told = seal(&path, &options).expect_err("two of them").to_string();
    assert!(told.contains("META.json"), "{told}");
    fs::remove_file(path.join("META.json")).expect("removable");
    let told = seal(&path, &options).expect_err("two of them").to_string();
    assert!(told.contains("alerts.csv and alerts-000.parquet are both there"), "{told}");
    fs::remove_file(path.join("alerts.csv")).expect("removable");
    let output = root.path().join("out");
    let told = seal(&path, &SealOptions { output: Some(&output), ..options }).expect_err("not elsewhere").to_string();
    assert!(told.contains("parts are sealed where they lie"), "{told}");
}
