//! What belongs together, read at one block.

use super::{At, ReadError, Subtensor, epoch, metagraph, readback, standing};
use crate::chain::commit::Mechanism;
use crate::chain::epoch::Epoch;
use crate::chain::reading::ChainReading;
use crate::chain::standing::WeightsStanding;
use crate::wallet::Hotkey;

impl Subtensor {
    /// Metagraph, tempo, a hotkey's weights and what keeps it from setting more, at one finalised block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint gives a consistent answer, or there is no such subnet.
    pub async fn reading(&self, netuid: u16, mechanism: u8, hotkey: Hotkey) -> Result<ChainReading, ReadError> {
        let subnet = Mechanism { netuid, number: mechanism };
        self.read(At::Finalised, |snapshot| {
            Box::pin(async move {
                let metagraph = metagraph::read(snapshot, netuid).await?;
                let standing = standing::read(snapshot, subnet, hotkey).await?;
                let weights = readback::stored(snapshot, subnet, hotkey).await?;
                Ok(ChainReading {
                    metagraph,
                    tempo: standing.rules.tempo,
                    registration_price: standing.rules.registration_price,
                    weights,
                    last_update: standing.uid.map(|_| standing.last_update),
                    stopped: standing.stopped(mechanism),
                })
            })
        })
        .await
    }

    /// The epoch of the best block, and a hotkey's standing in it.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers, or there is no such subnet.
    pub async fn occasion(
        &self,
        hotkey: Hotkey,
        netuid: u16,
        mechanism: u8,
    ) -> Result<(Epoch, WeightsStanding), ReadError> {
        let subnet = Mechanism { netuid, number: mechanism };
        self.read(At::Best, |snapshot| {
            Box::pin(async move {
                let epoch = epoch::read(snapshot, netuid).await?;
                Ok((epoch, standing::read(snapshot, subnet, hotkey).await?))
            })
        })
        .await
    }
}
