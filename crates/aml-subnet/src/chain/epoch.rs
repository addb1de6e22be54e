//! The epoch that a subnet is in, and the age of weights in epochs.

use super::reveal_round::{Moment, Schedule, first_reveal_block};
use super::types::Block;

/// An epoch of a subnet, seen from a block in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The block it was read at.
    pub block: Block,
    /// Its first block, by which it is named.
    pub first: Block,
    /// The first block of the next one, as far as can be foreseen.
    pub next: Block,
}

impl Epoch {
    /// Blocks until the next one begins.
    #[must_use]
    pub const fn blocks_left(&self) -> u64 {
        self.next.0.saturating_sub(self.block.0)
    }
}

/// Blocks as a number of epochs: how old weights are, in tempos.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
pub fn in_tempos(blocks: u64, tempo: u16) -> f64 {
    blocks as f64 / f64::from(tempo.max(1))
}

/// The first block in which the chain reveals a timelocked commit of block `committed`.
///
/// Exact by a schedule of block numbers, and while the commit's epoch lasts; after that the begin of the current one.
#[must_use]
pub fn reveal_block(now: &Moment, committed: u64) -> u64 {
    let foreseen = match now.schedule {
        Schedule::Modulo { .. } => first_reveal_block(&Moment { block: committed.saturating_sub(1), ..*now }),
        Schedule::Stateful { last_epoch_block, .. } if last_epoch_block > committed => Ok(last_epoch_block),
        Schedule::Stateful { .. } => first_reveal_block(now),
    };
    foreseen.unwrap_or(committed)
}
