//! Sealed answers and openings as the ledger keeps them.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::beacon::{BeaconRound, OpeningRule};

/// When a round is opened, and by which rule; recorded with its task, before anybody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// The rule.
    pub rule: OpeningRule,
    /// When, in seconds since 1970.
    pub opening_s: u64,
    /// The beacon's round of that time.
    pub beacon: BeaconRound,
}

/// An answer that arrived sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedAnswer {
    /// SHA-256 of what arrived, which is kept under it.
    pub cipher: Digest,
    /// Its length.
    pub bytes: u64,
    /// The round that its signature names.
    pub beacon: BeaconRound,
    /// SHA-256 of the plain answer, as its signature names it.
    pub plain: Digest,
    /// What became of it.
    pub state: SealedState,
}

/// What became of a sealed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SealedState {
    /// It is not opened yet.
    Waits,
    /// It was opened.
    Opened {
        /// Whether the miner gave the plain answer, because the beacon stayed away.
        by_miner: bool,
    },
    /// It does not count.
    Spoiled {
        /// A stable code.
        code: String,
        /// In words.
        why: String,
    },
}

impl SealedState {
    /// Why it does not count, or not yet.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Waits => Some("sealed: it is not opened yet".to_owned()),
            Self::Opened { .. } => None,
            Self::Spoiled { code, why } => Some(format!("sealed: {code}: {why}")),
        }
    }
}

/// The beacon's signatures that a round was opened with, in hex, by round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulses {
    /// By round, written `BEACON:ROUND`.
    pub signatures: BTreeMap<String, String>,
}
