//! Submissions of weights as the ledger keeps them: the vector, the plan and how far it has come.

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::chain::plan::WeightsPlan;

/// Where weights go: a subnet and one of its mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeightsTarget {
    /// The subnet.
    pub netuid: u16,
    /// Its mechanism; 0 where there is but one.
    pub mechanism: u8,
}

/// How far a submission of weights has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum WeightsState {
    /// Recorded; nothing was signed, or it is not known what became of it.
    Planned,
    /// A hash commit is on chain, to be revealed.
    Committed {
        /// Block of the commit.
        block: u64,
    },
    /// A timelocked commit is on chain; the chain reveals it.
    Timelocked {
        /// Block of the commit.
        block: u64,
        /// The drand round that opens it.
        round: u64,
        /// The block from which the chain reveals it.
        reveal_from: u64,
    },
    /// The chain shows these weights.
    Confirmed {
        /// The block in which they took effect.
        block: u64,
    },
    /// It can no longer happen.
    Failed {
        /// Why.
        why: String,
    },
}

/// One submission of weights. At most one vector a window: netuid, mechanism and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsRecord {
    /// The epoch it is for, by its first block.
    pub epoch: u64,
    /// SHA-256 of the vector as it goes on chain, as `vector_digest` makes it.
    pub vector: Digest,
    /// What is carried out; with a salt, so secret until revealed.
    pub plan: WeightsPlan,
    /// How far it has come.
    pub state: WeightsState,
    /// When it was recorded.
    pub made_ms: i64,
}
