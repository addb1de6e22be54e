//! The metagraph of a subnet at one block, by the best means the runtime offers.
//!
//! In order: one call for everything; neurons and stake by two calls; storage alone. Parts of different length, or
//! of different neurons, are an error, never a shorter list.

use subxt::utils::AccountId32;

use super::neurons::{AxonInfo, FullMetagraph, NeuronLite, SubnetState, no_old_metagraph, old_neurons, old_state};
use super::snapshot::{Item, ReadError, Snapshot};
use crate::chain::types::{Block, Metagraph, Neuron, Uid};
use crate::wallet::Hotkey;

/// The API of subnets.
const SUBNET_API: &str = "SubnetInfoRuntimeApi";
/// The API of neurons.
const NEURON_API: &str = "NeuronInfoRuntimeApi";

/// Reads the metagraph.
pub(super) async fn read(snapshot: &Snapshot, netuid: u16) -> Result<Metagraph, ReadError> {
    if let Some(kept) = snapshot.kept_metagraph(netuid) {
        return Ok(kept);
    }
    let size = size(snapshot, netuid).await?;
    let neurons = if snapshot.has_api(SUBNET_API, "get_metagraph") {
        by_metagraph(snapshot, netuid).await?
    } else if snapshot.has_api(NEURON_API, "get_neurons_lite") {
        by_neurons(snapshot, netuid).await?
    } else {
        let size = size.ok_or_else(|| snapshot.without("SubnetworkN"))?;
        by_storage(snapshot, netuid, size).await?
    };
    let metagraph = Metagraph { netuid, block: snapshot.block(), neurons };
    consistent(&metagraph, size)?;
    snapshot.keep_metagraph(&metagraph);
    Ok(metagraph)
}

/// Number of neurons, where the runtime says; an error where there is no such subnet.
async fn size(snapshot: &Snapshot, netuid: u16) -> Result<Option<u16>, ReadError> {
    let (added, count) = (Item::plain("NetworksAdded").number(netuid), Item::plain("SubnetworkN").number(netuid));
    let values = snapshot.fetch(&[added.clone(), count.clone()]).await?;
    if values.get::<bool>(&added)? == Some(false) {
        return Err(ReadError::NoSubnet(netuid));
    }
    values.get(&count)
}

fn consistent(metagraph: &Metagraph, size: Option<u16>) -> Result<(), ReadError> {
    let Metagraph { netuid, block, neurons } = metagraph;
    let fault = |what| ReadError::Inconsistent { netuid: *netuid, block: block.0, what };
    if let Some(size) = size.filter(|size| neurons.len() != usize::from(*size)) {
        return Err(fault(format!("{} neurons, the subnet counts {size}", neurons.len())));
    }
    match neurons.iter().zip(0..).find(|(neuron, uid)| neuron.uid != Uid(*uid)) {
        Some((neuron, uid)) => Err(fault(format!("uid {} in place {uid}", neuron.uid.0))),
        None => Ok(()),
    }
}

fn key(account: &AccountId32) -> Hotkey {
    Hotkey::from_bytes(account.0)
}

async fn by_metagraph(snapshot: &Snapshot, netuid: u16) -> Result<Vec<Neuron>, ReadError> {
    let all: Option<FullMetagraph> =
        snapshot.call(SUBNET_API, "get_metagraph", netuid, no_old_metagraph).await?.flatten();
    let all = all.ok_or(ReadError::NoSubnet(netuid))?;
    let count = all.hotkeys.len();
    let lengths = [
        ("coldkeys", all.coldkeys.len()),
        ("axons", all.axons.len()),
        ("active", all.active.len()),
        ("validator_permit", all.validator_permit.len()),
        ("last_update", all.last_update.len()),
        ("incentives", all.incentives.len()),
        ("dividends", all.dividends.len()),
        ("total_stake", all.total_stake.len()),
    ];
    if let Some((field, length)) = lengths.iter().find(|(_, length)| *length != count) {
        let what = format!("{length} {field}, {count} hotkeys");
        return Err(ReadError::Inconsistent { netuid, block: snapshot.block().0, what });
    }
    let neuron = |(uid, i): (u16, usize)| Neuron {
        uid: Uid(uid),
        hotkey: key(&all.hotkeys[i]),
        coldkey: key(&all.coldkeys[i]),
        axon: all.axons[i].axon(),
        validator_permit: all.validator_permit[i],
        active: all.active[i],
        stake: all.total_stake[i],
        last_update: Block(all.last_update[i]),
        incentive: all.incentives[i],
        dividends: all.dividends[i],
    };
    Ok((0..=u16::MAX).zip(0..count).map(neuron).collect())
}

