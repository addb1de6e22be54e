//! The tables as they travel: what an export writes and an import reads, column by column, in an order in which each
//! row finds those it refers to.

use serde::de::DeserializeOwned;

use super::records::{Answer, Canonical, Settled, Task, Verdict, WeightsState};
use crate::chain::plan::WeightsPlan;

/// Says what is wrong with a record.
pub(super) type Check = fn(&str) -> Result<(), serde_json::Error>;

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// A record, kept as JSON.
    Json(Check),
    /// A record, kept as compressed JSON.
    Packed(Check),
}

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// What makes its order the same everywhere.
    pub(super) key: &'static str,
}

impl Table {
    /// Whether its rows are small enough to be held by the hundred.
    pub(super) fn is_light(&self) -> bool {
        self.name != BODIES && self.columns.iter().all(|(_, kind)| !matches!(kind, Kind::Packed(_) | Kind::Json(_)))
    }
}

/// How many rows are inserted at once.
pub(super) const ROWS: usize = 500;

/// `INSERT` of many rows.
pub(super) fn insert(table: &str, columns: &[&str], rows: usize) -> String {
    let width = columns.len();
    let values = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let values: Vec<String> = (0..rows).map(values).collect();
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), values.join(", "))
}

fn reads<T: DeserializeOwned>(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<T>(text).map(drop)
}

/// The bodies' own table; their contents travel as files.
pub(super) const BODIES: &str = "bodies";

/// All tables but those that describe the ledger itself.
pub(super) const TABLES: [Table; 11] = [
    Table {
        name: "rounds",
        columns: &[
            ("id", Kind::Text),
            ("netuid", Kind::Integer),
            ("day", Kind::Integer),
            ("window_days", Kind::Integer),
            ("step", Kind::Integer),
            ("rules", Kind::Text),
            ("shadow", Kind::Integer),
            ("batch", Kind::Text),
            ("alerts", Kind::Integer),
            ("opened_ms", Kind::Integer),
            ("deadline_ms", Kind::Integer),
            ("commitment", Kind::Text),
            ("published_ms", Kind::Integer),
            ("settled_ms", Kind::Integer),
        ],
        key: "id",
    },
    Table { name: "tasks", columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Task>))], key: "round" },
    Table {
        name: BODIES,
        columns: &[
            ("digest", Kind::Text),
            ("bytes", Kind::Integer),
            ("stored", Kind::Integer),
            ("swept_ms", Kind::Integer),
        ],
        key: "digest",
    },
    Table {
        name: "answers",
        columns: &[
            ("round", Kind::Text),
            ("hotkey", Kind::Text),
            ("body", Kind::Text),
            ("asked_ms", Kind::Integer),
            ("record", Kind::Json(reads::<Answer>)),
        ],
        key: "round, hotkey",
    },
    Table {
        name: "verdicts",
        columns: &[
            ("round", Kind::Text),
            ("hotkey", Kind::Text),
            ("accepted", Kind::Integer),
            ("tier1", Kind::Real),
            ("tier2", Kind::Real),
            ("record", Kind::Json(reads::<Verdict>)),
        ],
        key: "round, hotkey",
    },
    Table {
        name: "canonical",
        columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Canonical>))],
        key: "round",
    },
    Table {
        name: "alerts",
        columns: &[
            ("address", Kind::Text),
            ("round", Kind::Text),
            ("place", Kind::Integer),
            ("alert_id", Kind::Text),
            ("typology", Kind::Text),
            ("severity", Kind::Text),
            ("score", Kind::Real),
        ],
        key: "address, round, place",
    },
    Table {
        name: "settled",
        columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Settled>))],
        key: "round",
    },
    Table {
        name: "settlements",
        columns: &[("round", Kind::Text), ("hotkey", Kind::Text), ("tier3", Kind::Real)],
        key: "round, hotkey",
    },
    Table {
        name: "miners",
        columns: &[
            ("hotkey", Kind::Text),
            ("first_seen_ms", Kind::Integer),
            ("receipt_key", Kind::Text),
            ("failures", Kind::Integer),
            ("next_try_ms", Kind::Integer),
        ],
        key: "hotkey",
    },
    Table {
        name: "weights",
        columns: &[
            ("netuid", Kind::Integer),
            ("mechanism", Kind::Integer),
            ("epoch", Kind::Integer),
            ("vector", Kind::Text),
            ("plan", Kind::Json(reads::<WeightsPlan>)),
            ("state", Kind::Json(reads::<WeightsState>)),
            ("made_ms", Kind::Integer),
        ],
        key: "netuid, mechanism, epoch",
    },
];
