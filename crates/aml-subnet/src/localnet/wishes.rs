//! What a developer may ask for without a transaction: each is done at the beginning of a block.

use std::str::FromStr;

use super::exec::{self, Exec, Fault};
use super::item::{Item, Write};
use super::items::subtensor::{
    ACTIVITY_CUTOFF, BURN, COLLATERAL_LOCK_SHARE, COMMIT_REVEAL_VERSION, COMMIT_REVEAL_WEIGHTS_ENABLED,
    IMMUNITY_PERIOD, MAX_ALLOWED_UIDS, MAX_ALLOWED_VALIDATORS, MAX_REGISTRATIONS_PER_BLOCK, MAX_WEIGHTS_LIMIT,
    MECHANISM_COUNT_CURRENT, MIN_ALLOWED_WEIGHTS, NETWORK_REGISTRATION_ALLOWED, OWNER, REVEAL_PERIOD_EPOCHS,
    SERVING_RATE_LIMIT, STAKE_THRESHOLD, TEMPO, UIDS, WEIGHTS_MIN_STAKE, WEIGHTS_SET_RATE_LIMIT, WEIGHTS_VERSION_KEY,
};
use super::mirror::AccountId32;
use super::mirror::pallet_subtensor::pallet::Error;
use super::rules::{epoch, staking, subnets, timelock};
use super::spec::Generation;

/// A rule that can be set, under the name that the SDKs give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hyperparameter {
    /// Blocks of an epoch, less one.
    Tempo,
    /// Blocks between two submissions of weights.
    WeightsRateLimit,
    /// Version that weights must carry at least.
    WeightsVersion,
    /// Blocks between two announcements.
    ServingRateLimit,
    /// Fewest weights.
    MinAllowedWeights,
    /// Largest share of one weight, in 65535ths.
    MaxWeightsLimit,
    /// Most neurons.
    MaxAllowedUids,
    /// Most neurons with a permit.
    MaxValidators,
    /// Blocks in which a new neuron does not give way.
    ImmunityPeriod,
    /// Blocks after which a silent validator no longer counts.
    ActivityCutoff,
    /// Whether neurons may register: 0 or 1.
    RegistrationAllowed,
    /// Registrations in one block.
    MaxRegistrationsPerBlock,
    /// Cost of a registration in rao.
    Burn,
    /// Whether weights are committed first: 0 or 1.
    CommitRevealWeightsEnabled,
    /// Epochs between commit and reveal.
    CommitRevealPeriod,
    /// Version of timelocked commits.
    CommitRevealVersion,
    /// Share of the cost of a registration that is locked, in 65535ths.
    CollateralLockShare,
    /// Stake in rao that weights ask for; of all subnets.
    StakeThreshold,
    /// Mechanisms of the subnet.
    MechanismCount,
}

/// A name of no rule.
#[derive(Debug, thiserror::Error)]
#[error("no hyperparameter {name:?}; there are {}", NAMES.map(|(name, _)| name).join(", "))]
pub struct UnknownHyperparameter {
    name: String,
}

const NAMES: [(&str, Hyperparameter); 19] = [
    ("tempo", Hyperparameter::Tempo),
    ("weights_rate_limit", Hyperparameter::WeightsRateLimit),
    ("weights_version", Hyperparameter::WeightsVersion),
    ("serving_rate_limit", Hyperparameter::ServingRateLimit),
    ("min_allowed_weights", Hyperparameter::MinAllowedWeights),
    ("max_weights_limit", Hyperparameter::MaxWeightsLimit),
    ("max_allowed_uids", Hyperparameter::MaxAllowedUids),
    ("max_validators", Hyperparameter::MaxValidators),
    ("immunity_period", Hyperparameter::ImmunityPeriod),
    ("activity_cutoff", Hyperparameter::ActivityCutoff),
    ("registration_allowed", Hyperparameter::RegistrationAllowed),
    ("max_regs_per_block", Hyperparameter::MaxRegistrationsPerBlock),
    ("burn", Hyperparameter::Burn),
    ("commit_reveal_weights_enabled", Hyperparameter::CommitRevealWeightsEnabled),
    ("commit_reveal_period", Hyperparameter::CommitRevealPeriod),
    ("commit_reveal_version", Hyperparameter::CommitRevealVersion),
    ("collateral_lock_share", Hyperparameter::CollateralLockShare),
    ("stake_threshold", Hyperparameter::StakeThreshold),
    ("mechanism_count", Hyperparameter::MechanismCount),
];

impl FromStr for Hyperparameter {
    type Err = UnknownHyperparameter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, parameter)| *parameter).ok_or_else(|| UnknownHyperparameter { name: text.to_owned() })
    }
}

