//! The epoch that a subnet is in.

use super::reveal::moment;
use super::snapshot::ReadError;
use super::{At, Subtensor};
use crate::chain::reveal_round::{Moment, Schedule, epoch_around, first_reveal_block};
use crate::chain::types::Block;

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

impl Subtensor {
    /// The epoch of the best block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn epoch(&self, netuid: u16) -> Result<Epoch, ReadError> {
        self.read(At::Best, |snapshot| {
            Box::pin(async move {
                let occasion = moment(snapshot, netuid).await?;
                let (first, next) = epoch_around(&occasion.moment);
                Ok(Epoch { block: snapshot.block(), first: Block(first), next: Block(next) })
            })
        })
        .await
    }

    /// The first block in which the chain reveals a timelocked commit of block `committed`.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn reveals_from(&self, netuid: u16, committed: Block) -> Result<Block, ReadError> {
        self.read(At::Best, |snapshot| {
            Box::pin(async move {
                let now = moment(snapshot, netuid).await?.moment;
                Ok(Block(reveal_block(&now, committed.0)))
            })
        })
        .await
    }
}

/// Exact by a schedule of block numbers, and while the commit's epoch lasts; after that the begin of the current one.
fn reveal_block(now: &Moment, committed: u64) -> u64 {
    let foreseen = match now.schedule {
        Schedule::Modulo { .. } => first_reveal_block(&Moment { block: committed.saturating_sub(1), ..*now }),
        Schedule::Stateful { last_epoch_block, .. } if last_epoch_block > committed => Ok(last_epoch_block),
        Schedule::Stateful { .. } => first_reveal_block(now),
    };
    foreseen.unwrap_or(committed)
}
