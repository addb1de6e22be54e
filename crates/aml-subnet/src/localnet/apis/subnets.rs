//! Subnets and neurons as the runtime APIs show them.

use super::query::{Query, c, cs};
use crate::localnet::item::Item;
use crate::localnet::items::subtensor as s;
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::rpc_info::dynamic_info::DynamicInfo;
use crate::localnet::mirror::pallet_subtensor::rpc_info::neuron_info::{NeuronInfo, NeuronInfoLite};
use crate::localnet::mirror::pallet_subtensor::rpc_info::subnet_info::{SubnetHyperparams, SubnetInfo, SubnetInfov2};
use crate::localnet::mirror::substrate_fixed::FixedI128;
use crate::localnet::rules::{staking, subnets};

/// One price for all: a TAO buys an alpha.
pub(super) const ONE: FixedI128 = FixedI128 { bits: 1 << 32 };

impl Query<'_> {
    fn exists(&self, netuid: u16) -> Option<u16> {
        subnets::exists(&self.db, netuid).then_some(netuid)
    }

    pub(super) fn netuids(&self) -> Vec<u16> {
        let limit = s::SUBNET_LIMIT.get(&self.db, ());
        (0..=limit).filter(|netuid| subnets::exists(&self.db, *netuid)).collect()
    }

    fn coldkey(&self, hotkey: AccountId32) -> AccountId32 {
        s::OWNER.get(&self.db, (hotkey,))
    }

    fn stake(&self, hotkey: AccountId32, netuid: u16) -> staking::Stake {
        staking::of(&self.db, self.spec, hotkey, netuid)
    }

    fn column(&self, item: &Item<(u16,), Vec<u16>>, index: u16) -> Vec<u16> {
        item.get(&self.db, (index,))
    }
}

fn at<T: Copy + Default>(column: &[T], uid: u16) -> T {
    column.get(usize::from(uid)).copied().unwrap_or_default()
}

pub(super) fn neurons(q: &Query<'_>, netuid: u16) -> Vec<NeuronInfo> {
    (0..s::SUBNETWORK_N.get(&q.db, (netuid,))).filter_map(|uid| neuron(q, netuid, uid)).collect()
}

pub(super) fn neurons_lite(q: &Query<'_>, netuid: u16) -> Vec<NeuronInfoLite> {
    (0..s::SUBNETWORK_N.get(&q.db, (netuid,))).filter_map(|uid| neuron_lite(q, netuid, uid)).collect()
}

pub(super) fn neuron_lite(q: &Query<'_>, netuid: u16, uid: u16) -> Option<NeuronInfoLite> {
    if uid >= s::SUBNETWORK_N.get(&q.db, (netuid,)) {
        return None;
    }
    let db = &q.db;
    let hotkey = s::KEYS.get(db, (netuid, uid));
    let coldkey = q.coldkey(hotkey);
    Some(NeuronInfoLite {
        hotkey,
        coldkey,
        uid: c(uid),
        netuid: c(netuid),
        active: at(&s::ACTIVE.get(db, (netuid,)), uid),
        axon_info: s::AXONS.find(db, (netuid, hotkey)).unwrap_or_default(),
        prometheus_info: s::PROMETHEUS.find(db, (netuid, hotkey)).unwrap_or_default(),
        stake: vec![(coldkey, c(q.stake(hotkey, netuid).total()))],
        rank: c(at(&q.column(&s::RANK, netuid), uid)),
        emission: c(at(&s::EMISSION.get(db, (netuid,)), uid)),
        incentive: c(at(&q.column(&s::INCENTIVE, netuid), uid)),
        consensus: c(at(&q.column(&s::CONSENSUS, netuid), uid)),
        trust: c(at(&q.column(&s::TRUST, netuid), uid)),
        validator_trust: c(at(&q.column(&s::VALIDATOR_TRUST, netuid), uid)),
        dividends: c(at(&q.column(&s::DIVIDENDS, netuid), uid)),
        last_update: c(at(&s::LAST_UPDATE.get(db, (netuid,)), uid)),
        validator_permit: at(&s::VALIDATOR_PERMIT.get(db, (netuid,)), uid),
        pruning_score: c(at(&q.column(&s::PRUNING_SCORES, netuid), uid)),
    })
}

