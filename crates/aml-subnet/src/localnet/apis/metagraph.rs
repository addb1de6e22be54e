//! The whole subnet in one answer.

use super::query::{Query, c, cs};
use super::subnets::{ONE, name};
use crate::localnet::items::subtensor as s;
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::pallet::AxonInfo;
use crate::localnet::mirror::pallet_subtensor::rpc_info::metagraph::Metagraph;
use crate::localnet::mirror::pallet_subtensor::rpc_info::show_subnet::SubnetState;
use crate::localnet::rules::{staking, subnets};

/// The neurons of a subnet, by column.
struct Columns {
    hotkeys: Vec<AccountId32>,
    coldkeys: Vec<AccountId32>,
    axons: Vec<AxonInfo>,
    stakes: Vec<staking::Stake>,
    registered: Vec<u64>,
}

impl Columns {
    fn of(q: &Query<'_>, netuid: u16) -> Self {
        let (db, size) = (&q.db, s::SUBNETWORK_N.get(&q.db, (netuid,)));
        let hotkeys: Vec<_> = (0..size).map(|uid| s::KEYS.get(db, (netuid, uid))).collect();
        Self {
            coldkeys: hotkeys.iter().map(|hotkey| s::OWNER.get(db, (*hotkey,))).collect(),
            axons: hotkeys.iter().map(|hotkey| s::AXONS.find(db, (netuid, *hotkey)).unwrap_or_default()).collect(),
            stakes: hotkeys.iter().map(|hotkey| staking::of(db, q.spec, *hotkey, netuid)).collect(),
            registered: (0..size).map(|uid| s::BLOCK_AT_REGISTRATION.get(db, (netuid, uid))).collect(),
            hotkeys,
        }
    }

    fn stakes(&self, part: impl Fn(&staking::Stake) -> u64) -> Vec<u64> {
        self.stakes.iter().map(part).collect()
    }
}

pub(super) fn metagraph(q: &Query<'_>, netuid: u16) -> Option<Metagraph> {
    mechagraph(q, netuid, 0)
}

