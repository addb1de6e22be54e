//! OpenAML's wallets: one wallet is one address with one alert.
//!
//! The dataset has no time, so the wallets are spread over days: sorted by class and a hash of their number and dealt out
//! in turn, so that every day has the dataset's label rate. The first eight of ten days are then a stratified 80 %.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use flate2::read::GzDecoder;

use super::{ImportError, ImportOptions, Made, day_after, midnight_ms, table_of, write_day};
use crate::data::days_of;
use crate::digest::Digest;
use crate::table::Batch;
use crate::table::cells::from_text;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS};
use crate::table::{Column, Table, TextColumn};

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
    let failed = |source| ImportError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(failed)?;
    let reader: Box<dyn std::io::Read> =
        if path.extension().is_some_and(|end| end == "gz") { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let shape =
        |line: usize, what: &str| ImportError::Shape { path: path.clone(), reason: format!("line {line}: {what}") };
    let mut lines = BufReader::new(reader.take(MAX_BYTES)).lines();
    let header = lines.next().ok_or_else(|| shape(1, "no header"))?.map_err(failed)?;
    let names: Vec<String> = header.split(',').map(str::to_owned).collect();
    let ends = (names.first().map(String::as_str), names.last().map(String::as_str));
    if ends != (Some("wallet_id"), Some("classification")) {
        return Err(shape(1, "the header is not wallet_id, ..., classification"));
    }
    let names = names[1..names.len() - 1].to_vec();
    let mut wallets = Wallets { values: vec![Vec::new(); names.len()], names, ids: Vec::new(), illicit: Vec::new() };
    for (index, line) in lines.enumerate() {
        let line = line.map_err(failed)?;
        add(&mut wallets, &line).map_err(|what| shape(index + 2, &what))?;
    }
    Ok(wallets)
}

fn add(wallets: &mut Wallets, line: &str) -> Result<(), String> {
    let cells: Vec<&str> = line.split(',').collect();
    if cells.len() != wallets.names.len() + 2 {
        return Err(format!("{} cells, the header has {}", cells.len(), wallets.names.len() + 2));
    }
    let illicit = match cells[cells.len() - 1] {
        "Positive" => true,
        "Negative" => false,
        other => return Err(format!("classification `{other}` is neither Positive nor Negative")),
    };
    for (column, cell) in cells[1..cells.len() - 1].iter().enumerate() {
        let value = from_text(cell).map_err(|problem| format!("{} {problem}", wallets.names[column]))?;
        wallets.values[column].push(value);
    }
    wallets.ids.push(cells[0].to_owned());
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
