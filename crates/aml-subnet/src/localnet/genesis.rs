//! The first block: development accounts with funds, the root, one subnet.

use super::config::Config;
use super::exec::{self, Exec};
use super::items::subtensor::{
    ACTIVITY_CUTOFF, BURN, COMMIT_REVEAL_WEIGHTS_ENABLED, FIRST_EMISSION_BLOCK_NUMBER, IMMUNITY_PERIOD,
    MAX_ALLOWED_UIDS, MAX_ALLOWED_VALIDATORS, MAX_REGISTRATIONS_PER_BLOCK, MAX_WEIGHTS_LIMIT, MIN_ALLOWED_WEIGHTS,
    SERVING_RATE_LIMIT, SUBTOKEN_ENABLED, TEMPO, TOTAL_ISSUANCE, WEIGHTS_SET_RATE_LIMIT,
};
use super::items::{balances, sudo, system};
use super::keyring;
use super::mirror::frame_system::LastRuntimeUpgradeInfo;
use super::rules::subnets;
use super::spec::Spec;

/// What each development account has, in rao: a million TAO.
pub(crate) const ENDOWMENT: u64 = 1_000_000_000_000_000;

/// Writes the state of the first block.
pub(crate) fn write(exec: &mut Exec<'_>, config: &Config) {
    let accounts = keyring::accounts();
    for (_, account) in &accounts {
        exec::deposit(&mut exec.db, *account, ENDOWMENT);
    }
    let issued = ENDOWMENT * accounts.len() as u64;
    balances::TOTAL_ISSUANCE.put(&mut exec.db, (), &issued);
    TOTAL_ISSUANCE.put(&mut exec.db, (), &issued);
    let alice = accounts[0].1;
    sudo::KEY.put(&mut exec.db, (), &alice);
    note_runtime(exec, exec.spec);
    subnets::create(exec, subnets::ROOT, alice, alice);
    TEMPO.put(&mut exec.db, (subnets::ROOT,), &100);
    if config.netuid != subnets::ROOT {
        subnets::create(exec, config.netuid, alice, alice);
        write_rules(exec, config);
    }
    exec.events.clear();
}

/// Remembers which runtime runs.
pub(crate) fn note_runtime(exec: &mut Exec<'_>, spec: Spec) {
    let info = LastRuntimeUpgradeInfo {
        spec_version: parity_scale_codec::Compact(spec.version),
        spec_name: "node-subtensor".to_owned(),
    };
    system::LAST_RUNTIME_UPGRADE.put(&mut exec.db, (), &info);
}

fn write_rules(exec: &mut Exec<'_>, config: &Config) {
    let (db, key, rules) = (&mut exec.db, (config.netuid,), &config.rules);
    TEMPO.put(db, key, &rules.tempo);
    WEIGHTS_SET_RATE_LIMIT.put(db, key, &rules.weights_rate_limit);
    SERVING_RATE_LIMIT.put(db, key, &rules.serving_rate_limit);
    MIN_ALLOWED_WEIGHTS.put(db, key, &rules.min_allowed_weights);
    MAX_ALLOWED_UIDS.put(db, key, &rules.max_allowed_uids);
    MAX_ALLOWED_VALIDATORS.put(db, key, &rules.max_allowed_validators);
    COMMIT_REVEAL_WEIGHTS_ENABLED.put(db, key, &rules.commit_reveal);
    BURN.put(db, key, &rules.burn);
    MAX_WEIGHTS_LIMIT.put(db, key, &u16::MAX);
    MAX_REGISTRATIONS_PER_BLOCK.put(db, key, &256);
    IMMUNITY_PERIOD.put(db, key, &100);
    ACTIVITY_CUTOFF.put(db, key, &5000);
    FIRST_EMISSION_BLOCK_NUMBER.put(db, key, &1);
    SUBTOKEN_ENABLED.put(db, key, &true);
}