pub(super) fn neuron(q: &Query<'_>, netuid: u16, uid: u16) -> Option<NeuronInfo> {
    let lite = neuron_lite(q, netuid, uid)?;
    let pairs = |rows: Vec<(u16, u16)>| rows.into_iter().map(|(to, value)| (c(to), c(value))).collect();
    Some(NeuronInfo {
        hotkey: lite.hotkey,
        coldkey: lite.coldkey,
        uid: lite.uid,
        netuid: lite.netuid,
        active: lite.active,
        axon_info: lite.axon_info,
        prometheus_info: lite.prometheus_info,
        stake: lite.stake,
        rank: lite.rank,
        emission: lite.emission,
        incentive: lite.incentive,
        consensus: lite.consensus,
        trust: lite.trust,
        validator_trust: lite.validator_trust,
        dividends: lite.dividends,
        last_update: lite.last_update,
        validator_permit: lite.validator_permit,
        weights: pairs(s::WEIGHTS.get(&q.db, (netuid, uid))),
        bonds: pairs(s::BONDS.get(&q.db, (netuid, uid))),
        pruning_score: lite.pruning_score,
    })
}

pub(super) fn info(q: &Query<'_>, netuid: u16) -> Option<SubnetInfo> {
    let (db, key) = (&q.db, (q.exists(netuid)?,));
    Some(SubnetInfo {
        netuid: c(netuid),
        rho: c(s::RHO.get(db, key)),
        kappa: c(s::KAPPA.get(db, key)),
        difficulty: c(s::DIFFICULTY.get(db, key)),
        immunity_period: c(s::IMMUNITY_PERIOD.get(db, key)),
        max_allowed_validators: c(s::MAX_ALLOWED_VALIDATORS.get(db, key)),
        min_allowed_weights: c(s::MIN_ALLOWED_WEIGHTS.get(db, key)),
        max_weights_limit: c(s::MAX_WEIGHTS_LIMIT.get(db, key)),
        scaling_law_power: c(50),
        subnetwork_n: c(s::SUBNETWORK_N.get(db, key)),
        max_allowed_uids: c(s::MAX_ALLOWED_UIDS.get(db, key)),
        blocks_since_last_step: c(s::BLOCKS_SINCE_LAST_STEP.get(db, key)),
        tempo: c(s::TEMPO.get(db, key)),
        network_modality: c(0),
        network_connect: Vec::new(),
        emission_values: c(0),
        burn: c(s::BURN.get(db, key)),
        owner: s::SUBNET_OWNER.get(db, key),
    })
}

pub(super) fn infos(q: &Query<'_>) -> Vec<Option<SubnetInfo>> {
    q.netuids().into_iter().map(|netuid| info(q, netuid)).collect()
}

pub(super) fn info_v2(q: &Query<'_>, netuid: u16) -> Option<SubnetInfov2> {
    let info = info(q, netuid)?;
    Some(SubnetInfov2 {
        netuid: info.netuid,
        rho: info.rho,
        kappa: info.kappa,
        difficulty: info.difficulty,
        immunity_period: info.immunity_period,
        max_allowed_validators: info.max_allowed_validators,
        min_allowed_weights: info.min_allowed_weights,
        max_weights_limit: info.max_weights_limit,
        scaling_law_power: info.scaling_law_power,
        subnetwork_n: info.subnetwork_n,
        max_allowed_uids: info.max_allowed_uids,
        blocks_since_last_step: info.blocks_since_last_step,
        tempo: info.tempo,
        network_modality: info.network_modality,
        network_connect: info.network_connect,
        emission_value: info.emission_values,
        burn: info.burn,
        owner: info.owner,
        identity: s::SUBNET_IDENTITIES.find(&q.db, (netuid,)),
    })
}

pub(super) fn infos_v2(q: &Query<'_>) -> Vec<Option<SubnetInfov2>> {
    q.netuids().into_iter().map(|netuid| info_v2(q, netuid)).collect()
}

