//! Reads the epoch that a subnet is in.

use std::time::Duration;

use super::snapshot::{Item, ReadError, Snapshot};
use super::{At, Subtensor, block_time};
use crate::chain::epoch::{Epoch, reveal_block};
use crate::chain::reveal_round::{Moment, Schedule, epoch_around};
use crate::chain::types::Block;

impl Subtensor {
    /// The epoch of the best block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn epoch(&self, netuid: u16) -> Result<Epoch, ReadError> {
        self.read(At::Best, |snapshot| Box::pin(read(snapshot, netuid))).await
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

/// The epoch of a block.
pub(super) async fn read(snapshot: &Snapshot, netuid: u16) -> Result<Epoch, ReadError> {
    let occasion = moment(snapshot, netuid).await?;
    let (first, next) = epoch_around(&occasion.moment);
    Ok(Epoch { block: snapshot.block(), first: Block(first), next: Block(next) })
}

/// What the round of a timelocked commit depends on.
pub(super) struct Occasion {
    pub(super) moment: Moment,
    pub(super) block_time: Duration,
}

/// Reads how the subnet's epochs run.
pub(super) async fn moment(snapshot: &Snapshot, netuid: u16) -> Result<Occasion, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let names = ["Tempo", "RevealPeriodEpochs", "LastEpochBlock", "PendingEpochAt", "BlocksSinceLastStep"];
    let items = names.map(of_subnet);
    let values = snapshot.fetch(&items).await?;
    let [tempo, period, last, pending, idle] = &items;
    let schedule = match values.get(last)? {
        Some(last_epoch_block) => Schedule::Stateful {
            last_epoch_block,
            pending_epoch_at: values.get(pending)?.unwrap_or(0),
            blocks_since_last_step: values.get(idle)?.unwrap_or(0),
        },
        None => Schedule::Modulo { netuid },
    };
    let moment = Moment {
        block: snapshot.block().0,
        tempo: values.need(tempo)?,
        reveal_period: values.get(period)?.unwrap_or(1),
        schedule,
    };
    Ok(Occasion { moment, block_time: block_time(snapshot) })
}
