//! Reads which version the last weights of validators carried, from the transactions that set them.

use super::snapshot::{ReadError, Snapshot, node};
use super::{At, Subtensor};
use crate::chain::carried::Carried;
use crate::chain::refusal::PALLET;
use crate::chain::types::Block;
use crate::wallet::Hotkey;

impl Subtensor {
    /// The version of the weights that a hotkey set in block `updated`, where the node still has it.
    pub async fn version_carried(&self, netuid: u16, hotkey: Hotkey, updated: Block) -> Carried {
        let read = self.read(At::Number(updated.0), |snapshot| Box::pin(read(snapshot, netuid, hotkey)));
        read.await.unwrap_or_else(|error| {
            tracing::debug!(block = updated.0, %error, "cannot read the block of a validator's last weights");
            Carried::Unknown
        })
    }
}

async fn read(snapshot: &Snapshot, netuid: u16, hotkey: Hotkey) -> Result<Carried, ReadError> {
    let all = snapshot.at.extrinsics().fetch().await.map_err(|error| node("a block", &error))?;
    let mut carried = Carried::Unknown;
    for one in all.iter().filter_map(Result::ok) {
        // The address of a signer is a tag and the account.
        let is_theirs = one.address_bytes().is_some_and(|address| address.ends_with(hotkey.as_bytes()));
        if !is_theirs || one.pallet_name() != PALLET || !one.call_name().ends_with("_weights") {
            continue;
        }
        let (mut of, mut version) = (None, None);
        for field in one.iter_call_data_fields() {
            match field.name() {
                "netuid" => of = field.decode_as::<u16>().ok(),
                "version_key" => version = field.decode_as::<u64>().ok(),
                _ => {}
            }
        }
        if of == Some(netuid) {
            carried = version.map_or(Carried::Sealed, Carried::Version);
        }
    }
    Ok(carried)
}
