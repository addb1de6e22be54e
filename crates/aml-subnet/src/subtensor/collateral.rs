//! Reads a miner's collateral, which runtimes since spec 435 have.

use scale_decode::DecodeAsType;
use subxt::utils::AccountId32;

use super::snapshot::{Item, ReadError, Snapshot};
use super::{At, Subtensor};
use crate::chain::collateral::Collateral;
use crate::wallet::Hotkey;

/// What is read of the item.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
pub(super) struct Stored {
    locked: u64,
    min_locked: u64,
    earned: u64,
}

impl Subtensor {
    /// The collateral of `hotkey` for its owner's stake; `None` where the runtime knows none.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn collateral(&self, hotkey: Hotkey, netuid: u16) -> Result<Option<Collateral>, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(read(snapshot, hotkey, netuid))).await
    }
}

async fn read(snapshot: &Snapshot, hotkey: Hotkey, netuid: u16) -> Result<Option<Collateral>, ReadError> {
    const ITEM: &str = "MinerCollateral";
    if !snapshot.has_item(ITEM) {
        return Ok(None);
    }
    let owner = Item::plain("Owner").account(&hotkey);
    let owner: Option<AccountId32> = snapshot.fetch(std::slice::from_ref(&owner)).await?.get(&owner)?;
    let Some(owner) = owner else { return Ok(None) };
    let item = Item::plain(ITEM).number(netuid).account(&hotkey).account(&Hotkey::from_bytes(owner.0));
    let stored: Option<Stored> = snapshot.fetch(std::slice::from_ref(&item)).await?.get(&item)?;
    let of = |stored: Stored| Collateral { locked: stored.locked, floor: stored.min_locked, earned: stored.earned };
    Ok(Some(stored.map(of).unwrap_or_default()))
}
