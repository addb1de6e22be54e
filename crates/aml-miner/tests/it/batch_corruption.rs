//! Every kind of damage is refused with the file, the column and the row that show it.

use std::fs;

use aml_miner::data::{BatchDir, FileLimits, FileProblem, TableError, read_table, write_batch};
use aml_miner::wire::spec::ALERTS;
use proptest::prelude::*;

use crate::batch_kit::{Written, files_of};
use crate::frame_kit::{Frame, Values, lists_of_one, maybe_texts, numbers, texts};

#[test]
fn a_cut_file_is_refused() {
    let written = Written::small();
    written.edit("features.parquet", |bytes| bytes.truncate(bytes.len() / 2));
    let message = written.refusal();
    assert!(message.contains("features.parquet has") && message.contains("cut or replaced"), "{message}");
}

#[test]
fn a_changed_byte_is_refused() {
    let written = Written::small();
    written.edit("money_flows.parquet", |bytes| bytes[40] ^= 1);
    assert!(written.refusal().contains("money_flows.parquet has SHA-256"), "{}", written.refusal());
}

#[test]
fn swapped_files_are_refused() {
    let written = Written::small();
    let (alerts, features) = (written.path().join("alerts.parquet"), written.path().join("features.parquet"));
    let first = fs::read(&alerts).expect("readable");
    let second = fs::read(&features).expect("readable");
    written.put("alerts.parquet", &second, 2);
    written.put("features.parquet", &first, 3);
    assert_eq!(written.refusal(), "alerts.parquet, column `alert_id`: the required column is missing");
}

#[test]
fn a_missing_file_is_refused() {
    let written = Written::small();
    fs::remove_file(written.path().join("clusters.parquet")).expect("removable");
    assert!(written.refusal().contains("clusters.parquet"), "{}", written.refusal());
    written.edit_manifest(|manifest| {
        manifest.files.remove("clusters.parquet");
    });
    assert_eq!(written.refusal(), "META.json does not name clusters.parquet, which every batch has");
}

#[test]
fn a_wrong_number_of_rows_is_refused() {
    let written = Written::small();
    written.edit_manifest(|manifest| manifest.files.get_mut("alerts.parquet").expect("named").rows = 4);
    assert_eq!(written.refusal(), "alerts.parquet has 3 rows, META.json says 4");
}

#[test]
fn reordered_columns_are_the_same_batch() {
    let written = Written::small();
    let before = written.must_load();
    written.rewrite("alerts.parquet", Frame::reverse);
    let after = written.must_load();
    crate::batch_kit::assert_same(&before.batch.alerts, &after.batch.alerts);
}

#[test]
fn a_renamed_column_is_named_and_kept_out() {
    let written = Written::small();
    written.rewrite("alerts.parquet", |frame| frame.rename("volume_usd", "volume"));
    let loaded = written.must_load();
    assert!(loaded.batch.alerts.numbers("volume_usd").is_none());
    assert_eq!(loaded.batch.alerts.unknown_columns(), ["volume"]);
    written.rewrite("alerts.parquet", |frame| frame.rename("alert_id", "id"));
    assert_eq!(written.refusal(), "alerts.parquet, column `alert_id`: the required column is missing");
}

#[test]
fn a_wrong_type_is_refused() {
    let cases: [(&str, Values, &str); 5] = [
        ("severity", numbers([1_i64, 2, 3]), "column `severity`: the stored type is i64, wanted is text"),
        ("volume_usd", texts(["1", "2,5", "3"]), "column `volume_usd`, row 1: `2,5` is not a number"),
        ("risk_indicators", texts(["a", "b", "c"]), "wanted is a list of text"),
        ("processing_date", numbers([20_387_i64; 3]), "wanted is a date"),
        ("processing_date", texts(["2025-10-26", "2025-10-26", "26/10/2025"]), "row 2: `26/10/2025`"),
    ];
    for (column, values, expected) in cases {
        let written = Written::small();
        written.rewrite("alerts.parquet", |frame| frame.put(column, values));
        let message = written.refusal();
        assert!(message.starts_with("alerts.parquet, column") && message.contains(expected), "{message}");
    }
}