pub(super) fn hyperparams(q: &Query<'_>, netuid: u16) -> Option<SubnetHyperparams> {
    let (db, key) = (&q.db, (q.exists(netuid)?,));
    let (alpha_low, alpha_high) = s::ALPHA_VALUES.get(db, key);
    Some(SubnetHyperparams {
        rho: c(s::RHO.get(db, key)),
        kappa: c(s::KAPPA.get(db, key)),
        immunity_period: c(s::IMMUNITY_PERIOD.get(db, key)),
        min_allowed_weights: c(s::MIN_ALLOWED_WEIGHTS.get(db, key)),
        max_weights_limit: c(s::MAX_WEIGHTS_LIMIT.get(db, key)),
        tempo: c(s::TEMPO.get(db, key)),
        min_difficulty: c(s::MIN_DIFFICULTY.get(db, key)),
        max_difficulty: c(s::MAX_DIFFICULTY.get(db, key)),
        weights_version: c(s::WEIGHTS_VERSION_KEY.get(db, key)),
        weights_rate_limit: c(s::WEIGHTS_SET_RATE_LIMIT.get(db, key)),
        adjustment_interval: c(s::ADJUSTMENT_INTERVAL.get(db, key)),
        activity_cutoff: c(s::ACTIVITY_CUTOFF.get(db, key)),
        registration_allowed: s::NETWORK_REGISTRATION_ALLOWED.get(db, key),
        target_regs_per_interval: c(s::TARGET_REGISTRATIONS.get(db, key)),
        min_burn: c(s::MIN_BURN.get(db, key)),
        max_burn: c(s::MAX_BURN.get(db, key)),
        bonds_moving_avg: c(s::BONDS_MOVING_AVERAGE.get(db, key)),
        max_regs_per_block: c(s::MAX_REGISTRATIONS_PER_BLOCK.get(db, key)),
        serving_rate_limit: c(s::SERVING_RATE_LIMIT.get(db, key)),
        max_validators: c(s::MAX_ALLOWED_VALIDATORS.get(db, key)),
        adjustment_alpha: c(s::ADJUSTMENT_ALPHA.get(db, key)),
        difficulty: c(s::DIFFICULTY.get(db, key)),
        commit_reveal_period: c(s::REVEAL_PERIOD_EPOCHS.get(db, key)),
        commit_reveal_weights_enabled: subnets::commits_first(db, q.spec, netuid),
        alpha_high: c(alpha_high),
        alpha_low: c(alpha_low),
        liquid_alpha_enabled: s::LIQUID_ALPHA_ON.get(db, key),
    })
}

pub(super) fn dynamic(q: &Query<'_>, netuid: u16) -> Option<DynamicInfo> {
    let (db, key) = (&q.db, (q.exists(netuid)?,));
    Some(DynamicInfo {
        netuid: c(netuid),
        owner_hotkey: s::SUBNET_OWNER_HOTKEY.get(db, key),
        owner_coldkey: s::SUBNET_OWNER.get(db, key),
        subnet_name: cs(&name(q, netuid)),
        token_symbol: cs(&s::TOKEN_SYMBOL.get(db, key)),
        tempo: c(s::TEMPO.get(db, key)),
        last_step: c(s::LAST_STEP_BLOCK.get(db, key)),
        blocks_since_last_step: c(s::BLOCKS_SINCE_LAST_STEP.get(db, key)),
        emission: c(0),
        alpha_in: c(s::SUBNET_ALPHA_IN.get(db, key)),
        alpha_out: c(s::SUBNET_ALPHA_OUT.get(db, key)),
        tao_in: c(s::SUBNET_TAO.get(db, key)),
        alpha_out_emission: c(0),
        alpha_in_emission: c(0),
        tao_in_emission: c(0),
        pending_alpha_emission: c(0),
        pending_root_emission: c(0),
        subnet_volume: c(0),
        network_registered_at: c(s::NETWORK_REGISTERED_AT.get(db, key)),
        subnet_identity: s::SUBNET_IDENTITIES.find(db, key),
        moving_price: ONE,
    })
}

pub(super) fn dynamics(q: &Query<'_>) -> Vec<Option<DynamicInfo>> {
    q.netuids().into_iter().map(|netuid| dynamic(q, netuid)).collect()
}

pub(super) fn name(q: &Query<'_>, netuid: u16) -> Vec<u8> {
    let identity = s::SUBNET_IDENTITIES.find(&q.db, (netuid,));
    identity.map_or_else(|| format!("subnet {netuid}").into_bytes(), |identity| identity.subnet_name)
}
