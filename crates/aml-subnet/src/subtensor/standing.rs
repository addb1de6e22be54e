//! Reads a hotkey's standing in a subnet.

use subxt::utils::AccountId32;

use super::snapshot::{Item, ReadError, Snapshot};
use super::{hyperparameters, metagraph};
use crate::chain::commit::Mechanism;
use crate::chain::standing::WeightsStanding;
use crate::chain::types::{Block, Uid};
use crate::wallet::Hotkey;

/// Reads the standing of `hotkey`.
pub(super) async fn read(
    snapshot: &Snapshot,
    mechanism: Mechanism,
    hotkey: Hotkey,
) -> Result<WeightsStanding, ReadError> {
    let netuid = mechanism.netuid;
    let rules = hyperparameters::read(snapshot, netuid).await?;
    let of_subnet = |name| Item::plain(name).number(netuid);
    let uid_item = of_subnet("Uids").account(&hotkey);
    let updates_item = Item::plain("LastUpdate").number(mechanism.index());
    let [size, permits, owner, mechanisms] =
        ["SubnetworkN", "ValidatorPermit", "SubnetOwnerHotkey", "MechanismCountCurrent"].map(of_subnet);
    let items = [&uid_item, &updates_item, &size, &permits, &owner, &mechanisms].map(Clone::clone);
    let values = snapshot.fetch(&items).await?;
    let uid: Option<u16> = values.get(&uid_item)?;
    let at = |vector: usize| uid.map(usize::from).filter(|uid| *uid < vector);
    let updates: Vec<u64> = values.need(&updates_item)?;
    let permits: Vec<bool> = values.need(&permits)?;
    let owner: Option<AccountId32> = values.get(&owner)?;
    let stake = if rules.stake_threshold > 0 && uid.is_some() {
        let all = metagraph::read(snapshot, netuid).await?;
        all.by_hotkey(&hotkey).map_or(0, |neuron| neuron.stake)
    } else {
        0
    };
    Ok(WeightsStanding {
        block: snapshot.block(),
        uid: uid.map(Uid),
        neurons: values.need(&size)?,
        mechanisms: values.get(&mechanisms)?.unwrap_or(1),
        last_update: Block(at(updates.len()).map_or(0, |uid| updates[uid])),
        permit: at(permits.len()).is_some_and(|uid| permits[uid]),
        is_owner: owner.is_some_and(|owner| owner.0 == *hotkey.as_bytes()),
        stake,
        rules,
    })
}

/// Reads the hotkey of the subnet's owner.
pub(super) async fn owner(snapshot: &Snapshot, netuid: u16) -> Result<Option<Hotkey>, ReadError> {
    let item = Item::plain("SubnetOwnerHotkey").number(netuid);
    let owner: Option<AccountId32> = snapshot.fetch(std::slice::from_ref(&item)).await?.get(&item)?;
    Ok(owner.map(|owner| Hotkey::from_bytes(owner.0)))
}
