//! The conformance package's batches: which directories are batches, and the file, column and row of what is wrong with others.

use std::collections::BTreeMap;
use std::fs;

use aml_miner::data::{BatchDir, Manifest, ReadBatchError, TableError, WriteOptions, write_batch};
use aml_miner::digest::Digest;
use aml_miner::table::spec::{ALERTS, CLUSTERS, ColumnType, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use crate::batch_kit::{Written, files_of, options, small_batch};
use crate::frame_kit::{Frame, Values, maybe_texts, numbers, texts};
use crate::vectors_kit::Vectors;

const META: &str = "META.json";

/// A directory that may be a batch.
struct Case {
    name: String,
    why: &'static str,
    files: BTreeMap<String, Vec<u8>>,
    publisher: Option<String>,
    expected: Value,
}

fn kind(error: &ReadBatchError) -> Value {
    let (refused, place) = match error {
        ReadBatchError::Read { path, .. } => {
            ("missing", path.file_name().map(|name| name.to_string_lossy().into_owned()))
        }
        ReadBatchError::NotAFile(_) => ("not_a_file", None),
        ReadBatchError::TooLarge { file, .. } => ("too_large", Some(file.clone())),
        ReadBatchError::Manifest(_) => ("manifest", Some(META.to_owned())),
        ReadBatchError::NotNamed(file) => ("not_named", Some(file.clone())),
        ReadBatchError::Length { file, .. } => ("length", Some(file.clone())),
        ReadBatchError::Hash { file, .. } => ("hash", Some(file.clone())),
        ReadBatchError::Rows { file, .. } => ("rows", Some(file.clone())),
        ReadBatchError::Content { table, .. } => ("content", Some((*table).to_owned())),
        ReadBatchError::Table(TableError::File { file, .. }) => ("file", Some(file.clone())),
        ReadBatchError::Table(TableError::Column { file, column, .. }) => {
            return json!({ "refused": "column", "file": file, "column": column });
        }
        ReadBatchError::Table(TableError::Cell { file, column, row, .. }) => {
            return json!({ "refused": "cell", "file": file, "column": column, "row": row });
        }
    };
    json!({ "refused": refused, "file": place })
}

fn judged(written: &Written, publisher: Option<&str>) -> Value {
    let loaded = BatchDir::open(written.path()).and_then(|directory| {
        publisher.map_or(Ok(()), |key| directory.manifest().require_publisher(key))?;
        Ok((Digest::of(&directory.manifest().signed_bytes()), directory.load()?))
    });
    match loaded {
        Ok((digest, loaded)) => {
            let batch = &loaded.batch;
            let rows = json!({ "alerts": batch.alerts.rows(), "features": batch.features.rows(),
                "clusters": batch.clusters.rows(), "money_flows": batch.money_flows.rows() });
            json!({ "rows": rows, "digest": digest.to_string() })
        }
        Err(error) => {
            let mut told = kind(&error);
            told["says"] = error.to_string().replace(&written.root.path().display().to_string(), "").into();
            told
        }
    }
}

fn case(name: &str, why: &'static str, publisher: Option<String>, change: impl FnOnce(&Written)) -> Case {
    let written = Written::small();
    change(&written);
    let expected = judged(&written, publisher.as_deref());
    Case { name: name.to_owned(), why, files: files_of(&written.path()), publisher, expected }
}

/// The manifest's text, changed.
fn reworded(written: &Written, from: &str, to: &str) {
    written.edit(META, |bytes| {
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert!(text.contains(from), "{from} is part of {text}");
        *bytes = text.replace(from, to).into_bytes();
    });
}

fn signed(written: &Written, key: &SigningKey) {
    fs::remove_dir_all(written.path()).expect("removable");
    let options = WriteOptions { publisher: Some(key), ..options() };
    write_batch(&written.path(), &small_batch(), None, &options).expect("signed");
}

fn manifests() -> Vec<Case> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = hex::encode(key.verifying_key().as_bytes());
    let other = hex::encode(SigningKey::from_bytes(&[8; 32]).verifying_key().as_bytes());
    let demand = |key: &str| Some(key.to_owned());
    vec![
        case("good", "three alerts, outcomes of two", None, |_| {}),
        case("signed", "a signature that fits", None, |it| signed(it, &key)),
        case("signed_as_demanded", "by who must have signed", demand(&public), |it| signed(it, &key)),
        case("signed_by_another", "than who must have signed", demand(&other), |it| signed(it, &key)),
        case("not_signed", "by nobody", demand(&public), |_| {}),
        case("signed_and_changed", "the signature covers the manifest", None, |it| {
            signed(it, &key);
            reworded(it, "\"testnet\"", "\"mainnet\"");
        }),
        case("half_signed", "publisher and signature come together", None, |it| {
            reworded(it, "\"network\"", &format!("\"publisher\": \"{public}\",\n  \"network\""));
        }),
        case("newer_minor", "a newer minor version may add keys", None, |it| {
            reworded(it, "\"1.0\"", "\"1.2\"");
            reworded(it, "\"network\"", "\"region\": [1, true, null],\n  \"network\"");
        }),
        case("unknown_key", "an equal version may not", None, |it| {
            reworded(it, "\"network\"", "\"region\": 1,\n  \"network\"");
        }),
        case("major_2", "another major version", None, |it| reworded(it, "\"1.0\"", "\"2.0\"")),
        case("key_twice", "a manifest has one reading", None, |it| {
            reworded(it, "\"window_days\": 7", "\"window_days\": 7,\n  \"window_days\": 7");
        }),
        case("window_as_a_fraction", "integers alone", None, |it| {
            reworded(it, "\"window_days\": 7", "\"window_days\": 7.0")
        }),
        case("time_in_words", "RFC 3339", None, |it| reworded(it, "2025-10-27T00:00:00Z", "yesterday")),
        case("path_in_a_name", "names are plain", None, |it| reworded(it, "money_flows.parquet", "../alerts.parquet")),
        case("hidden_name", "and begin with a letter or digit", None, |it| {
            reworded(it, "money_flows.parquet", ".alerts.parquet")
        }),
        case("no_json", "JSON", None, |it| it.edit(META, |bytes| bytes.truncate(20))),
        case("file_missing", "what is named is there", None, |it| {
            fs::remove_file(it.path().join("features.parquet")).expect("removable")
        }),
        case("alerts_not_named", "every batch names alerts, features and clusters", None, |it| {
            it.edit_manifest(|manifest: &mut Manifest| {
                manifest.files.remove("clusters.parquet");
            });
        }),
        case("file_cut", "lengths are those of the manifest", None, |it| {
            it.edit("features.parquet", |bytes| bytes.truncate(bytes.len() / 2))
        }),
        case("byte_changed", "and so are digests", None, |it| it.edit("money_flows.parquet", |bytes| bytes[40] ^= 1)),
        case("rows_wrong", "and rows", None, |it| {
            it.edit_manifest(|manifest| manifest.files.get_mut("alerts.parquet").expect("named").rows = 4);
        }),
        case("no_parquet", "a table is a Parquet file", None, |it| it.put("alerts.parquet", b"alert_id\na0\n", 1)),
        case("not_named_is_not_read", "a file that nobody names is nobody's", None, |it| {
            fs::write(it.path().join("notes.txt"), "mine").expect("writable");
        }),
    ]
}

