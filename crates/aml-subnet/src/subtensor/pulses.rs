//! Rounds of the beacon: `Drand.Pulses`, where the chain's off-chain workers store what they have verified.

use parity_scale_codec::Decode as _;

use super::snapshot::{ReadError, Snapshot, decode};
use super::{At, Subtensor};

/// The pallet.
const PALLET: &str = "Drand";
/// Its storage item.
const ITEM: &str = "Pulses";

impl Subtensor {
    /// The beacon's signature of a round, as the newest block has it; `None` while it has none. It is not checked here.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn pulse(&self, round: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(At::Best, |snapshot| Box::pin(read(snapshot, round))).await
    }
}

async fn read(snapshot: &Snapshot, round: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(bytes) = snapshot.value_of(PALLET, ITEM, round).await? else { return Ok(None) };
    // Round, randomness, signature.
    let pulse = <(u64, Vec<u8>, Vec<u8>)>::decode(&mut &bytes[..]).map_err(|error| decode(ITEM, &error))?;
    Ok((pulse.0 == round).then_some(pulse.2))
}
