//! How long a miner that does not answer is left alone.

use serde::{Deserialize, Serialize};

/// A miner that failed the last times it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dormancy {
    /// How many times in a row.
    pub failures: u32,
    /// Until when it is left alone.
    pub next_try_ms: i64,
}