async fn by_neurons(snapshot: &Snapshot, netuid: u16) -> Result<Vec<Neuron>, ReadError> {
    let neurons = snapshot.call(NEURON_API, "get_neurons_lite", netuid, old_neurons).await?.unwrap_or_default();
    let stakes = stakes(snapshot, netuid, &neurons).await?;
    let neuron = |(lite, stake): (NeuronLite, u64)| Neuron {
        uid: Uid(lite.uid),
        hotkey: key(&lite.hotkey),
        coldkey: key(&lite.coldkey),
        axon: lite.axon_info.axon(),
        validator_permit: lite.validator_permit,
        active: lite.active,
        stake,
        last_update: Block(lite.last_update),
        incentive: lite.incentive,
        dividends: lite.dividends,
    };
    Ok(neurons.into_iter().zip(stakes).map(neuron).collect())
}

/// The stake that counts for permit and threshold, by uid.
async fn stakes(snapshot: &Snapshot, netuid: u16, neurons: &[NeuronLite]) -> Result<Vec<u64>, ReadError> {
    let method = "get_subnet_state";
    if !snapshot.has_api(SUBNET_API, method) {
        let hotkeys: Vec<Hotkey> = neurons.iter().map(|neuron| key(&neuron.hotkey)).collect();
        return alpha(snapshot, netuid, &hotkeys).await;
    }
    let state: Option<SubnetState> = snapshot.call(SUBNET_API, method, netuid, old_state).await?.flatten();
    let state = state.ok_or(ReadError::NoSubnet(netuid))?;
    let same = state.hotkeys.iter().eq(neurons.iter().map(|neuron| &neuron.hotkey));
    if !same || state.total_stake.len() != neurons.len() {
        let what = "the stakes are of other neurons".to_owned();
        return Err(ReadError::Inconsistent { netuid, block: snapshot.block().0, what });
    }
    Ok(state.total_stake)
}

async fn alpha(snapshot: &Snapshot, netuid: u16, hotkeys: &[Hotkey]) -> Result<Vec<u64>, ReadError> {
    let item = |hotkey: &Hotkey| Item::plain("TotalHotkeyAlpha").account(hotkey).number(netuid);
    let items: Vec<Item> = hotkeys.iter().map(item).collect();
    let values = snapshot.fetch(&items).await?;
    items.iter().map(|item| Ok(values.get(item)?.unwrap_or_default())).collect()
}

async fn by_storage(snapshot: &Snapshot, netuid: u16, size: u16) -> Result<Vec<Neuron>, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let vectors = ["ValidatorPermit", "Active", "LastUpdate", "Incentive", "Dividends"].map(of_subnet);
    let keys: Vec<Item> = (0..size).map(|uid| of_subnet("Keys").number(uid)).collect();
    let first = snapshot.fetch(&[&vectors[..], &keys[..]].concat()).await?;
    let hotkeys = keys
        .iter()
        .map(|item| first.need::<AccountId32>(item).map(|account| key(&account)))
        .collect::<Result<Vec<_>, _>>()?;
    let [permits, active, last_update, incentives, dividends] = &vectors;
    let permits: Vec<bool> = first.need(permits)?;
    let active: Vec<bool> = first.need(active)?;
    let updates: Vec<u64> = first.need(last_update)?;
    let incentives: Vec<u16> = first.need(incentives)?;
    let dividends: Vec<u16> = first.need(dividends)?;
    let axons: Vec<Item> = hotkeys.iter().map(|hotkey| of_subnet("Axons").account(hotkey)).collect();
    let owners: Vec<Item> = hotkeys.iter().map(|hotkey| Item::plain("Owner").account(hotkey)).collect();
    let second = snapshot.fetch(&[&axons[..], &owners[..]].concat()).await?;
    let stakes = alpha(snapshot, netuid, &hotkeys).await?;
    let missing = |what: &str| ReadError::Inconsistent {
        netuid,
        block: snapshot.block().0,
        what: format!("{what} is shorter than the subnet"),
    };
    let neuron = |uid: u16| -> Result<Neuron, ReadError> {
        let i = usize::from(uid);
        Ok(Neuron {
            uid: Uid(uid),
            hotkey: hotkeys[i],
            coldkey: key(&second.need::<AccountId32>(&owners[i])?),
            axon: second.get::<AxonInfo>(&axons[i])?.and_then(|info| info.axon()),
            validator_permit: *permits.get(i).ok_or_else(|| missing("ValidatorPermit"))?,
            active: *active.get(i).ok_or_else(|| missing("Active"))?,
            stake: stakes[i],
            last_update: Block(*updates.get(i).ok_or_else(|| missing("LastUpdate"))?),
            incentive: *incentives.get(i).ok_or_else(|| missing("Incentive"))?,
            dividends: *dividends.get(i).ok_or_else(|| missing("Dividends"))?,
        })
    };
    (0..size).map(neuron).collect()
}
