//! OpenAML's wallets: one wallet is one address with one alert.
//!
//! The dataset has no time, so the wallets are spread over days: sorted by class and a hash of their number and dealt out
//! in turn, so that every day has the dataset's label rate. The first eight of ten days are then a stratified 80 %.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::{ImportError, ImportOptions, Made, day_after, midnight_ms, table_of, write_day};
use crate::data::csv::{Csv, CsvError, read_plain};
use crate::data::days_of;
use crate::data::examine::PROBLEMS_AT_ONCE;
use crate::digest::Digest;
use crate::table::Batch;
use crate::table::cells::from_text;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS};
use crate::table::{Column, Table, TextColumn, excerpt};

/// Decompressed bytes at most: twenty times the published file.
const MAX_BYTES: u64 = 64 << 20;
/// The features are totals over a wallet's life; the format's widest window stands for it.
const WINDOW_DAYS: u16 = 365;
/// Source column and where it goes.
const MAPPING: [(&str, &str); 11] = [
    ("total_transaction_count", "tx_total_count"),
    ("total_transaction_sum", "total_volume_usd"),
    ("from_transaction_count", "tx_out_count"),
    ("from_transaction_sum", "total_out_usd"),
    ("to_transaction_count", "tx_in_count"),
    ("to_transaction_sum", "total_in_usd"),
    ("to_unique_wallet", "unique_recipients_count"),
    ("to_unique_wallet", "degree_out"),
    ("from_unique_wallet", "unique_senders_count"),
    ("from_unique_wallet", "degree_in"),
    ("big_transaction_count", "outlier_transactions"),
];

/// The rows of the source.
struct Wallets {
    names: Vec<String>,
    /// One column for each of the header's between `wallet_id` and `classification`.
    values: Vec<Vec<f64>>,
    ids: Vec<String>,
    illicit: Vec<bool>,
}

/// Imports `raw.csv.gz` (or `raw.csv`) of `source`.
///
/// # Errors
/// When the file is missing or a line of it is wrong.
pub fn import(source: &Path, options: &ImportOptions) -> Result<Vec<PathBuf>, ImportError> {
    let wallets = read(source)?;
    let parts = usize::try_from(options.parts.max(1)).unwrap_or(usize::MAX).min(wallets.ids.len().max(1));
    let order = dealing_order(&wallets);
    let part = |part: usize| order.iter().copied().skip(part).step_by(parts).collect::<Vec<_>>();
    (0..parts)
        .take(options.limit())
        .map(|index| {
            let mut rows = part(index);
            rows.sort_unstable();
            let day = day_after(options.base_date, index as u64);
            let (batch, labels) = tables(&wallets, &rows, day);
            write_day(options, Made { day, window_days: WINDOW_DAYS, network: "ethereum" }, &batch, &labels)
        })
        .collect()
}

fn read(source: &Path) -> Result<Wallets, ImportError> {
    let packed = source.join("raw.csv.gz");
    let path = if packed.is_file() { packed } else { source.join("raw.csv") };
    let bytes = read_plain(&path, MAX_BYTES).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    let shape = |error: CsvError| ImportError::Shape { path: path.clone(), reason: error.to_string() };
    let mut csv = Csv::open(&bytes).map_err(shape)?;
    let ends = (csv.header.first().map(String::as_str), csv.header.last().map(String::as_str));
    if ends != (Some("wallet_id"), Some("classification")) {
        let what = "the header is not wallet_id, ..., classification".to_owned();
        return Err(shape(CsvError { line: 1, what }));
    }
    let names = csv.header[1..csv.header.len() - 1].to_vec();
    let mut wallets = Wallets { values: vec![Vec::new(); names.len()], names, ids: Vec::new(), illicit: Vec::new() };
    let mut problems = Vec::new();
    while problems.len() < PROBLEMS_AT_ONCE {
        match csv.record() {
            Ok(None) => break,
            Ok(Some(record)) => {
                let told = add(&mut wallets, &record.cells).map_err(|what| CsvError { line: record.line, what });
                problems.extend(told.err());
            }
            // After a broken quote no later line is what it seems.
            Err(error) => {
                problems.push(error);
                break;
            }
        }
    }
    if problems.is_empty() {
        return Ok(wallets);
    }
    Err(ImportError::Lines { path, problems })
}

fn add(wallets: &mut Wallets, cells: &[Cow<'_, str>]) -> Result<(), String> {
    let [id, values @ .., class] = cells else { return Err("no cells".to_owned()) };
    let illicit = match class.as_ref() {
        "Positive" => true,
        "Negative" => false,
        other => return Err(format!("classification `{}` is neither Positive nor Negative", excerpt(other))),
    };
    let read = |(column, cell): (usize, &Cow<'_, str>)| {
        from_text(cell).map_err(|problem| format!("{} {problem}", wallets.names[column]))
    };
    let values = values.iter().enumerate().map(read).collect::<Result<Vec<f64>, _>>()?;
    wallets.values.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    wallets.ids.push(id.to_string());
    wallets.illicit.push(illicit);
    Ok(())
}

fn dealing_order(wallets: &Wallets) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wallets.ids.len()).collect();
    order.sort_by_cached_key(|&row| (wallets.illicit[row], Digest::of(wallets.ids[row].as_bytes())));
    order
}

fn tables(wallets: &Wallets, rows: &[usize], day: NaiveDate) -> (Batch, Table) {
    let count = rows.len();
    let of = |prefix: &str| -> Column {
        let texts: Vec<String> = rows.iter().map(|&row| format!("{prefix}{}", wallets.ids[row])).collect();
        Column::Texts(texts.iter().map(String::as_str).collect())
    };
    let illicit: Vec<f64> = rows.iter().map(|&row| f64::from(u8::from(wallets.illicit[row]))).collect();
    let constant = |value: f64| Column::Numbers(vec![value; count]);
    let stamps =
        || vec![("window_days", constant(f64::from(WINDOW_DAYS))), ("processing_date", constant(days_of(day)))];
    let alerts = [stamps(), vec![("alert_id", of("wallet-")), ("address", of("w"))]].concat();
    let mut features = [stamps(), vec![("address", of("w"))]].concat();
    for (from, to) in MAPPING {
        if let Some(position) = wallets.names.iter().position(|name| name == from) {
            let values = rows.iter().map(|&row| wallets.values[position][row]).collect();
            features.push((to, Column::Numbers(values)));
        }
    }
    let labels = vec![
        ("alert_id", of("wallet-")),
        ("relevance", Column::Numbers(illicit.iter().map(|label| label * 2.0).collect())),
        ("confirmed_illicit", Column::Numbers(illicit)),
        ("confirmed_at", constant(midnight_ms(day_after(day, 1)))),
        ("source", Column::Texts((0..count).map(|_| "openaml").collect::<TextColumn>())),
    ];
    let batch = Batch {
        alerts: table_of(&ALERTS, count, alerts),
        features: table_of(&FEATURES, count, features),
        clusters: Table::empty(&CLUSTERS),
        ..Batch::empty()
    };
    (batch, table_of(&LABELS, count, labels))
}
