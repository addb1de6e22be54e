//! Subnets and the neurons in them.

use crate::localnet::exec::{self, Exec, Fault};
use crate::localnet::item::{Read, Write};
use crate::localnet::items::subtensor::{
    ACTIVE, AXONS, BLOCK_AT_REGISTRATION, BONDS, BURN, COLLATERAL_DRAIN_RATIO, COLLATERAL_LOCK_SHARE,
    COMMIT_REVEAL_WEIGHTS_ENABLED, COMMIT_REVEAL_WEIGHTS_ENABLED_218, CONSENSUS, DIVIDENDS, EMISSION,
    FIRST_EMISSION_BLOCK_NUMBER, IMMUNITY_PERIOD, INCENTIVE, IS_NETWORK_MEMBER, KEYS, LAST_UPDATE, MAX_ALLOWED_UIDS,
    MAX_REGISTRATIONS_PER_BLOCK, MECHANISM_COUNT_CURRENT, MINER_COLLATERAL, NETWORK_MIN_LOCK_COST,
    NETWORK_REGISTERED_AT, NETWORK_REGISTRATION_ALLOWED, NETWORKS_ADDED, NEURON_CERTIFICATES, OWNED_HOTKEYS, OWNER,
    PROMETHEUS, PRUNING_SCORES, RANK, REGISTRATIONS_THIS_BLOCK, STAKE_WEIGHT, SUBNET_LIMIT, SUBNET_MECHANISM,
    SUBNET_OWNER, SUBNET_OWNER_HOTKEY, SUBNETWORK_N, SUBTOKEN_ENABLED, TOTAL_NETWORKS, TRUST, UIDS, VALIDATOR_PERMIT,
    VALIDATOR_TRUST, WEIGHTS,
};
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::pallet::{Error, Event, MinerCollateralState};
use crate::localnet::rules::staking;
use crate::localnet::spec::{Generation, Spec};

/// The subnet of the whole network, which has no weights of its own here.
pub(crate) const ROOT: u16 = 0;
/// Distance between the storage indices of a subnet's mechanisms.
pub(crate) const MECHANISM_STRIDE: u16 = 4096;

/// Where the weights of a subnet's mechanism are stored.
pub(crate) fn storage_index(netuid: u16, mechanism: u8) -> u16 {
    u16::from(mechanism).saturating_mul(MECHANISM_STRIDE).saturating_add(netuid)
}

/// Whether a subnet exists.
pub(crate) fn exists(db: &impl Read, netuid: u16) -> bool {
    NETWORKS_ADDED.get(db, (netuid,))
}

/// Refuses a subnet or mechanism that does not exist, in the words of the runtime.
pub(crate) fn ensure_mechanism(exec: &Exec<'_>, netuid: u16, mechanism: u8) -> Result<(), Fault> {
    let known = exists(&exec.db, netuid) && mechanism < MECHANISM_COUNT_CURRENT.get(&exec.db, (netuid,));
    if known { Ok(()) } else { Err(no_subnet(exec.spec).into()) }
}

fn no_subnet(spec: Spec) -> Error {
    match spec.generation {
        Generation::G218 => Error::SubNetworkDoesNotExist,
        Generation::G381 | Generation::G463 => Error::MechanismDoesNotExist,
    }
}

/// Whether weights of a subnet are committed first and revealed later.
pub(crate) fn commits_first(db: &impl Read, spec: Spec, netuid: u16) -> bool {
    match spec.generation {
        Generation::G218 => COMMIT_REVEAL_WEIGHTS_ENABLED_218.get(db, (netuid,)),
        Generation::G381 | Generation::G463 => COMMIT_REVEAL_WEIGHTS_ENABLED.get(db, (netuid,)),
    }
}

/// A neuron's uid, or the error for a stranger.
pub(crate) fn uid_of(db: &impl Read, netuid: u16, hotkey: AccountId32) -> Result<u16, Fault> {
    UIDS.find(db, (netuid, hotkey)).ok_or(Error::HotKeyNotRegisteredInSubNet.into())
}

/// Whether a hotkey is in any subnet.
pub(crate) fn is_member_anywhere(db: &impl Read, hotkey: AccountId32) -> bool {
    (0..=SUBNET_LIMIT.get(db, ())).any(|netuid| IS_NETWORK_MEMBER.get(db, (hotkey, netuid)))
}

/// Creates a subnet without neurons.
pub(crate) fn create(exec: &mut Exec<'_>, netuid: u16, owner: AccountId32, owner_hotkey: AccountId32) {
    let block = exec.block;
    let db = &mut exec.db;
    NETWORKS_ADDED.put(db, (netuid,), &true);
    NETWORK_REGISTERED_AT.put(db, (netuid,), &block);
    SUBNET_MECHANISM.put(db, (netuid,), &u16::from(netuid != ROOT));
    SUBNET_OWNER.put(db, (netuid,), &owner);
    SUBNET_OWNER_HOTKEY.put(db, (netuid,), &owner_hotkey);
    SUBNETWORK_N.put(db, (netuid,), &0);
    TOTAL_NETWORKS.mutate(db, (), |count| *count += 1);
}

