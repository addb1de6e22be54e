//! From a call to the rule that carries it out.

use crate::localnet::exec::{self, Exec, Fault, Origin};
use crate::localnet::extrinsic::blake2_256;
use crate::localnet::items::{sudo, system};
use crate::localnet::mirror::node_subtensor_runtime::{RuntimeCall, RuntimeEvent};
use crate::localnet::mirror::pallet_subtensor::pallet::{AxonInfo, Call, PrometheusInfo};
use crate::localnet::mirror::sp_runtime::multiaddress::MultiAddress;
use crate::localnet::mirror::{AccountId32, frame_system, pallet_balances, pallet_sudo};
use crate::localnet::rules::weights::{Row, Target};
use crate::localnet::rules::{admin, commits, serving, staking, subnets, weights};
use crate::localnet::shield;

/// Carries out a call; on failure nothing is changed.
pub(crate) fn run(exec: &mut Exec<'_>, origin: Origin, call: &RuntimeCall) -> Result<(), Fault> {
    exec.atomic(|exec| match call {
        _ if !exec.spec.offers(call) => Err(Fault::System(frame_system::pallet::Error::CallFiltered)),
        RuntimeCall::System(call) => remark(exec, origin, call),
        RuntimeCall::Timestamp(_) => Err(Fault::BadOrigin),
        RuntimeCall::Balances(call) => transfer(exec, origin, call),
        RuntimeCall::SubtensorModule(call) => subtensor(exec, origin.signer()?, call),
        RuntimeCall::Sudo(pallet_sudo::pallet::Call::sudo { call }) => as_root(exec, origin, call),
        RuntimeCall::AdminUtils(call) => admin::run(exec, origin, call),
        RuntimeCall::MevShield(call) => shield::submit(exec, origin, call),
    })
}

/// Whether the signer pays nothing: the calls of a neuron's daily work, which hotkeys without funds send.
pub(crate) fn is_free(call: &RuntimeCall) -> bool {
    let RuntimeCall::SubtensorModule(call) = call else { return matches!(call, RuntimeCall::Sudo(_)) };
    !matches!(
        call,
        Call::add_stake { .. }
            | Call::remove_stake { .. }
            | Call::add_stake_limit { .. }
            | Call::register_network { .. }
            | Call::burned_register { .. }
            | Call::register_limit { .. }
            | Call::root_register { .. }
    )
}

fn remark(exec: &mut Exec<'_>, origin: Origin, call: &frame_system::pallet::Call) -> Result<(), Fault> {
    if let frame_system::pallet::Call::remark_with_event { remark } = call {
        let (sender, hash) = (origin.signer()?, blake2_256(remark));
        exec.emit(RuntimeEvent::System(frame_system::pallet::Event::Remarked { sender, hash }));
    }
    Ok(())
}

fn as_root(exec: &mut Exec<'_>, origin: Origin, call: &RuntimeCall) -> Result<(), Fault> {
    let who = origin.signer()?;
    if sudo::KEY.find(&exec.db, ()) != Some(who) {
        return Err(Fault::Sudo(pallet_sudo::pallet::Error::RequireSudo));
    }
    let sudo_result = run(exec, Origin::Root, call).map_err(|fault| fault.dispatch_error(exec.spec));
    exec.emit(RuntimeEvent::Sudo(pallet_sudo::pallet::Event::Sudid { sudo_result }));
    Ok(())
}

fn account(address: &MultiAddress) -> Result<AccountId32, Fault> {
    address.account().ok_or(Fault::CannotLookup)
}

fn transfer(exec: &mut Exec<'_>, origin: Origin, call: &pallet_balances::pallet::Call) -> Result<(), Fault> {
    use pallet_balances::pallet::{Call, Event};
    match call {
        Call::transfer_allow_death { dest, value } | Call::transfer_keep_alive { dest, value } => {
            let (from, to, amount) = (origin.signer()?, account(dest)?, *value);
            exec::withdraw(&mut exec.db, from, amount)?;
            exec::deposit(&mut exec.db, to, amount);
            exec.emit(RuntimeEvent::Balances(Event::Transfer { from, to, amount }));
        }
        Call::force_set_balance { who, new_free } => {
            origin.root()?;
            let (who, free) = (account(who)?, *new_free);
            system::ACCOUNT.mutate(&mut exec.db, (who,), |account| {
                account.data.free = free;
                account.providers = 1;
            });
            exec.emit(RuntimeEvent::Balances(Event::BalanceSet { who, free }));
        }
    }
    Ok(())
}