#[test]
fn a_bad_cell_is_refused_with_its_row() {
    let cases: [(&str, &str, Values, &str); 9] = [
        ("alerts", "volume_usd", numbers([1.0, f64::NAN, 2.0]), "column `volume_usd`, row 1: NaN"),
        ("alerts", "volume_usd", numbers([1.0, 2.0, f64::INFINITY]), "column `volume_usd`, row 2: inf"),
        ("alerts", "volume_usd", numbers([1.0, 2.0, -3.5]), "row 2: -3.5 is outside 0 to"),
        ("alerts", "alert_confidence_score", numbers([0.1, 1.5, 2.0]), "row 1: 1.5 is outside 0 to 1"),
        ("alerts", "severity", texts(["low", "High", "low"]), "row 1: `High` is not a severity"),
        ("alerts", "alert_id", texts(["a", "b", "a"]), "column `alert_id`, row 2: `a` stands already in row 0"),
        ("alerts", "alert_id", maybe_texts([Some("a"), None, Some("b")]), "row 1: the required value is missing"),
        ("features", "address", texts(["x", "x"]), "column `address`, row 1: `x` stands already in row 0"),
        ("features", "degree_in", numbers([1.0, 2.5]), "column `degree_in`, row 1: 2.5 is not a whole number"),
    ];
    for (table, column, values, expected) in cases {
        let written = Written::small();
        let file = format!("{table}.parquet");
        written.rewrite(&file, |frame| frame.put(column, values));
        let message = written.refusal();
        assert!(message.starts_with(&file) && message.contains(expected), "{message}\n  wanted: {expected}");
    }
}

#[test]
fn a_text_that_ends_early_elsewhere_is_refused_in_every_column() {
    let cases = [
        ("alerts", "alert_id", texts(["a", "b\0c", "d"]), "column `alert_id`, row 1"),
        ("alerts", "address", texts(["x", "y", "\0"]), "column `address`, row 2"),
        ("alerts", "typology_type", texts(["s\0", "s", "s"]), "column `typology_type`, row 0"),
        ("alerts", "risk_indicators", lists_of_one(["a", "b\0", "c"]), "column `risk_indicators`, row 1"),
    ];
    for (table, column, values, expected) in cases {
        let written = Written::small();
        let file = format!("{table}.parquet");
        written.rewrite(&file, |frame| frame.put(column, values));
        let message = written.refusal();
        assert!(message.contains(expected) && message.contains("U+0000"), "{message}\n  wanted: {expected}");
    }
    let mut batch = crate::batch_kit::small_batch();
    let address = ALERTS.position("address").expect("a column");
    batch.alerts.set_column(address, Some(crate::batch_kit::texts(["x", "y\0", "z"])));
    let folder = tempfile::tempdir().expect("a folder");
    let refused = write_batch(&folder.path().join("batch"), &batch, None, &crate::batch_kit::options());
    let message = refused.expect_err("it could not be read again").to_string();
    assert!(message.contains("column `address`, row 1") && message.contains("U+0000"), "{message}");
}

#[test]
fn a_number_that_no_double_holds_is_refused() {
    let written = Written::small();
    written.rewrite("money_flows.parquet", |frame| frame.put("tx_count", numbers([1_i64, (1 << 53) + 1])));
    assert_eq!(
        written.refusal(),
        "money_flows.parquet, column `tx_count`, row 1: 9007199254740993 cannot be held exactly by a double"
    );
}

#[test]
fn a_row_of_another_day_is_refused() {
    let written = Written::small();
    let days = texts(["2025-10-26", "2025-10-26", "2025-10-25"]);
    written.rewrite("alerts.parquet", |frame| frame.put("processing_date", days));
    assert_eq!(
        written.refusal(),
        "alerts.parquet, column `processing_date`, row 2: 2025-10-25, but the manifest says 2025-10-26"
    );
}