/// `register_network`: the first free number, the lock burnt, the owner as the first neuron.
pub(crate) fn register_network(exec: &mut Exec<'_>, coldkey: AccountId32, hotkey: AccountId32) -> Result<(), Fault> {
    let limit = SUBNET_LIMIT.get(&exec.db, ());
    let free = (1..=limit).find(|netuid| !exists(&exec.db, *netuid)).ok_or(Error::SubnetLimitReached)?;
    own(&mut exec.db, coldkey, hotkey)?;
    let cost = NETWORK_MIN_LOCK_COST.get(&exec.db, ());
    exec::withdraw(&mut exec.db, coldkey, cost).map_err(|_| Error::CannotAffordLockCost)?;
    create(exec, free, coldkey, hotkey);
    exec.emit_subtensor(Event::NetworkAdded(free, 0));
    append(exec, free, hotkey);
    Ok(())
}

/// `start_call`: the owner lets emission begin.
pub(crate) fn start(exec: &mut Exec<'_>, who: AccountId32, netuid: u16) -> Result<(), Fault> {
    if !exists(&exec.db, netuid) {
        return Err(Error::SubnetNotExists.into());
    }
    if SUBNET_OWNER.get(&exec.db, (netuid,)) != who {
        return Err(Error::NotSubnetOwner.into());
    }
    if FIRST_EMISSION_BLOCK_NUMBER.contains(&exec.db, (netuid,)) {
        return Err(Error::FirstEmissionBlockNumberAlreadySet.into());
    }
    let first = exec.block + 1;
    FIRST_EMISSION_BLOCK_NUMBER.put(&mut exec.db, (netuid,), &first);
    SUBTOKEN_ENABLED.put(&mut exec.db, (netuid,), &true);
    exec.emit_subtensor(Event::FirstEmissionBlockNumberSet(netuid, first));
    Ok(())
}

/// `register_limit`: refuses a place that has become dearer than the caller thought.
pub(crate) fn within_limit(db: &impl Read, netuid: u16, limit: u64) -> Result<(), Fault> {
    if BURN.get(db, (netuid,)) > limit { Err(Error::RegistrationPriceLimitExceeded.into()) } else { Ok(()) }
}

/// `burned_register`: a coldkey pays for a hotkey's place.
pub(crate) fn burned_register(
    exec: &mut Exec<'_>,
    coldkey: AccountId32,
    netuid: u16,
    hotkey: AccountId32,
) -> Result<(), Fault> {
    let db = &exec.db;
    if netuid == ROOT {
        return Err(Error::RegistrationNotPermittedOnRootSubnet.into());
    }
    if !exists(db, netuid) {
        let new = exec.spec.generation != Generation::G218;
        return Err(if new { Error::SubnetNotExists } else { Error::SubNetworkDoesNotExist }.into());
    }
    if !NETWORK_REGISTRATION_ALLOWED.get(db, (netuid,)) {
        return Err(Error::SubNetRegistrationDisabled.into());
    }
    if REGISTRATIONS_THIS_BLOCK.get(db, (netuid,)) >= MAX_REGISTRATIONS_PER_BLOCK.get(db, (netuid,)) {
        return Err(Error::TooManyRegistrationsThisBlock.into());
    }
    if UIDS.contains(db, (netuid, hotkey)) {
        return Err(Error::HotKeyAlreadyRegisteredInSubNet.into());
    }
    let burn = BURN.get(db, (netuid,));
    if exec::balance(db, coldkey) < burn {
        return Err(Error::NotEnoughBalanceToStake.into());
    }
    own(&mut exec.db, coldkey, hotkey)?;
    exec::withdraw(&mut exec.db, coldkey, burn)?;
    register(exec, netuid, hotkey)?;
    lock(exec, coldkey, netuid, hotkey, burn);
    REGISTRATIONS_THIS_BLOCK.mutate(&mut exec.db, (netuid,), |count| *count += 1);
    Ok(())
}

/// The share of the price that is not burnt but staked, and locked until the miner has earned its release.
fn lock(exec: &mut Exec<'_>, coldkey: AccountId32, netuid: u16, hotkey: AccountId32, price: u64) {
    let share = COLLATERAL_LOCK_SHARE.get(&exec.db, (netuid,));
    let locked = u128::from(price) * u128::from(share) / u128::from(u16::MAX);
    let Some(locked) = u64::try_from(locked).ok().filter(|locked| *locked > 0) else { return };
    staking::credit(exec, coldkey, hotkey, netuid, locked);
    let drain_ratio = COLLATERAL_DRAIN_RATIO.get(&exec.db, (netuid,));
    let key = (netuid, hotkey, coldkey);
    let before = MINER_COLLATERAL.find(&exec.db, key).unwrap_or_default();
    let after = MinerCollateralState { locked: before.locked.saturating_add(locked), drain_ratio, ..before };
    MINER_COLLATERAL.put(&mut exec.db, key, &after);
}

