//! When a timelocked commit opens: the drand round of the block in which the chain will look for it.
//!
//! Pure. Two generations of runtimes schedule epochs differently: by block number modulo the tempo, or by state
//! that is carried from epoch to epoch. The round is that of three blocks after the first block of the revealing
//! epoch, so that the randomness is public when the chain needs it.

use std::time::Duration;

/// First second of drand's quicknet.
pub const GENESIS_SECONDS: u64 = 1_692_803_367;
/// Seconds between two rounds.
pub const PERIOD_SECONDS: u64 = 3;
/// Blocks between the start of the revealing epoch and the round.
const MARGIN_BLOCKS: u64 = 3;
/// Blocks without an epoch after which a runtime with stateful epochs forces one.
const MAX_EPOCH_BLOCKS: u64 = 50_400;
/// Epochs simulated at most: a reveal period is a small number on every subnet.
const MAX_REVEAL_PERIOD: u64 = 100;

/// How the runtime schedules epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// `(block + netuid + 1) % (tempo + 1) == 0`.
    Modulo {
        /// The subnet, which shifts its epochs.
        netuid: u16,
    },
    /// Kept in storage and moved on by each epoch.
    Stateful {
        /// `LastEpochBlock`.
        last_epoch_block: u64,
        /// `PendingEpochAt`; 0 when none is pending.
        pending_epoch_at: u64,
        /// `BlocksSinceLastStep`.
        blocks_since_last_step: u64,
    },
}

/// What the round depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The current block; the commit lands in the next one.
    pub block: u64,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// Epochs between commit and reveal.
    pub reveal_period: u64,
    /// How epochs are scheduled.
    pub schedule: Schedule,
}

/// Why there is no round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRound {
    /// The subnet runs no epochs.
    #[error("the subnet's tempo is zero: it runs no epochs, a commit would never be revealed")]
    NoEpochs,
    /// A period that no runtime allows.
    #[error("a reveal period of {0} epochs is beyond what a runtime allows")]
    Period(u64),
}

/// The first block of the epoch in which the commit is revealed.
///
/// # Errors
/// [`NoRound`] for a subnet without epochs or with an absurd period.
pub fn first_reveal_block(moment: &Moment) -> Result<u64, NoRound> {
    if moment.reveal_period > MAX_REVEAL_PERIOD {
        return Err(NoRound::Period(moment.reveal_period));
    }
    match moment.schedule {
        Schedule::Modulo { netuid } => {
            let shift = u64::from(netuid) + 1;
            let length = u64::from(moment.tempo) + 1;
            let epoch = (moment.block + shift) / length;
            Ok(((epoch + moment.reveal_period) * length).saturating_sub(shift))
        }
        Schedule::Stateful { .. } if moment.tempo == 0 => Err(NoRound::NoEpochs),
        Schedule::Stateful { last_epoch_block, pending_epoch_at, blocks_since_last_step } => {
            let state = EpochState { last: last_epoch_block, pending: pending_epoch_at, idle: blocks_since_last_step };
            Ok(state.simulate(moment))
        }
    }
}

/// The epoch that a block belongs to: its first block, and the first block of the next one.
///
/// An epoch is named by its first block: unlike a count, that stays monotone when the tempo changes, or the runtime
/// begins to count epochs in another way.
#[must_use]
pub fn epoch_around(moment: &Moment) -> (u64, u64) {
    match moment.schedule {
        Schedule::Modulo { netuid } => {
            let shift = u64::from(netuid) + 1;
            let length = u64::from(moment.tempo) + 1;
            let end = ((moment.block + shift) / length + 1) * length - shift;
            (end.saturating_sub(length), end)
        }
        Schedule::Stateful { last_epoch_block, pending_epoch_at, blocks_since_last_step } => {
            let state = EpochState { last: last_epoch_block, pending: pending_epoch_at, idle: blocks_since_last_step };
            (last_epoch_block, state.due(moment.block + 1, moment.block, u64::from(moment.tempo)))
        }
    }
}

/// The drand round at which the commit opens; at least 1.
#[must_use]
pub fn reveal_round(now: Duration, block: u64, first_reveal_block: u64, block_time: Duration) -> u64 {
    let ahead = first_reveal_block.saturating_add(MARGIN_BLOCKS);
    let blocks = u32::try_from(ahead.abs_diff(block)).unwrap_or(u32::MAX);
    let distance = block_time.saturating_mul(blocks);
    let at = if ahead >= block { now.saturating_add(distance) } else { now.saturating_sub(distance) };
    (at.as_secs().saturating_sub(GENESIS_SECONDS) / PERIOD_SECONDS).max(1)
}

/// The state that a stateful runtime carries from block to block.
#[derive(Clone, Copy)]
struct EpochState {
    last: u64,
    pending: u64,
    idle: u64,
}

impl EpochState {
    /// Walks from epoch to epoch: the commit lands in the block after `moment.block`, and counts for the epoch that
    /// is current once that block has begun.
    fn simulate(mut self, moment: &Moment) -> u64 {
        let tempo = u64::from(moment.tempo);
        let mut block = moment.block + 1;
        // The block in which the commit lands may itself begin an epoch: that one is then the commit's own.
        if self.due(block, moment.block, tempo) <= block {
            self.begin(block);
        }
        let mut counted_from = moment.block;
        for _ in 0..moment.reveal_period {
            block = self.due(block + 1, counted_from, tempo);
            self.begin(block);
            counted_from = block;
        }
        block
    }

    /// The first block at or after `from` that begins an epoch; `idle` was read at block `read_at`.
    fn due(&self, from: u64, read_at: u64, tempo: u64) -> u64 {
        let regular = self.last.saturating_add(tempo);
        let forced = read_at.saturating_add((MAX_EPOCH_BLOCKS + 1).saturating_sub(self.idle));
        let mut first = regular.min(forced);
        if self.pending > 0 {
            first = first.min(self.pending);
        }
        first.max(from)
    }

    fn begin(&mut self, block: u64) {
        self.last = block;
        self.pending = 0;
        self.idle = 0;
    }
}