/// A table with one column replaced.
fn tables() -> Vec<Case> {
    let cases: Vec<(&str, &str, &str, Values, &'static str)> = vec![
        ("nan", "alerts", "volume_usd", numbers([1.0, f64::NAN, 2.0]), "NaN is no number; missing is null"),
        ("infinite", "alerts", "volume_usd", numbers([1.0, 2.0, f64::INFINITY]), "nor is infinity"),
        ("negative", "alerts", "volume_usd", numbers([1.0, 2.0, -3.5]), "amounts are not negative"),
        (
            "beyond_1",
            "alerts",
            "alert_confidence_score",
            numbers([0.1, 1.5, 2.0]),
            "confidences are from 0 to 1; the first row is told",
        ),
        ("severity", "alerts", "severity", texts(["low", "High", "low"]), "four severities, lower-case"),
        ("severity_by_number", "alerts", "severity", numbers([1_i64, 2, 3]), "as text"),
        ("id_twice", "alerts", "alert_id", texts(["a", "b", "a"]), "a key stands there once"),
        ("id_missing", "alerts", "alert_id", maybe_texts([Some("a"), None, Some("b")]), "and in every row"),
        ("u0000", "alerts", "address", texts(["x", "y", "\0"]), "no text has U+0000"),
        ("number_as_text", "alerts", "volume_usd", texts(["1", "2.5", "1e3"]), "numbers may be texts"),
        ("number_with_a_comma", "alerts", "volume_usd", texts(["1", "2,5", "3"]), "with a point"),
        ("list_as_text", "alerts", "risk_indicators", texts(["a", "b", "c"]), "a list is a list"),
        (
            "day_of_another_batch",
            "alerts",
            "processing_date",
            texts(["2025-10-26", "2025-10-26", "2025-10-25"]),
            "rows are of the batch's day",
        ),
        ("fraction_of_a_count", "features", "degree_in", numbers([1.0, 2.5]), "counts are whole"),
        ("address_twice", "features", "address", texts(["x", "x"]), "a row per address"),
        (
            "too_large_to_be_exact",
            "money_flows",
            "tx_count",
            numbers([1_i64, (1 << 53) + 1]),
            "an integer that no double equals",
        ),
        ("unknown_column", "alerts", "colour", texts(["red", "red", "red"]), "columns that are not known are kept out"),
    ];
    let one = |(name, table, column, values, why): (&str, &str, &str, Values, &'static str)| {
        let file = format!("{table}.parquet");
        case(name, why, None, |it| it.rewrite(&file, |frame| frame.put(column, values)))
    };
    let mut cases: Vec<Case> = cases.into_iter().map(one).collect();
    cases.push(case("no_alert_ids", "a required column", None, |it| {
        it.rewrite("alerts.parquet", |frame| frame.rename("alert_id", "id"));
    }));
    cases.push(case("columns_turned", "columns are found by name", None, |it| {
        it.rewrite("alerts.parquet", Frame::reverse)
    }));
    cases
}

const fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Severity => "severity",
        ColumnType::Date => "date",
        ColumnType::U8 | ColumnType::U16 | ColumnType::U32 | ColumnType::U64 => "count",
        ColumnType::TimestampMs => "time",
        ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal => "number",
        ColumnType::Bool => "flag",
        ColumnType::TextList => "list of text",
        ColumnType::NumberList => "list of numbers",
    }
}

/// The columns of a table as the code has them.
fn columns(spec: &TableSpec) -> Value {
    let column = |column: &aml_miner::table::spec::ColumnSpec| {
        let bound = |bound: f64| (bound.abs() < f64::MAX).then_some(bound);
        json!({ "name": column.name, "type": type_name(column.kind), "required": column.required,
            "least": bound(column.min), "most": bound(column.max) })
    };
    json!({ "key": spec.key, "columns": spec.columns.iter().map(column).collect::<Vec<_>>() })
}

#[test]
fn batches_are_those_of_the_package() {
    let cases = [manifests(), tables()].into_iter().flatten().collect::<Vec<_>>();
    let accepted = cases.iter().filter(|case| case.expected["rows"].is_object()).count();
    assert!(accepted >= 7 && cases.len() > 35, "{accepted} of {} are accepted", cases.len());
    let mut contents: Map<String, Value> = Map::new();
    let mut stored = Vec::new();
    for case in &cases {
        let mut files = Map::new();
        for (name, bytes) in &case.files {
            let digest = Digest::of(bytes).to_string();
            files.insert(name.clone(), digest.clone().into());
            contents.insert(digest, STANDARD.encode(bytes).into());
        }
        stored.push(json!({ "name": case.name, "why": case.why, "publisher": case.publisher, "files": files,
            "expected": case.expected }));
    }
    let tables = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS];
    let tables: Map<String, Value> = tables.iter().map(|spec| (spec.name.to_owned(), columns(spec))).collect();
    let shared = vec![("tables", tables.into()), ("contents", contents.into())];
    Vectors { name: "batches.json", pages: &["docs/data.md"], shared, cases: stored }.must_be_stored();
}
