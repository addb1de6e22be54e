//! The columns of a state's file.

use crate::table::spec::{ColumnSpec, ColumnType, TableSpec};

/// Days from the year 0 to the year 9999.
const DAYS: (f64, f64) = (-719_162.0, 2_932_896.0);

const fn column(name: &'static str, kind: ColumnType, (min, max): (f64, f64)) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind, required: true, min, max }
}

const fn list(name: &'static str) -> ColumnSpec {
    ColumnSpec { required: false, ..column(name, ColumnType::NumberList, (f64::MIN, f64::MAX)) }
}

/// One row is what earlier days say of an address. The first three columns say the same in every row.
pub static HISTORY: TableSpec = TableSpec {
    name: "history",
    key: Some("address"),
    columns: &[
        column("state_version", ColumnType::U8, (0.0, 255.0)),
        column("first_day", ColumnType::Date, DAYS),
        column("last_day", ColumnType::Date, DAYS),
        column("address", ColumnType::Text, (f64::MIN, f64::MAX)),
        list("alert_days"),
        list("alert_counts"),
        list("alert_severities"),
        list("seen_days"),
        list("seen_volume_usd"),
    ],
};
