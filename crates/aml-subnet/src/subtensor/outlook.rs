//! Reads how near a hotkey is to losing its place.

use super::snapshot::{Item, ReadError, Snapshot};
use super::{At, Subtensor};
use crate::chain::outlook::{Field, Outlook, Place};
use crate::wallet::Hotkey;

impl Subtensor {
    /// The outlook of `hotkey` in the subnet; `None` when it is not registered.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn outlook(&self, hotkey: Hotkey, netuid: u16) -> Result<Option<Outlook>, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(read(snapshot, hotkey, netuid))).await
    }
}

async fn read(snapshot: &Snapshot, hotkey: Hotkey, netuid: u16) -> Result<Option<Outlook>, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let uid_item = of_subnet("Uids").account(&hotkey);
    let [size, places, immunity] = ["SubnetworkN", "MaxAllowedUids", "ImmunityPeriod"].map(of_subnet);
    // Runtimes drop one or the other.
    let scores: Vec<Item> =
        ["PruningScores", "Emission"].into_iter().filter(|name| snapshot.has_item(name)).map(of_subnet).collect();
    let mut items = vec![uid_item.clone(), size.clone(), places.clone(), immunity.clone()];
    items.extend(scores.iter().cloned());
    let values = snapshot.fetch(&items).await?;
    let Some(uid) = values.get::<u16>(&uid_item)? else { return Ok(None) };
    let size: u16 = values.need(&size)?;
    let (places, immunity): (u16, u16) = (values.need(&places)?, values.need(&immunity)?);
    let mut by_uid: Vec<u64> = Vec::new();
    for item in &scores {
        let found: Vec<u64> = values.get(item)?.unwrap_or_default();
        if by_uid.iter().all(|score| *score == 0) {
            by_uid = found;
        }
    }
    let registered: Vec<Item> = (0..size).map(|uid| of_subnet("BlockAtRegistration").number(uid)).collect();
    let blocks = snapshot.fetch(&registered).await?;
    let mut neurons = Vec::with_capacity(registered.len());
    for (at, item) in registered.iter().enumerate() {
        let score = by_uid.get(at).copied().unwrap_or(0);
        neurons.push(Place { score, registered: blocks.get(item)?.unwrap_or(0) });
    }
    let field = Field { block: snapshot.block().0, immunity: immunity.into(), places, neurons };
    Ok(field.outlook(uid))
}
