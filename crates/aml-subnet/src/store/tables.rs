//! The tables as they travel: what an export writes and an import reads, column by column, in an order in which each
//! row finds those it refers to.

use serde::de::DeserializeOwned;

use super::records::{Answer, Canonical, Counts, Settled, Shares, StandingRecord, Task, Verdict, WeightsState};
use crate::chain::plan::WeightsPlan;
use crate::validation::rules_list::RulesList;
use crate::validation::v2::Constants;
use crate::validation::v2::curve::Curve;

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
    /// A record that may be missing, kept as JSON.
    Note(Check),
    /// A record, kept as compressed JSON.
    Packed(Check),
    /// Bytes that may be missing; base64 in an export.
    Bytes(Bytes),
}

/// How bytes are kept.
#[derive(Clone, Copy)]
pub(super) struct Bytes {
    /// Whether compressed.
    pub(super) packed: bool,
    /// The column that has their SHA-256.
    pub(super) digest: &'static str,
}

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// What makes its order the same everywhere.
    pub(super) key: &'static str,
    /// How many of the columns it had in the first version of the schema; 0 for a table that is newer.
    pub(super) first: usize,
}

impl Table {
    /// The columns that it has in a version of the schema; none where that version does not have the table.
    pub(super) fn columns_in(&self, schema: i64) -> &'static [(&'static str, Kind)] {
        if schema < 2 { self.columns.get(..self.first).unwrap_or_default() } else { self.columns }
    }

    /// Whether its rows are small enough to be held by the hundred.
    pub(super) fn is_light(&self) -> bool {
        let heavy = |kind: &Kind| matches!(kind, Kind::Packed(_) | Kind::Json(_) | Kind::Bytes(_));
        self.name != BODIES && self.columns.iter().all(|(_, kind)| !heavy(kind))
    }
}

fn reads<T: DeserializeOwned>(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<T>(text).map(drop)
}

/// The bodies' own table; their contents travel as files.
pub(super) const BODIES: &str = "bodies";

/// All tables but those that describe the ledger itself.
pub(super) const TABLES: [Table; 19] = [
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
            ("rules_list", Kind::Note(reads::<RulesList>)),
            ("constants", Kind::Note(reads::<Constants>)),
            ("opening_ms", Kind::Integer),
            ("beacon", Kind::Note(reads::<serde_json::Value>)),
            ("held_ms", Kind::Integer),
            ("held_why", Kind::Text),
            ("extended_ms", Kind::Integer),
            ("void_ms", Kind::Integer),
            ("void_why", Kind::Text),
            ("late_ms", Kind::Integer),
            ("late_why", Kind::Text),
            ("adopted", Kind::Text),
            ("outcomes_ms", Kind::Integer),
        ],
        key: "id",
        first: 14,
    },
    Table {
        name: "tasks",
        columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Task>))],
        key: "round",
        first: 2,
    },
    Table {
        name: BODIES,
        columns: &[
            ("digest", Kind::Text),
            ("bytes", Kind::Integer),
            ("stored", Kind::Integer),
            ("swept_ms", Kind::Integer),
        ],
        key: "digest",
        first: 4,
    },
    Table {
        name: "answers",
        columns: &[
            ("round", Kind::Text),
            ("hotkey", Kind::Text),
            ("body", Kind::Text),
            ("asked_ms", Kind::Integer),
            ("record", Kind::Json(reads::<Answer>)),
            ("cipher", Kind::Text),
            ("not_asked", Kind::Integer),
        ],
        key: "round, hotkey",
        first: 5,
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
            ("advantage", Kind::Real),
        ],
        key: "round, hotkey",
        first: 6,
    },
    Table {
        name: "canonical",
        columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Canonical>))],
        key: "round",
        first: 2,
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
        first: 7,
    },
    Table {
        name: "settled",
        columns: &[("round", Kind::Text), ("packed", Kind::Packed(reads::<Settled>))],
        key: "round",
        first: 2,
    },
    Table {
        name: "settlements",
        columns: &[("round", Kind::Text), ("hotkey", Kind::Text), ("tier3", Kind::Real)],
        key: "round, hotkey",
        first: 3,
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
        first: 5,
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
        first: 7,
    },
    Table {
        name: "files",
        columns: &[
            ("round", Kind::Text),
            ("name", Kind::Text),
            ("digest", Kind::Text),
            ("decoded", Kind::Text),
            ("bytes", Kind::Integer),
            ("swept_ms", Kind::Integer),
            ("content", Kind::Bytes(Bytes { packed: false, digest: "digest" })),
        ],
        key: "round, name",
        first: 0,
    },
    Table {
        name: "outcomes",
        columns: &[
            ("round", Kind::Text),
            ("place", Kind::Integer),
            ("seen_ms", Kind::Integer),
            ("address", Kind::Text),
            ("illicit", Kind::Integer),
            ("relevance", Kind::Integer),
            ("confirmed_ms", Kind::Integer),
            ("replaced_ms", Kind::Integer),
        ],
        key: "round, place, seen_ms",
        first: 0,
    },
    Table {
        name: "columns",
        columns: &[
            ("round", Kind::Text),
            ("name", Kind::Text),
            ("alerts", Kind::Integer),
            ("worths_sha256", Kind::Text),
            ("scores_sha256", Kind::Text),
            ("swept_ms", Kind::Integer),
            ("worths", Kind::Bytes(Bytes { packed: true, digest: "worths_sha256" })),
            ("scores", Kind::Bytes(Bytes { packed: true, digest: "scores_sha256" })),
        ],
        key: "round, name",
        first: 0,
    },
    Table {
        name: "curves",
        columns: &[("round", Kind::Text), ("curve", Kind::Json(reads::<Option<Curve>>))],
        key: "round",
        first: 0,
    },
    Table {
        name: "counts",
        columns: &[("round", Kind::Text), ("hotkey", Kind::Text), ("record", Kind::Json(reads::<Counts>))],
        key: "round, hotkey",
        first: 0,
    },
    Table {
        name: "standings",
        columns: &[
            ("round", Kind::Text),
            ("made_ms", Kind::Integer),
            ("packed", Kind::Packed(reads::<StandingRecord>)),
        ],
        key: "round, made_ms",
        first: 0,
    },
    Table {
        name: "shares",
        columns: &[("round", Kind::Text), ("made_ms", Kind::Integer), ("packed", Kind::Packed(reads::<Shares>))],
        key: "round, made_ms",
        first: 0,
    },
    Table {
        name: "canonical_beside",
        columns: &[("round", Kind::Text), ("rules", Kind::Text), ("packed", Kind::Packed(reads::<Canonical>))],
        key: "round, rules",
        first: 0,
    },
];