#[test]
fn bounds_hold_before_bytes_are_read() {
    let written = Written::small();
    let refusal = |limits: FileLimits| {
        let loaded = BatchDir::open_within(written.path(), limits).and_then(|directory| directory.load());
        loaded.expect_err("over a bound").to_string()
    };
    let usual = FileLimits::default();
    assert!(refusal(FileLimits { manifest_bytes: 10, ..usual }).contains("META.json has"));
    assert!(refusal(FileLimits { file_bytes: 100, ..usual }).contains("at most 100 are accepted"));
    assert!(refusal(FileLimits { rows: 1, ..usual }).contains("the number of rows is"));
    assert!(refusal(FileLimits { columns: 1, ..usual }).contains("the number of columns is"));
    assert!(refusal(FileLimits { page_bytes: 10, ..usual }).contains("the size of all pages is"));
    assert!(refusal(FileLimits { one_page_bytes: 10, ..usual }).contains("the size of a page is"));
    assert!(refusal(FileLimits { values: 1, ..usual }).contains("the number of values of a column is"));
    assert!(refusal(FileLimits { text_bytes: 2, ..usual }).contains("the size of all text is"));
    assert!(refusal(FileLimits { one_text_bytes: 1, ..usual }).contains("a text of 2 bytes, at most 1"));
    assert!(refusal(FileLimits { files: 2, ..usual }).contains("names 5 files"));
}

#[test]
fn a_small_file_cannot_become_a_large_table() {
    let written = Written::small();
    written.rewrite("alerts.parquet", |frame| {
        let ids: Vec<String> = (0..500).map(|row| format!("a{row}")).collect();
        let long = vec!["x".repeat(60_000); ids.len()];
        *frame = Frame::of(vec![("alert_id", texts(ids)), ("description", texts(long))]);
    });
    let length = fs::metadata(written.path().join("alerts.parquet")).expect("a file").len();
    assert!(length < 100_000, "30 MB of text are a small file: {length}");
    let limits = FileLimits { text_bytes: 1 << 24, ..FileLimits::default() };
    let loaded = BatchDir::open_within(written.path(), limits).and_then(|directory| directory.load());
    let message = loaded.expect_err("over a bound").to_string();
    assert!(message.contains("at most 16777216 is accepted"), "{message}");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let written = Written::small();
    let outside = written.root.path().join("outside.parquet");
    fs::rename(written.path().join("alerts.parquet"), &outside).expect("movable");
    std::os::unix::fs::symlink(&outside, written.path().join("alerts.parquet")).expect("a link");
    assert!(written.refusal().contains("not a regular file"), "{}", written.refusal());
}

#[test]
fn a_file_cut_behind_a_fitting_manifest_is_refused() {
    let whole = small_alerts();
    for length in 0..whole.len() {
        let error = read_table(&whole[..length], &ALERTS, "alerts.parquet", &FileLimits::default());
        let message = error.expect_err("a cut file").to_string();
        assert!(message.starts_with("alerts.parquet: not a readable Parquet file"), "cut at {length}: {message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_of_any_kind_end_in_a_table_or_an_error(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        from_end in prop::bool::weighted(0.7),
    ) {
        let mut bytes = small_alerts().clone();
        let length = bytes.len();
        for (index, byte) in edits {
            // The footer is where a byte decides most.
            let position = if from_end { length - 1 - index.index(length.min(1200)) } else { index.index(length) };
            bytes[position] = byte;
        }
        if let Err(TableError::File { problem: FileProblem::TooLarge { found, limit, .. }, .. }) =
            read_table(&bytes, &ALERTS, "alerts.parquet", &FileLimits::default())
        {
            prop_assert!(found > limit);
        }
    }
}

fn small_alerts() -> &'static Vec<u8> {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| files_of(&Written::small().path())["alerts.parquet"].clone())
}
