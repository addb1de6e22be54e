//! Batches of the seeded benchmark generator: the format's tables without a manifest, with labels of its own names.
//!
//! Takes a directory of such tables, or a directory with one of them per day.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, TimeDelta};

use super::{
    ImportError, ImportOptions, Made, day_after, midnight_ms, number, read_source, source_table, table_of, text,
    write_day,
};
use crate::table::Batch;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use crate::table::{Column, Table};

/// Outcomes become known this many days after the alert; the generator says nothing about it.
const KNOWN_AFTER_DAYS: u64 = 14;
/// More days than anybody generates.
const MAX_DAYS: usize = 4_000;

static SOURCE_LABELS: TableSpec = source_table("labels", &[text("alert_id"), number("label")]);

/// Imports the batch in `source`, or every batch in its subdirectories.
///
/// # Errors
/// The first file that is missing or wrong; days before it stay written.
pub fn import(source: &Path, options: &ImportOptions) -> Result<Vec<PathBuf>, ImportError> {
    if source.join("alerts.parquet").is_file() {
        return Ok(vec![import_day(source, options)?]);
    }
    let failed = |error| ImportError::Read { path: source.to_path_buf(), source: error };
    let entries = fs::read_dir(source).map_err(failed)?.take(MAX_DAYS).flatten().map(|entry| entry.path());
    let mut days: Vec<PathBuf> = entries.filter(|path| path.join("alerts.parquet").is_file()).collect();
    days.sort();
    if days.is_empty() {
        let reason = "neither it nor a directory in it holds alerts.parquet".to_owned();
        return Err(ImportError::Shape { path: source.to_path_buf(), reason });
    }
    days.iter().take(options.limit()).map(|day| import_day(day, options)).collect()
}

fn import_day(source: &Path, options: &ImportOptions) -> Result<PathBuf, ImportError> {
    let batch = Batch {
        alerts: read_source(source, &ALERTS)?,
        features: read_source(source, &FEATURES)?,
        clusters: read_source(source, &CLUSTERS)?,
        money_flows: read_source(source, &MONEY_FLOWS)?,
    };
    let first = |name| batch.alerts.numbers(name).and_then(|values| values.first()).copied().filter(|v| !v.is_nan());
    let (Some(day), Some(window)) = (first("processing_date"), first("window_days")) else {
        let reason = "the first row lacks processing_date or window_days".to_owned();
        return Err(ImportError::Shape { path: source.join("alerts.parquet"), reason });
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the columns' ranges")]
    let (day, window) = (TimeDelta::days(day as i64), window as u16);
    let day = NaiveDate::from_epoch_days(0).and_then(|epoch| epoch.checked_add_signed(day)).unwrap_or_default();
    let labels = labels_of(&read_source(source, &SOURCE_LABELS)?, day);
    write_day(options, Made { day, window_days: window, network: "synthetic" }, &batch, &labels)
}

fn labels_of(source: &Table, day: NaiveDate) -> Table {
    let known = midnight_ms(day_after(day, KNOWN_AFTER_DAYS));
    let illicit: Vec<f64> =
        source.numbers("label").unwrap_or_default().iter().map(|&label| f64::from(u8::from(label > 0.5))).collect();
    let relevance = illicit.iter().map(|label| label * 2.0).collect();
    let ids = source.texts("alert_id").cloned().unwrap_or_default();
    let rows = source.rows();
    let columns = vec![
        ("alert_id", Column::Texts(ids)),
        ("confirmed_illicit", Column::Numbers(illicit)),
        ("relevance", Column::Numbers(relevance)),
        ("confirmed_at", Column::Numbers(vec![known; rows])),
        ("source", Column::Texts((0..rows).map(|_| "generator").collect())),
    ];
    table_of(&LABELS, rows, columns)
}
