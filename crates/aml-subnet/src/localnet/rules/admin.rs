//! Rules of subnets, changed by root or by the subnet's owner.

use crate::localnet::exec::{Exec, Fault, Origin};
use crate::localnet::items::subtensor::{
    ACTIVITY_CUTOFF, COMMIT_REVEAL_VERSION, COMMIT_REVEAL_WEIGHTS_ENABLED, IMMUNITY_PERIOD, MAX_ALLOWED_UIDS,
    MAX_ALLOWED_VALIDATORS, MAX_REGISTRATIONS_PER_BLOCK, MAX_WEIGHTS_LIMIT, MECHANISM_COUNT_CURRENT,
    MIN_ALLOWED_WEIGHTS, NETWORK_REGISTRATION_ALLOWED, REVEAL_PERIOD_EPOCHS, SERVING_RATE_LIMIT, STAKE_THRESHOLD,
    SUBNET_OWNER, SUBNETWORK_N, TEMPO, WEIGHTS_SET_RATE_LIMIT, WEIGHTS_VERSION_KEY,
};
use crate::localnet::mirror::pallet_admin_utils::pallet::{Call, Error};
use crate::localnet::mirror::pallet_subtensor::pallet::Event;
use crate::localnet::rules::subnets;

/// The subnet that a call is about; `None` where it is about all.
fn subnet(call: &Call) -> Option<u16> {
    match *call {
        Call::sudo_set_stake_threshold { .. } | Call::sudo_set_commit_reveal_version { .. } => None,
        Call::sudo_set_serving_rate_limit { netuid, .. }
        | Call::sudo_set_weights_version_key { netuid, .. }
        | Call::sudo_set_weights_set_rate_limit { netuid, .. }
        | Call::sudo_set_max_weight_limit { netuid, .. }
        | Call::sudo_set_immunity_period { netuid, .. }
        | Call::sudo_set_min_allowed_weights { netuid, .. }
        | Call::sudo_set_max_allowed_uids { netuid, .. }
        | Call::sudo_set_activity_cutoff { netuid, .. }
        | Call::sudo_set_network_registration_allowed { netuid, .. }
        | Call::sudo_set_max_allowed_validators { netuid, .. }
        | Call::sudo_set_max_registrations_per_block { netuid, .. }
        | Call::sudo_set_tempo { netuid, .. }
        | Call::sudo_set_commit_reveal_weights_enabled { netuid, .. }
        | Call::sudo_set_commit_reveal_weights_interval { netuid, .. }
        | Call::sudo_set_mechanism_count { netuid, .. } => Some(netuid),
    }
}

/// What the owner of a subnet may not change himself.
fn root_only(call: &Call) -> bool {
    matches!(
        call,
        Call::sudo_set_weights_set_rate_limit { .. }
            | Call::sudo_set_max_allowed_uids { .. }
            | Call::sudo_set_max_allowed_validators { .. }
            | Call::sudo_set_max_registrations_per_block { .. }
            | Call::sudo_set_tempo { .. }
            | Call::sudo_set_stake_threshold { .. }
            | Call::sudo_set_commit_reveal_version { .. }
    )
}

/// Carries out a call of the administration.
pub(crate) fn run(exec: &mut Exec<'_>, origin: Origin, call: &Call) -> Result<(), Fault> {
    let netuid = subnet(call);
    if let Origin::Signed(who) = origin {
        let owns = netuid.is_some_and(|netuid| SUBNET_OWNER.get(&exec.db, (netuid,)) == who);
        if !owns || root_only(call) {
            return Err(Fault::BadOrigin);
        }
    }
    if netuid.is_some_and(|netuid| !subnets::exists(&exec.db, netuid)) {
        return Err(Fault::Admin(Error::SubnetDoesNotExist));
    }
    set(exec, call)
}

fn set(exec: &mut Exec<'_>, call: &Call) -> Result<(), Fault> {
    let db = &mut exec.db;
    match *call {
        Call::sudo_set_serving_rate_limit { netuid, serving_rate_limit: value } => {
            SERVING_RATE_LIMIT.put(db, (netuid,), &value);
        }
        Call::sudo_set_weights_version_key { netuid, weights_version_key: value } => {
            WEIGHTS_VERSION_KEY.put(db, (netuid,), &value);
        }
        Call::sudo_set_weights_set_rate_limit { netuid, weights_set_rate_limit: value } => {
            WEIGHTS_SET_RATE_LIMIT.put(db, (netuid,), &value);
        }
        Call::sudo_set_max_weight_limit { netuid, max_weight_limit: value } => {
            MAX_WEIGHTS_LIMIT.put(db, (netuid,), &value);
        }
        Call::sudo_set_immunity_period { netuid, immunity_period: value } => {
            IMMUNITY_PERIOD.put(db, (netuid,), &value);
        }
        Call::sudo_set_min_allowed_weights { netuid, min_allowed_weights: value } => {
            MIN_ALLOWED_WEIGHTS.put(db, (netuid,), &value);
        }
        Call::sudo_set_max_allowed_uids { netuid, max_allowed_uids: value } => {
            if value < SUBNETWORK_N.get(db, (netuid,)) {
                return Err(Fault::Admin(Error::MaxAllowedUIdsLessThanCurrentUIds));
            }
            MAX_ALLOWED_UIDS.put(db, (netuid,), &value);
        }
        Call::sudo_set_activity_cutoff { netuid, activity_cutoff: value } => {
            ACTIVITY_CUTOFF.put(db, (netuid,), &value);
        }
        Call::sudo_set_network_registration_allowed { netuid, registration_allowed: value } => {
            NETWORK_REGISTRATION_ALLOWED.put(db, (netuid,), &value);
        }
        Call::sudo_set_max_allowed_validators { netuid, max_allowed_validators: value } => {
            if value > MAX_ALLOWED_UIDS.get(db, (netuid,)) {
                return Err(Fault::Admin(Error::MaxValidatorsLargerThanMaxUIds));
            }
            MAX_ALLOWED_VALIDATORS.put(db, (netuid,), &value);
        }
        Call::sudo_set_max_registrations_per_block { netuid, max_registrations_per_block: value } => {
            MAX_REGISTRATIONS_PER_BLOCK.put(db, (netuid,), &value);
        }
        Call::sudo_set_tempo { netuid, tempo: value } => TEMPO.put(db, (netuid,), &value),
        Call::sudo_set_stake_threshold { min_stake: value } => STAKE_THRESHOLD.put(db, (), &value),
        Call::sudo_set_commit_reveal_weights_enabled { netuid, enabled: value } => {
            COMMIT_REVEAL_WEIGHTS_ENABLED.put(db, (netuid,), &value);
            exec.emit_subtensor(Event::CommitRevealEnabled(netuid, value));
        }
        Call::sudo_set_commit_reveal_weights_interval { netuid, interval: value } => {
            REVEAL_PERIOD_EPOCHS.put(db, (netuid,), &value);
        }
        Call::sudo_set_commit_reveal_version { version: value } => COMMIT_REVEAL_VERSION.put(db, (), &value),
        Call::sudo_set_mechanism_count { netuid, mechanism_count: value } => {
            MECHANISM_COUNT_CURRENT.put(db, (netuid,), &value);
        }
    }
    Ok(())
}
