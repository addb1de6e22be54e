//! Writes rows as bytes: JSON, CSV (RFC 4180) and Parquet. The same rows give the same bytes.

use std::fmt;
use std::fmt::Write as _;

use aml_miner::data::to_parquet;
use aml_miner::wire::{Column, ColumnSpec, ColumnType, Table, TableSpec, TextColumn, TextLists};
use serde::{Deserialize, Serialize};

use super::rows::CanonicalRow;

/// How canonical scores are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One array of objects.
    Json,
    /// A header and one line per row, as in RFC 4180.
    Csv,
    /// One Parquet file.
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Parquet];

    /// Name in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Name of its file.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Json => "canonical.json",
            Self::Csv => "canonical.csv",
            Self::Parquet => "canonical.parquet",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Rows that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As JSON.
    #[error("cannot write canonical scores as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// As Parquet.
    #[error(transparent)]
    Parquet(#[from] aml_miner::data::EncodeError),
}

/// The file with the calibration of a round's probabilities.
pub const CALIBRATION_FILE: &str = "calibration.json";

/// Every file that a published round may have beside its manifest.
pub(super) fn is_known(name: &str) -> bool {
    name == CALIBRATION_FILE || Format::ALL.iter().any(|format| format.file() == name)
}

/// The file that holds `rows`.
///
/// # Errors
/// When a value has no such form; there is none that a canonical score could have.
pub fn encode(rows: &[CanonicalRow], format: Format) -> Result<Vec<u8>, EncodeError> {
    encode_columns(rows, format, Columns::of(rows))
}

/// Which columns are written: those of rounds with reasons have two more, whether any row is left or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Without reasons.
    Plain,
    /// With reasons.
    Reasons,
}

impl Columns {
    /// The columns of a round with these rows.
    #[must_use]
    pub fn of(rows: &[CanonicalRow]) -> Self {
        if rows.iter().any(|row| row.reasons.is_some()) { Self::Reasons } else { Self::Plain }
    }

    fn spec(self) -> &'static TableSpec {
        match self {
            Self::Plain => &CANONICAL,
            Self::Reasons => &WITH_REASONS,
        }
    }
}

/// As [`encode`], of some rows of a round with these columns.
///
/// # Errors
/// As there.
pub fn encode_columns(rows: &[CanonicalRow], format: Format, columns: Columns) -> Result<Vec<u8>, EncodeError> {
    match format {
        Format::Json => Ok(serde_json::to_vec(rows)?),
        Format::Csv => Ok(csv(rows, columns).into_bytes()),
        Format::Parquet => Ok(to_parquet(&table(rows, columns))?),
    }
}

/// The columns of rounds that were published without reasons, in the order of [`CanonicalRow`].
pub static CANONICAL: TableSpec = TableSpec { name: "canonical", key: Some("alert_id"), columns: &COLUMNS };
/// The columns of rounds with reasons: the same, and two behind them.
pub static WITH_REASONS: TableSpec = TableSpec {
    name: "canonical",
    key: Some("alert_id"),
    columns: &[
        COLUMNS[0],
        COLUMNS[1],
        COLUMNS[2],
        COLUMNS[3],
        COLUMNS[4],
        COLUMNS[5],
        COLUMNS[6],
        COLUMNS[7],
        COLUMNS[8],
        COLUMNS[9],
        COLUMNS[10],
        column("reason_codes", ColumnType::TextList, 0.0, 0.0),
        column("reasons", ColumnType::TextList, 0.0, 0.0),
    ],
};

const COLUMNS: [ColumnSpec; 11] = [
    column("alert_id", ColumnType::Text, 0.0, 0.0),
    column("address", ColumnType::Text, 0.0, 0.0),
    column("typology", ColumnType::Text, 0.0, 0.0),
    column("severity", ColumnType::Text, 0.0, 0.0),
    column("score", ColumnType::F64, 0.0, 1.0),
    column("deviation", ColumnType::F64, 0.0, 1.0),
    column("miners", ColumnType::U32, 0.0, 4_294_967_295.0),
    column("rank", ColumnType::U32, 1.0, 4_294_967_295.0),
    optional(column("probability", ColumnType::F64, 0.0, 1.0)),
    optional(column("probability_low", ColumnType::F64, 0.0, 1.0)),
    optional(column("probability_high", ColumnType::F64, 0.0, 1.0)),
];

/// The reasons of a row as texts: which way each moved the scores, then its sentence.
fn told(row: &CanonicalRow) -> impl Iterator<Item = String> {
    row.reasons.iter().flatten().map(|reason| format!("{}: {}", reason.effect.name(), reason.text))
}

const fn column(name: &'static str, kind: ColumnType, min: f64, max: f64) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind, required: true, min, max }
}

const fn optional(column: ColumnSpec) -> ColumnSpec {
    ColumnSpec { required: false, ..column }
}

fn table(rows: &[CanonicalRow], written: Columns) -> Table {
    let texts = |of: fn(&CanonicalRow) -> &str| Some(Column::Texts(rows.iter().map(of).collect::<TextColumn>()));
    let numbers = |of: fn(&CanonicalRow) -> f64| Some(Column::Numbers(rows.iter().map(of).collect()));
    let mut columns = vec![
        texts(|row| &row.alert_id),
        texts(|row| &row.address),
        texts(|row| &row.typology),
        texts(|row| &row.severity),
        numbers(|row| row.score),
        numbers(|row| row.deviation),
        numbers(|row| f64::from(row.miners)),
        numbers(|row| f64::from(row.rank)),
        numbers(|row| row.probability.unwrap_or(f64::NAN)),
        numbers(|row| row.probability_low.unwrap_or(f64::NAN)),
        numbers(|row| row.probability_high.unwrap_or(f64::NAN)),
    ];
    if written == Columns::Plain {
        return Table::new(written.spec(), rows.len(), columns, Vec::new());
    }
    let (mut codes, mut reasons) = (TextLists::default(), TextLists::default());
    for row in rows {
        row.reason_codes.iter().flatten().for_each(|code| codes.push_item(code));
        codes.end_row();
        told(row).for_each(|text| reasons.push_item(&text));
        reasons.end_row();
    }
    columns.extend([Some(Column::TextLists(codes)), Some(Column::TextLists(reasons))]);
    Table::new(written.spec(), rows.len(), columns, Vec::new())
}

/// Between the items of a list in a cell of a CSV file.
const BETWEEN: &str = "; ";

fn csv(rows: &[CanonicalRow], columns: Columns) -> String {
    let names: Vec<&str> = columns.spec().columns.iter().map(|column| column.name).collect();
    let mut out = names.join(",");
    out.push_str("\r\n");
    for row in rows {
        for text in [&row.alert_id, &row.address, &row.typology, &row.severity] {
            quote(&mut out, text);
            out.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{},{},{},{}", row.score, row.deviation, row.miners, row.rank);
        for told in [row.probability, row.probability_low, row.probability_high] {
            let _ = match told {
                Some(told) => write!(out, ",{told}"),
                None => write!(out, ","),
            };
        }
        if columns == Columns::Reasons {
            out.push(',');
            quote(&mut out, &row.reason_codes.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(BETWEEN));
            out.push(',');
            quote(&mut out, &told(row).collect::<Vec<_>>().join(BETWEEN));
        }
        out.push_str("\r\n");
    }
    out
}

fn quote(out: &mut String, text: &str) {
    if text.contains(['"', ',', '\r', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}
