//! When weights are due. Pure: from the chain's rules and what is recorded.

use crate::chain::epoch::{Epoch, in_tempos};
use crate::chain::standing::WeightsStanding;
use crate::chain::types::Block;
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

/// The block since which the weights on chain are as they are. Page, readiness, metrics and alert rules all mean this one.
///
/// It is that of the last confirmed submission. Without one it is that of the hotkey's last update, and no later than our oldest
/// submission on record: commits that never take effect refresh the former. `None` where there is neither.
#[must_use]
pub fn weights_since(last_update: Option<Block>, records: &[WeightsRecord]) -> Option<Block> {
    let confirmed = records.iter().filter_map(|record| match record.state {
        WeightsState::Confirmed { block } => Some(Block(block)),
        _ => None,
    });
    let oldest = || records.iter().map(|record| Block(record.epoch)).min();
    confirmed.max().or_else(|| last_update.map(|update| oldest().map_or(update, |oldest| oldest.min(update))))
}

/// How old the weights on chain are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightsAge {
    /// Since when they are as they are: see [`weights_since`].
    pub since: Block,
    /// In tempos.
    pub tempos: f64,
}

impl WeightsAge {
    /// Their age by a hotkey's standing and its submissions on record.
    #[must_use]
    pub fn of(standing: &WeightsStanding, records: &[WeightsRecord]) -> Option<Self> {
        let since = weights_since(standing.uid.map(|_| standing.last_update), records)?;
        let blocks = standing.block.0.saturating_sub(since.0);
        Some(Self { since, tempos: in_tempos(blocks, standing.rules.tempo) })
    }
}
