//! The columns of every table of a batch: name, type, range and whether a row may lack them.
//!
//! This list is the single source for the JSON reader and writer, the Parquet reader and writer, the generator and
//! the checks; a column that is not here is unknown everywhere.

mod address;
pub mod words;

pub use address::FEATURES;

/// How a column is stored in Parquet and what its values may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text; absent and empty are the same.
    Text,
    /// One of [`SEVERITIES`].
    Severity,
    /// Calendar day, `YYYY-MM-DD`; held as days since 1970-01-01.
    Date,
    /// Unsigned integer of 8 bits.
    U8,
    /// Unsigned integer of 16 bits.
    U16,
    /// Unsigned integer of 32 bits.
    U32,
    /// Unsigned integer of 64 bits, exact up to 2^53.
    U64,
    /// Milliseconds since the epoch.
    TimestampMs,
    /// Single-precision number (read as the double that was given).
    F32,
    /// Double-precision number.
    F64,
    /// `decimal(38,18)`; read as the nearest double.
    Decimal,
    /// `true` or `false`; held as 1 or 0.
    Bool,
    /// List of text.
    TextList,
    /// List of numbers.
    NumberList,
}

impl ColumnType {
    /// Whether a value is one number (dates, times and flags included).
    #[must_use]
    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Text | Self::Severity | Self::TextList | Self::NumberList)
    }
}

/// Severities in ascending order.
pub const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Position of a severity in [`SEVERITIES`].
#[must_use]
pub fn severity_rank(name: &str) -> Option<usize> {
    SEVERITIES.iter().position(|known| *known == name)
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnSpec {
    /// Name in Parquet and JSON.
    pub name: &'static str,
    /// Older name that the JSON API accepts with the same meaning.
    pub alias: Option<&'static str>,
    /// Storage type.
    pub kind: ColumnType,
    /// Whether every row must have a value.
    pub required: bool,
    /// Smallest allowed value of a number.
    pub min: f64,
    /// Largest allowed value of a number.
    pub max: f64,
}

/// The columns of one table, in the order in which they are written.
#[derive(Debug, PartialEq)]
pub struct TableSpec {
    /// Key in the JSON body and stem of the Parquet file.
    pub name: &'static str,
    /// Column whose values identify a row, where there is one.
    pub key: Option<&'static str>,
    /// The columns.
    pub columns: &'static [ColumnSpec],
}

impl TableSpec {
    /// Index of the column called `name` (not its alias).
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Index of the column that the JSON key `name` means (name or alias).
    #[must_use]
    pub fn position_of_key(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.alias == Some(name))
    }
}

const ANY: (f64, f64) = (f64::MIN, f64::MAX);
const NON_NEGATIVE: (f64, f64) = (0.0, f64::MAX);
const UNIT: (f64, f64) = (0.0, 1.0);
/// Largest integer that no other integer shares its double with.
const EXACT: f64 = 9_007_199_254_740_991.0;

const fn column(name: &'static str, kind: ColumnType, range: (f64, f64)) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind, required: false, min: range.0, max: range.1 }
}

const fn text(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::Text, ANY)
}

const fn required(spec: ColumnSpec) -> ColumnSpec {
    ColumnSpec { required: true, ..spec }
}

const fn aliased(spec: ColumnSpec, alias: &'static str) -> ColumnSpec {
    ColumnSpec { alias: Some(alias), ..spec }
}

const fn count(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::U64, (0.0, EXACT))
}

const fn usd(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::Decimal, NON_NEGATIVE)
}

const fn number(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::F64, ANY)
}

const fn flag(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::Bool, UNIT)
}

const fn time(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::TimestampMs, (-EXACT, EXACT))
}

const WINDOW_DAYS: ColumnSpec = column("window_days", ColumnType::U16, (0.0, 65_535.0));
const PROCESSING_DATE: ColumnSpec = column("processing_date", ColumnType::Date, (-719_162.0, 2_932_896.0));

/// One row is an alert.
pub static ALERTS: TableSpec = TableSpec {
    name: "alerts",
    key: Some("alert_id"),
    columns: &[
        WINDOW_DAYS,
        PROCESSING_DATE,
        required(text("alert_id")),
        text("address"),
        text("typology_type"),
        text("pattern_id"),
        text("pattern_type"),
        column("severity", ColumnType::Severity, ANY),
        text("suspected_address_type"),
        text("suspected_address_subtype"),
        column("alert_confidence_score", ColumnType::F32, UNIT),
        text("description"),
        usd("volume_usd"),
        text("evidence_json"),
        column("risk_indicators", ColumnType::TextList, ANY),
    ],
};

/// One row is a group of related alerts.
pub static CLUSTERS: TableSpec = TableSpec {
    name: "clusters",
    key: Some("cluster_id"),
    columns: &[
        WINDOW_DAYS,
        PROCESSING_DATE,
        required(text("cluster_id")),
        text("cluster_type"),
        text("primary_address"),
        text("pattern_id"),
        text("primary_alert_id"),
        column("related_alert_ids", ColumnType::TextList, ANY),
        column("addresses_involved", ColumnType::TextList, ANY),
        column("total_alerts", ColumnType::U32, (0.0, 4_294_967_295.0)),
        usd("total_volume_usd"),
        column("severity_max", ColumnType::Severity, ANY),
        column("confidence_avg", ColumnType::F32, UNIT),
        time("earliest_alert_timestamp"),
        time("latest_alert_timestamp"),
    ],
};

/// One row is a directed edge between two addresses.
pub static MONEY_FLOWS: TableSpec = TableSpec {
    name: "money_flows",
    key: None,
    columns: &[
        aliased(required(text("from_address")), "source_address"),
        aliased(required(text("to_address")), "dest_address"),
        usd("amount_usd"),
        count("tx_count"),
        time("first_seen"),
        aliased(time("last_seen"), "timestamp"),
        text("asset"),
        column("reciprocity_ratio", ColumnType::F32, ANY),
    ],
};

/// One row is the outcome of an alert.
pub static LABELS: TableSpec = TableSpec {
    name: "labels",
    key: Some("alert_id"),
    columns: &[
        required(text("alert_id")),
        required(flag("confirmed_illicit")),
        column("relevance", ColumnType::U8, (0.0, 2.0)),
        required(time("confirmed_at")),
        text("source"),
    ],
};
