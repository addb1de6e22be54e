//! Why a task cannot be made, or not made again.

use aml_miner::digest::Digest;

use crate::store::records::{NotCommon, RoundId};
use crate::wallet::Hotkey;

/// A batch that nothing can be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeTaskError {
    /// No alerts.
    #[error("the batch of round {0} has no alerts: there is nothing to ask")]
    NoAlerts(RoundId),
    /// A defect of ours.
    #[error("the common task of round {round} is none: {source}")]
    Common {
        /// The round.
        round: RoundId,
        /// What does not go together.
        source: NotCommon,
    },
}

/// A stored task that does not belong to what it is resumed with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeTaskError {
    /// Another batch.
    #[error(
        "the task of round {0} is about other alerts than this batch has: resume it with the batch it was made from"
    )]
    Roster(RoundId),
    /// Another pool.
    #[error("the traps of round {round} come from pool {expected}, this is pool {actual}")]
    Pool {
        /// The round.
        round: RoundId,
        /// The task's.
        expected: Digest,
        /// What was given.
        actual: Digest,
    },
    /// Other traps would be drawn.
    #[error(
        "the traps of {hotkey} in round {round} cannot be made again: the task is from another version of this program"
    )]
    Traps {
        /// The round.
        round: RoundId,
        /// Whose.
        hotkey: Hotkey,
    },
    /// Another common task would be made.
    #[error("the common task of round {0} cannot be made again: it is from another version of this program")]
    Common(RoundId),
}
