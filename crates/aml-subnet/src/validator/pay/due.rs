//! When weights are due. Pure: from the chain's rules and what is recorded.

use crate::chain::epoch::{Epoch, in_tempos};
use crate::chain::standing::WeightsStanding;
use crate::store::records::{WeightsRecord, WeightsState};

/// Commits that may be open at once, by the pallet's rule.
const MAX_OPEN_COMMITS: usize = 10;

/// Whether weights are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now.
    Now,
    /// What is recorded for this epoch has no known end yet.
    Unfinished {
        /// The epoch, by its first block.
        epoch: u64,
    },
    /// Later.
    Later {
        /// Blocks to wait, as far as can be foreseen.
        blocks: u64,
        /// What for.
        because: Because,
    },
}

/// Why weights are not due yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// This epoch has its submission: one a window.
    Submitted,
    /// The subnet's rate limit.
    RateLimit,
    /// As many commits wait for their reveal as the chain allows.
    OpenCommits,
}

impl Because {
    /// In words.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Submitted => "this epoch has its submission",
            Self::RateLimit => "the subnet's rate limit",
            Self::OpenCommits => "ten commits wait for their reveal",
        }
    }
}

/// Whether weights are due at the best block.
#[must_use]
pub fn due(standing: &WeightsStanding, epoch: &Epoch, records: &[WeightsRecord]) -> Due {
    let next_epoch = epoch.blocks_left().max(1);
    match records.iter().find(|record| record.epoch == epoch.first.0) {
        Some(record) if record.state == WeightsState::Planned => return Due::Unfinished { epoch: epoch.first.0 },
        Some(_) => return Due::Later { blocks: next_epoch, because: Because::Submitted },
        None => {}
    }
    let wait = standing.blocks_to_wait();
    if wait > 0 {
        return Due::Later { blocks: wait, because: Because::RateLimit };
    }
    let commits = records.iter().filter(|record| is_commit(&record.state)).count();
    if commits >= MAX_OPEN_COMMITS {
        return Due::Later { blocks: next_epoch, because: Because::OpenCommits };
    }
    Due::Now
}

const fn is_commit(state: &WeightsState) -> bool {
    matches!(state, WeightsState::Committed { .. } | WeightsState::Timelocked { .. })
}

/// Whether a submission has an end that is not known yet.
#[must_use]
pub const fn is_open(state: &WeightsState) -> bool {
    is_commit(state) || matches!(state, WeightsState::Planned)
}

/// Age of the weights on chain in tempos: since the last confirmed submission, or the hotkey's last update.
#[must_use]
pub fn age_in_tempos(standing: &WeightsStanding, last: u64) -> f64 {
    in_tempos(standing.block.0.saturating_sub(last), standing.rules.tempo)
}

/// The block of the last confirmed submission, else of the hotkey's last update.
#[must_use]
pub fn last_block(standing: &WeightsStanding, records: &[WeightsRecord]) -> u64 {
    let confirmed = records.iter().filter_map(|record| match record.state {
        WeightsState::Confirmed { block } => Some(block),
        _ => None,
    });
    confirmed.max().unwrap_or(standing.last_update.0)
}