#[expect(clippy::too_many_lines, reason = "one line per field of the answer, and nothing else")]
pub(super) fn mechagraph(q: &Query<'_>, netuid: u16, mechanism: u8) -> Option<Metagraph> {
    let (db, key) = (&q.db, (netuid,));
    let known = subnets::exists(db, netuid) && mechanism < s::MECHANISM_COUNT_CURRENT.get(db, key);
    let index = (known.then(|| subnets::storage_index(netuid, mechanism))?,);
    let columns = Columns::of(q, netuid);
    let (alpha_low, alpha_high) = s::ALPHA_VALUES.get(db, key);
    Some(Metagraph {
        netuid: c(netuid),
        name: cs(&name(q, netuid)),
        symbol: cs(&s::TOKEN_SYMBOL.get(db, key)),
        identity: s::SUBNET_IDENTITIES.find(db, key),
        network_registered_at: c(s::NETWORK_REGISTERED_AT.get(db, key)),
        owner_hotkey: s::SUBNET_OWNER_HOTKEY.get(db, key),
        owner_coldkey: s::SUBNET_OWNER.get(db, key),
        block: c(q.block),
        tempo: c(s::TEMPO.get(db, key)),
        last_step: c(s::LAST_STEP_BLOCK.get(db, key)),
        blocks_since_last_step: c(s::BLOCKS_SINCE_LAST_STEP.get(db, key)),
        subnet_emission: c(0),
        alpha_in: c(s::SUBNET_ALPHA_IN.get(db, key)),
        alpha_out: c(s::SUBNET_ALPHA_OUT.get(db, key)),
        tao_in: c(s::SUBNET_TAO.get(db, key)),
        alpha_out_emission: c(0),
        alpha_in_emission: c(0),
        tao_in_emission: c(0),
        pending_alpha_emission: c(0),
        pending_root_emission: c(0),
        subnet_volume: c(0),
        moving_price: ONE,
        rho: c(s::RHO.get(db, key)),
        kappa: c(s::KAPPA.get(db, key)),
        min_allowed_weights: c(s::MIN_ALLOWED_WEIGHTS.get(db, key)),
        max_weights_limit: c(s::MAX_WEIGHTS_LIMIT.get(db, key)),
        weights_version: c(s::WEIGHTS_VERSION_KEY.get(db, key)),
        weights_rate_limit: c(s::WEIGHTS_SET_RATE_LIMIT.get(db, key)),
        activity_cutoff: c(s::ACTIVITY_CUTOFF.get(db, key)),
        max_validators: c(s::MAX_ALLOWED_VALIDATORS.get(db, key)),
        num_uids: c(s::SUBNETWORK_N.get(db, key)),
        max_uids: c(s::MAX_ALLOWED_UIDS.get(db, key)),
        burn: c(s::BURN.get(db, key)),
        difficulty: c(s::DIFFICULTY.get(db, key)),
        registration_allowed: s::NETWORK_REGISTRATION_ALLOWED.get(db, key),
        pow_registration_allowed: s::NETWORK_POW_REGISTRATION_ALLOWED.get(db, key),
        immunity_period: c(s::IMMUNITY_PERIOD.get(db, key)),
        min_difficulty: c(s::MIN_DIFFICULTY.get(db, key)),
        max_difficulty: c(s::MAX_DIFFICULTY.get(db, key)),
        min_burn: c(s::MIN_BURN.get(db, key)),
        max_burn: c(s::MAX_BURN.get(db, key)),
        adjustment_alpha: c(s::ADJUSTMENT_ALPHA.get(db, key)),
        adjustment_interval: c(s::ADJUSTMENT_INTERVAL.get(db, key)),
        target_regs_per_interval: c(s::TARGET_REGISTRATIONS.get(db, key)),
        max_regs_per_block: c(s::MAX_REGISTRATIONS_PER_BLOCK.get(db, key)),
        serving_rate_limit: c(s::SERVING_RATE_LIMIT.get(db, key)),
        commit_reveal_weights_enabled: subnets::commits_first(db, q.spec, netuid),
        commit_reveal_period: c(s::REVEAL_PERIOD_EPOCHS.get(db, key)),
        liquid_alpha_enabled: s::LIQUID_ALPHA_ON.get(db, key),
        alpha_high: c(alpha_high),
        alpha_low: c(alpha_low),
        bonds_moving_avg: c(s::BONDS_MOVING_AVERAGE.get(db, key)),
        identities: columns.coldkeys.iter().map(|coldkey| s::IDENTITIES.find(db, (*coldkey,))).collect(),
        active: s::ACTIVE.get(db, key),
        validator_permit: s::VALIDATOR_PERMIT.get(db, key),
        pruning_score: cs(&s::PRUNING_SCORES.get(db, key)),
        last_update: cs(&s::LAST_UPDATE.get(db, index)),
        emission: cs(&s::EMISSION.get(db, key)),
        dividends: cs(&s::DIVIDENDS.get(db, key)),
        incentives: cs(&s::INCENTIVE.get(db, index)),
        consensus: cs(&s::CONSENSUS.get(db, key)),
        trust: cs(&s::TRUST.get(db, key)),
        rank: cs(&s::RANK.get(db, key)),
        block_at_registration: cs(&columns.registered),
        alpha_stake: cs(&columns.stakes(|stake| stake.alpha)),
        tao_stake: cs(&columns.stakes(|stake| stake.tao)),
        total_stake: cs(&columns.stakes(|stake| stake.total())),
        tao_dividends_per_hotkey: Vec::new(),
        alpha_dividends_per_hotkey: Vec::new(),
        axons: columns.axons,
        coldkeys: columns.coldkeys,
        hotkeys: columns.hotkeys,
    })
}

pub(super) fn state(q: &Query<'_>, netuid: u16) -> Option<SubnetState> {
    let full = metagraph(q, netuid)?;
    Some(SubnetState {
        netuid: full.netuid,
        hotkeys: full.hotkeys,
        coldkeys: full.coldkeys,
        active: full.active,
        validator_permit: full.validator_permit,
        pruning_score: full.pruning_score,
        last_update: full.last_update,
        emission: full.emission,
        dividends: full.dividends,
        incentives: full.incentives,
        consensus: full.consensus,
        trust: full.trust,
        rank: full.rank,
        block_at_registration: full.block_at_registration,
        alpha_stake: full.alpha_stake,
        tao_stake: full.tao_stake,
        total_stake: full.total_stake,
        emission_history: Vec::new(),
    })
}

pub(super) fn metagraphs(q: &Query<'_>) -> Vec<Option<Metagraph>> {
    q.netuids().into_iter().map(|netuid| metagraph(q, netuid)).collect()
}