fn subtensor(exec: &mut Exec<'_>, who: AccountId32, call: &Call) -> Result<(), Fault> {
    match call {
        Call::serve_axon { .. } | Call::serve_axon_tls { .. } | Call::serve_prometheus { .. } => serve(exec, who, call),
        Call::burned_register { netuid, hotkey } => subnets::burned_register(exec, who, *netuid, *hotkey),
        Call::register_limit { netuid, hotkey, limit_price } => {
            subnets::within_limit(&exec.db, *netuid, *limit_price)?;
            subnets::burned_register(exec, who, *netuid, *hotkey)
        }
        Call::register_network { hotkey } => subnets::register_network(exec, who, *hotkey),
        Call::root_register { hotkey } => {
            subnets::own(&mut exec.db, who, *hotkey)?;
            subnets::register(exec, subnets::ROOT, *hotkey).map(drop)
        }
        Call::start_call { netuid } => subnets::start(exec, who, *netuid),
        Call::add_stake { hotkey, netuid, amount_staked }
        | Call::add_stake_limit { hotkey, netuid, amount_staked, .. } => {
            staking::add(exec, who, *hotkey, *netuid, *amount_staked)
        }
        Call::remove_stake { hotkey, netuid, amount_unstaked } => {
            staking::remove(exec, who, *hotkey, *netuid, *amount_unstaked)
        }
        _ => weigh(exec, who, call),
    }
}

fn serve(exec: &mut Exec<'_>, who: AccountId32, call: &Call) -> Result<(), Fault> {
    if let Call::serve_prometheus { netuid, version, ip, port, ip_type } = *call {
        let info = PrometheusInfo { block: 0, version, ip, port, ip_type };
        return serving::serve_prometheus(exec, who, netuid, info);
    }
    let Some((netuid, axon)) = axon(call) else { return Err(Fault::BadOrigin) };
    let certificate = match call {
        Call::serve_axon_tls { certificate, .. } => Some(certificate.as_slice()),
        _ => None,
    };
    serving::serve_axon(exec, who, netuid, axon, certificate)
}

/// What a call announces.
pub(crate) fn axon(call: &Call) -> Option<(u16, AxonInfo)> {
    match *call {
        Call::serve_axon { netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2 }
        | Call::serve_axon_tls { netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2, .. } => {
            Some((netuid, AxonInfo { block: 0, version, ip, port, ip_type, protocol, placeholder1, placeholder2 }))
        }
        _ => None,
    }
}

/// The subnet and mechanism that a call of weights is about.
pub(crate) fn target(call: &Call) -> Option<Target> {
    match *call {
        Call::set_weights { netuid, .. }
        | Call::commit_weights { netuid, .. }
        | Call::reveal_weights { netuid, .. }
        | Call::commit_timelocked_weights { netuid, .. } => Some(Target { netuid, mechanism: 0 }),
        Call::set_mechanism_weights { netuid, mecid, .. }
        | Call::commit_mechanism_weights { netuid, mecid, .. }
        | Call::reveal_mechanism_weights { netuid, mecid, .. }
        | Call::commit_timelocked_mechanism_weights { netuid, mecid, .. } => Some(Target { netuid, mechanism: mecid }),
        _ => None,
    }
}

fn weigh(exec: &mut Exec<'_>, who: AccountId32, call: &Call) -> Result<(), Fault> {
    let Some(target) = target(call) else { return Err(Fault::BadOrigin) };
    match call {
        Call::set_weights { dests, weights, version_key, .. }
        | Call::set_mechanism_weights { dests, weights, version_key, .. } => {
            weights::set(exec, who, target, Row { uids: dests, values: weights, version_key: *version_key })
        }
        Call::commit_weights { commit_hash, .. } | Call::commit_mechanism_weights { commit_hash, .. } => {
            commits::commit(exec, who, target, *commit_hash)
        }
        Call::reveal_weights { uids, values, salt, version_key, .. }
        | Call::reveal_mechanism_weights { uids, values, salt, version_key, .. } => {
            commits::reveal(exec, who, target, Row { uids, values, version_key: *version_key }, salt)
        }
        Call::commit_timelocked_weights { commit, reveal_round, commit_reveal_version, .. }
        | Call::commit_timelocked_mechanism_weights { commit, reveal_round, commit_reveal_version, .. } => {
            let sealed =
                commits::Sealed { commit: commit.clone(), round: *reveal_round, version: *commit_reveal_version };
            commits::commit_timelocked(exec, who, target, sealed)
        }
        _ => Err(Fault::BadOrigin),
    }
}
