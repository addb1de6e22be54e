//! Tables as other programs write them: read, or refused by name. Files of the shared cases, and new ones of their kinds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aml_miner::data::{FileLimits, read_table};
use aml_miner::table::Table;
use aml_miner::table::spec::{ALERTS, MONEY_FLOWS};
use polars_arrow::array::{ListArray, NullArray};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};

use crate::batch_kit::Written;
use crate::frame_kit::{self, Frame, Values, numbers, stored, texts};
use crate::shared::shared;

fn batch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-miner-batch")).args(args).output().expect("the command starts")
}

fn verify(path: &Path) -> (Option<i32>, String) {
    let output = batch(&["verify", path.to_str().expect("a path")]);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn case(name: &str) -> Option<PathBuf> {
    shared(&format!("cases/parquet/{name}/2025-10-26_w7"))
}

fn read_flows(name: &str, values: Values) -> Result<Table, String> {
    let ends = || texts(vec!["x"; values.len()]);
    let frame = Frame::of(vec![("from_address", ends()), ("to_address", ends()), (name, values.clone())]);
    let table = read_table(&frame.parquet(), &MONEY_FLOWS, "money_flows.parquet", &FileLimits::default());
    table.map_err(|error| error.to_string())
}

fn read_alerts(name: &str, values: Values) -> Result<Table, String> {
    let ids: Vec<String> = (0..values.len()).map(|row| format!("a{row}")).collect();
    let ids = (name != "alert_id").then(|| ("alert_id", texts(ids)));
    let frame = Frame::of(ids.into_iter().chain([(name, values)]).collect());
    let table = read_table(&frame.parquet(), &ALERTS, "alerts.parquet", &FileLimits::default());
    table.map_err(|error| error.to_string())
}

#[test]
fn a_column_without_a_single_value_is_missing() {
    for name in ["01_pandas_all_none_column", "02_pandas_lists_all_empty", "04_polars_null_column"] {
        let Some(path) = case(name) else { return };
        let (code, said) = verify(&path);
        assert_eq!(code, Some(0), "{name}: {said}");
    }
}

#[test]
fn a_column_without_a_single_value_is_missing_whatever_its_type() {
    let nothing = || NullArray::new(ArrowDataType::Null, 3).boxed();
    for (column, values) in [
        ("address", nothing()),
        ("volume_usd", nothing()),
        ("processing_date", nothing()),
        ("risk_indicators", nothing()),
        ("severity", stored(ArrowDataType::Float64, [None::<f64>; 3])),
        ("address", stored(ArrowDataType::Int64, [None::<i64>; 3])),
        ("risk_indicators", stored(ArrowDataType::Duration(TimeUnit::Second), [None::<i64>; 3])),
    ] {
        let table = read_alerts(column, values).unwrap_or_else(|error| panic!("{column}: {error}"));
        assert_eq!(table.rows(), 3);
    }
    let kind = ListArray::<i64>::default_datatype(ArrowDataType::Null);
    let ends = vec![0_i64, 0, 2, 2].try_into().expect("ascending");
    let lists = ListArray::new(kind, ends, NullArray::new(ArrowDataType::Null, 2).boxed(), None).boxed();
    let table = read_alerts("risk_indicators", lists).expect("lists without a value");
    assert_eq!(table.text_lists("risk_indicators").expect("the column").count(1), 2);
    let missing = read_alerts("alert_id", nothing()).expect_err("every alert has an identifier");
    assert!(missing.contains("row 0: the required value is missing"), "{missing}");
}

#[test]
fn durations_are_refused_by_name_and_never_counted() {
    for name in ["66_duration", "78_polars_duration"] {
        let Some(path) = case(name) else { return };
        let (code, said) = verify(&path);
        assert!(code == Some(1) && said.contains("the stored type is duration["), "{name}: {said}");
        let output = batch(&["inspect", path.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("duration["));
    }
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        for column in ["tx_count", "last_seen", "amount_usd"] {
            let refused = read_flows(column, stored(ArrowDataType::Duration(unit), [Some(1_i64), None]));
            let message = refused.expect_err("a duration");
            assert!(message.contains(&format!("column `{column}`: the stored type is duration[")), "{message}");
        }
    }
}

#[test]
fn a_number_in_a_message_is_short() {
    let Some(path) = case("24_flows_negative") else { return };
    let (code, said) = verify(&path);
    assert_eq!(code, Some(1));
    for line in said.lines() {
        assert!(
            line.contains("amount_usd") && line.contains("is outside 0 to infinity") || line.contains("perhaps more")
        );
        assert!(line.len() < path.as_os_str().len() + 120, "{line}");
    }
    for value in [-1e300, 1e300] {
        let message = read_flows("tx_count", numbers([value])).expect_err("out of range");
        assert!(message.len() < 120, "{message}");
    }
}

#[test]
fn a_time_may_be_text() {
    let table = read_flows(
        "last_seen",
        frame_kit::maybe_texts([
            Some("2025-10-26T08:30:00Z"),
            Some("2025-10-26 10:30:00+02:00"),
            None,
            Some("1761467400000"),
            Some("2025-10-26"),
        ]),
    );
    let table = table.expect("times");
    let times = table.numbers("last_seen").expect("the column");
    assert_eq!(
        (times[0], times[1], times[3], times[4]),
        (1_761_467_400_000.0, 1_761_467_400_000.0, 1_761_467_400_000.0, 1_761_436_800_000.0)
    );
    assert!(times[2].is_nan());
    let message = read_flows("last_seen", texts(["26.10.2025"])).expect_err("no time");
    assert!(message.contains("`26.10.2025` is not a time"), "{message}");
}

#[test]
fn a_time_in_another_unit_is_asked_about() {
    for (value, unit) in [(1_761_467_400_i64, "seconds?"), (1_761_467_400_000_000, "microseconds?")] {
        let message = read_flows("last_seen", numbers([1_761_467_400_000, value])).expect_err("another unit");
        assert!(message.contains("row 1") && message.contains(unit), "{message}");
    }
    let written = Written::small();
    written.rewrite("money_flows.parquet", |frame| frame.put("first_seen", numbers([1_761_467_400_000_i64, 0])));
    let message = written.refusal();
    assert!(message.contains("`first_seen`, row 1: 0 is 1970-01-01") && message.contains("2025-10-26"), "{message}");
    let written = Written::small();
    written.rewrite("labels.parquet", |frame| frame.put("confirmed_at", numbers([1_761_955_200_i64; 2])));
    let message = written.refusal();
    assert!(message.contains("labels.parquet, column `confirmed_at`") && message.contains("seconds?"), "{message}");
}

#[test]
fn up_to_twenty_problems_are_listed_at_once() {
    let written = Written::small();
    written.rewrite("alerts.parquet", |frame| {
        let ids: Vec<String> = (0..40).map(|row| format!("a{row}")).collect();
        let volumes: Vec<f64> = (0..40).map(|row| if row % 4 == 0 { -1.0 } else { 1.0 }).collect();
        let scores: Vec<&str> = (0..40).map(|row| if row == 7 { "x" } else { "0.5" }).collect();
        *frame = Frame::of(vec![
            ("alert_id", texts(ids)),
            ("alert_confidence_score", texts(scores)),
            ("volume_usd", numbers(volumes)),
        ]);
    });
    written.rewrite("features.parquet", |frame| frame.put("degree_in", numbers([-1.0, 0.5])));
    let (code, said) = verify(&written.path());
    assert_eq!(code, Some(1));
    for part in [
        "alerts.parquet, column `alert_confidence_score`, row 7: `x` is not a number",
        "alerts.parquet, column `volume_usd`, row 0:",
        "alerts.parquet, column `volume_usd`, row 36:",
        "features.parquet, column `degree_in`, row 0:",
        "features.parquet, column `degree_in`, row 1: 0.5 is not a whole number",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert_eq!(said.lines().count(), 13, "{said}");
    written.rewrite("features.parquet", |frame| {
        let addresses: Vec<String> = (0..90).map(|row| format!("x{row}")).collect();
        *frame = Frame::of(vec![("address", texts(addresses)), ("degree_in", numbers([-1.0; 90]))]);
    });
    let (_, said) = verify(&written.path());
    assert_eq!(said.lines().count(), 21, "twenty, and that there may be more:\n{said}");
}

#[test]
fn what_spreadsheets_write_is_imported() {
    for (name, rows) in [("gz2", Some(200)), ("bom", None), ("quoted", None)] {
        let Some(source) = shared(&format!("cases/openaml/{name}")) else { return };
        let out = tempfile::tempdir().expect("a folder");
        let target = out.path().to_str().expect("a path");
        let output = batch(&["import", "openaml", source.to_str().expect("a path"), target, "--parts", "1"]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let (code, said) = verify(out.path());
        assert_eq!(code, Some(0), "{said}");
        assert!(rows.is_none_or(|rows| said.contains(&format!("{rows} alerts"))), "{name}: {said}");
    }
}

#[test]
fn every_wrong_line_of_an_import_is_told() {
    let source = tempfile::tempdir().expect("a folder");
    let mut text = "wallet_id;total_transaction_sum;classification\r\n".to_owned();
    for row in 0..30 {
        text.push_str(&format!("w{row};{};Negative\r\n", if row % 10 == 3 { "1,5" } else { "1.5" }));
    }
    std::fs::write(source.path().join("raw.csv"), &text).expect("a file");
    let out = tempfile::tempdir().expect("a folder");
    let output =
        batch(&["import", "openaml", source.path().to_str().expect("a path"), out.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for line in ["line 5: total_transaction_sum `1,5` is not a number", "line 15:", "line 25:"] {
        assert!(said.contains(line), "{line} in:\n{said}");
    }
    assert_eq!(std::fs::read_dir(out.path()).expect("a folder").count(), 0);
}