/// Notes who owns a hotkey; a hotkey of another is refused.
pub(crate) fn own(db: &mut impl Write, coldkey: AccountId32, hotkey: AccountId32) -> Result<(), Fault> {
    match OWNER.find(db, (hotkey,)) {
        Some(owner) if owner == coldkey => Ok(()),
        Some(_) => Err(Error::NonAssociatedColdKey.into()),
        None => {
            OWNER.put(db, (hotkey,), &coldkey);
            OWNED_HOTKEYS.mutate(db, (coldkey,), |hotkeys| hotkeys.push(hotkey));
            Ok(())
        }
    }
}

/// Gives a hotkey a place: a new one, or that of the neuron that is worth least.
pub(crate) fn register(exec: &mut Exec<'_>, netuid: u16, hotkey: AccountId32) -> Result<u16, Fault> {
    let size = SUBNETWORK_N.get(&exec.db, (netuid,));
    if size < MAX_ALLOWED_UIDS.get(&exec.db, (netuid,)) {
        return Ok(append(exec, netuid, hotkey));
    }
    let uid = weakest(exec, netuid, size).ok_or(Error::NoNeuronIdAvailable)?;
    let old = KEYS.get(&exec.db, (netuid, uid));
    let db = &mut exec.db;
    UIDS.remove(db, (netuid, old));
    IS_NETWORK_MEMBER.remove(db, (old, netuid));
    AXONS.remove(db, (netuid, old));
    PROMETHEUS.remove(db, (netuid, old));
    NEURON_CERTIFICATES.remove(db, (netuid, old));
    WEIGHTS.remove(db, (netuid, uid));
    BONDS.remove(db, (netuid, uid));
    place(exec, netuid, uid, hotkey);
    Ok(uid)
}

/// The neuron to give way: outside its immunity first, then by score, then the longest there; never the owner's.
fn weakest(exec: &Exec<'_>, netuid: u16, size: u16) -> Option<u16> {
    let db = &exec.db;
    let scores = PRUNING_SCORES.get(db, (netuid,));
    let owner = SUBNET_OWNER_HOTKEY.get(db, (netuid,));
    let immunity = u64::from(IMMUNITY_PERIOD.get(db, (netuid,)));
    let others = (0..size).filter(|uid| KEYS.get(db, (netuid, *uid)) != owner);
    others.min_by_key(|uid| {
        let since = BLOCK_AT_REGISTRATION.get(db, (netuid, *uid));
        let immune = exec.block.saturating_sub(since) < immunity;
        (immune, scores.get(usize::from(*uid)).copied().unwrap_or_default(), since, *uid)
    })
}

fn append(exec: &mut Exec<'_>, netuid: u16, hotkey: AccountId32) -> u16 {
    let uid = SUBNETWORK_N.get(&exec.db, (netuid,));
    SUBNETWORK_N.put(&mut exec.db, (netuid,), &(uid + 1));
    place(exec, netuid, uid, hotkey);
    uid
}

fn place(exec: &mut Exec<'_>, netuid: u16, uid: u16, hotkey: AccountId32) {
    let block = exec.block;
    let db = &mut exec.db;
    UIDS.put(db, (netuid, hotkey), &uid);
    KEYS.put(db, (netuid, uid), &hotkey);
    IS_NETWORK_MEMBER.put(db, (hotkey, netuid), &true);
    BLOCK_AT_REGISTRATION.put(db, (netuid, uid), &block);
    ACTIVE.mutate(db, (netuid,), |column| set(column, uid, true));
    VALIDATOR_PERMIT.mutate(db, (netuid,), |column| set(column, uid, false));
    EMISSION.mutate(db, (netuid,), |column| set(column, uid, 0));
    for item in [&RANK, &TRUST, &CONSENSUS, &DIVIDENDS, &VALIDATOR_TRUST, &PRUNING_SCORES, &STAKE_WEIGHT] {
        item.mutate(db, (netuid,), |column| set(column, uid, 0));
    }
    for mechanism in 0..MECHANISM_COUNT_CURRENT.get(db, (netuid,)) {
        let index = storage_index(netuid, mechanism);
        LAST_UPDATE.mutate(db, (index,), |column| set(column, uid, block));
        INCENTIVE.mutate(db, (index,), |column| set(column, uid, 0));
    }
    exec.emit_subtensor(Event::NeuronRegistered(netuid, uid, hotkey));
}

/// Puts a value at a uid's place, lengthening the column as needed.
pub(crate) fn set<T: Clone + Default>(column: &mut Vec<T>, uid: u16, value: T) {
    let place = usize::from(uid);
    if column.len() <= place {
        column.resize(place + 1, T::default());
    }
    column[place] = value;
}