fn short(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// Sets a rule; a value that is too large becomes the largest there is.
pub(crate) fn set_hyperparameter(
    exec: &mut Exec<'_>,
    netuid: u16,
    name: Hyperparameter,
    value: u64,
) -> Result<(), Fault> {
    if !subnets::exists(&exec.db, netuid) {
        return Err(Error::SubnetNotExists.into());
    }
    let short_item: &Item<(u16,), u16> = match name {
        Hyperparameter::Tempo => &TEMPO,
        Hyperparameter::MinAllowedWeights => &MIN_ALLOWED_WEIGHTS,
        Hyperparameter::MaxWeightsLimit => &MAX_WEIGHTS_LIMIT,
        Hyperparameter::MaxAllowedUids => &MAX_ALLOWED_UIDS,
        Hyperparameter::MaxValidators => &MAX_ALLOWED_VALIDATORS,
        Hyperparameter::ImmunityPeriod => &IMMUNITY_PERIOD,
        Hyperparameter::ActivityCutoff => &ACTIVITY_CUTOFF,
        Hyperparameter::CollateralLockShare => &COLLATERAL_LOCK_SHARE,
        Hyperparameter::MaxRegistrationsPerBlock => &MAX_REGISTRATIONS_PER_BLOCK,
        _ => return set_long(exec, netuid, name, value),
    };
    short_item.put(&mut exec.db, (netuid,), &short(value));
    Ok(())
}

fn set_long(exec: &mut Exec<'_>, netuid: u16, name: Hyperparameter, value: u64) -> Result<(), Fault> {
    let (db, key, switch) = (&mut exec.db, (netuid,), value != 0);
    match name {
        Hyperparameter::WeightsRateLimit => WEIGHTS_SET_RATE_LIMIT.put(db, key, &value),
        Hyperparameter::WeightsVersion => WEIGHTS_VERSION_KEY.put(db, key, &value),
        Hyperparameter::ServingRateLimit => SERVING_RATE_LIMIT.put(db, key, &value),
        Hyperparameter::Burn => BURN.put(db, key, &value),
        Hyperparameter::CommitRevealPeriod => REVEAL_PERIOD_EPOCHS.put(db, key, &value),
        Hyperparameter::RegistrationAllowed => NETWORK_REGISTRATION_ALLOWED.put(db, key, &switch),
        Hyperparameter::CommitRevealWeightsEnabled => COMMIT_REVEAL_WEIGHTS_ENABLED.put(db, key, &switch),
        Hyperparameter::CommitRevealVersion => COMMIT_REVEAL_VERSION.put(db, (), &short(value)),
        Hyperparameter::MechanismCount => {
            MECHANISM_COUNT_CURRENT.put(db, key, &u8::try_from(value).unwrap_or(u8::MAX));
        }
        Hyperparameter::StakeThreshold if exec.spec.generation == Generation::G218 => {
            WEIGHTS_MIN_STAKE.put(db, (), &value);
        }
        Hyperparameter::StakeThreshold => STAKE_THRESHOLD.put(db, (), &value),
        _ => return Err(Fault::CannotLookup),
    }
    Ok(())
}

/// Gives a hotkey a place for nothing.
pub(crate) fn register(
    exec: &mut Exec<'_>,
    netuid: u16,
    hotkey: AccountId32,
    coldkey: AccountId32,
) -> Result<u16, Fault> {
    if !subnets::exists(&exec.db, netuid) {
        return Err(Error::SubnetNotExists.into());
    }
    if UIDS.contains(&exec.db, (netuid, hotkey)) {
        return Err(Error::HotKeyAlreadyRegisteredInSubNet.into());
    }
    subnets::own(&mut exec.db, coldkey, hotkey)?;
    subnets::register(exec, netuid, hotkey)
}

/// Gives a hotkey stake out of nothing, as its owner's.
pub(crate) fn stake(exec: &mut Exec<'_>, netuid: u16, hotkey: AccountId32, rao: u64) -> Result<(), Fault> {
    let owner = OWNER.find(&exec.db, (hotkey,)).ok_or(Error::HotKeyAccountNotExists)?;
    staking::credit(exec, owner, hotkey, netuid, rao);
    Ok(())
}

/// Gives an account funds out of nothing.
pub(crate) fn fund(exec: &mut Exec<'_>, account: AccountId32, rao: u64) -> Result<(), Fault> {
    exec::deposit(&mut exec.db, account, rao);
    Ok(())
}

/// Ends the epoch of a subnet now.
pub(crate) fn run_epoch(exec: &mut Exec<'_>, netuid: u16) -> Result<(), Fault> {
    if !subnets::exists(&exec.db, netuid) {
        return Err(Error::SubnetNotExists.into());
    }
    epoch::run(exec, netuid);
    Ok(())
}

/// Stores the beacon's signature of a round; the caller has verified it.
pub(crate) fn pulse(exec: &mut Exec<'_>, round: u64, signature: &[u8]) -> Result<(), Fault> {
    timelock::store_pulse(exec, round, signature);
    Ok(())
}

/// Writes storage as it is given.
pub(crate) fn set_storage(exec: &mut Exec<'_>, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), Fault> {
    for (key, value) in changes {
        exec.db.write(key, value);
    }
    Ok(())
}
