//! `dev_*` and `localnet_*`: what only a development chain does. The first are named as in other such tools.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::keyring;
use super::super::mirror::AccountId32;
use super::super::node::Node;
use super::super::spec::{Generation, Spec};
use super::super::wishes::{self, Hyperparameter};
use super::errors;
use super::params::{Account, Bytes};
use crate::chain::timelock;

/// Blocks that may be made in one request.
const MAX_BLOCKS: u64 = 10_000;

type Answer = Result<Value, ErrorObjectOwned>;

/// Adds the methods.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_method("dev_newBlock", |params, node, _| new_block(node, params.sequence().optional_next()?))?;
    module.register_method("dev_setStorage", |params, node, _| set_storage(node, &params))?;
    module.register_method("dev_setBlockTime", |params, node, _| {
        let millis: u64 = params.one()?;
        node.set_block_time((millis > 0).then(|| Duration::from_millis(millis)));
        Answer::Ok(Value::Null)
    })?;
    module.register_method("dev_setFinality", |params, node, _| {
        node.set_finalizing(params.one()?);
        Answer::Ok(Value::Null)
    })?;
    module.register_method("dev_takeBack", |params, node, _| Answer::Ok(json!(node.take_back(params.one()?))))?;
    module.register_method("dev_upgradeRuntime", |params, node, _| {
        let mut sequence = params.sequence();
        upgrade(node, sequence.next()?, sequence.optional_next()?)
    })?;
    module.register_method("localnet_accounts", |_, _, _| {
        let account =
            |(uri, hotkey): (String, crate::wallet::Hotkey)| json!({ "uri": uri, "address": hotkey.to_string() });
        keyring::dev_accounts().into_iter().map(account).collect::<Vec<_>>()
    })?;
    module.register_method("localnet_register", |params, node, _| enlist(node, params.one()?))?;
    module.register_method("localnet_stake", |params, node, _| stake(node, params.one()?))?;
    module.register_method("localnet_fund", |params, node, _| fund(node, params.one()?))?;
    module.register_method("localnet_setHyperparameter", |params, node, _| set_rule(node, params.one()?))?;
    module.register_method("localnet_runEpoch", |params, node, _| {
        let netuid = params.one()?;
        done(node, |exec| wishes::run_epoch(exec, netuid))
    })?;
    module.register_method("localnet_setBeacon", |params, node, _| {
        node.set_beacon(params.one()?);
        Answer::Ok(Value::Null)
    })?;
    module.register_method("localnet_drandPulse", |params, node, _| pulse(node, params.one()?))?;
    Ok(())
}

fn done<T: serde::Serialize>(
    node: &Node,
    wish: impl FnOnce(&mut super::super::exec::Exec<'_>) -> Result<T, super::super::exec::Fault>,
) -> Answer {
    let (block, wished) = node.wish(wish);
    let value = wished.map_err(errors::refused)?;
    Ok(json!({ "block": block.number(), "hash": block.hash.to_string(), "result": value }))
}

/// How many blocks, or up to which.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBlock {
    count: Option<u64>,
    to: Option<u64>,
}

fn new_block(node: &Node, wanted: Option<NewBlock>) -> Answer {
    let head = node.ledger().head().number();
    let count = match wanted {
        None => 1,
        Some(NewBlock { to: Some(to), .. }) => to.saturating_sub(head),
        Some(NewBlock { count, .. }) => count.unwrap_or(1),
    };
    if count > MAX_BLOCKS {
        return Err(errors::params(format!("at most {MAX_BLOCKS} blocks at once, not {count}")));
    }
    for _ in 0..count {
        node.make_block();
    }
    Ok(json!(node.ledger().head().hash.to_string()))
}

fn set_storage(node: &Node, params: &Params<'_>) -> Answer {
    let values: Vec<(Bytes, Option<Bytes>)> = params.sequence().next()?;
    let changes = values.into_iter().map(|(Bytes(key), value)| (key, value.map(|Bytes(value)| value))).collect();
    let (block, _) = node.wish(|exec| wishes::set_storage(exec, changes));
    Ok(json!(block.hash.to_string()))
}

fn upgrade(node: &Node, generation: String, version: Option<u32>) -> Answer {
    let generation: Generation =
        generation.parse().map_err(|error: super::super::spec::UnknownGeneration| errors::params(error.to_string()))?;
    let spec = Spec { generation, version: version.unwrap_or(generation.spec().version) };
    Ok(json!(node.upgrade(spec).hash.to_string()))
}

/// A hotkey to be given a place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enlist {
    netuid: u16,
    hotkey: Account,
    coldkey: Option<Account>,
}

fn alice() -> AccountId32 {
    keyring::accounts().first().map(|(_, account)| *account).unwrap_or_default()
}

fn enlist(node: &Node, wish: Enlist) -> Answer {
    let coldkey = wish.coldkey.map_or_else(alice, |Account(coldkey)| coldkey);
    done(node, |exec| wishes::register(exec, wish.netuid, wish.hotkey.0, coldkey))
}

/// Stake for a hotkey.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Staked {
    netuid: u16,
    hotkey: Account,
    rao: u64,
}

fn stake(node: &Node, wish: Staked) -> Answer {
    done(node, |exec| wishes::stake(exec, wish.netuid, wish.hotkey.0, wish.rao))
}

/// Funds for an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fund {
    account: Account,
    rao: u64,
}

fn fund(node: &Node, wish: Fund) -> Answer {
    done(node, |exec| wishes::fund(exec, wish.account.0, wish.rao))
}

/// A round of the beacon.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Round {
    round: u64,
    signature: Bytes,
}

fn pulse(node: &Node, Round { round, signature: Bytes(signature) }: Round) -> Answer {
    let good = timelock::is_signature_of(round, &signature).map_err(|error| errors::params(error.to_string()))?;
    if !good {
        return Err(errors::params(format!("this is not the beacon's signature of round {round}")));
    }
    done(node, |exec| wishes::pulse(exec, round, &signature))
}

/// A rule of a subnet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    netuid: u16,
    name: String,
    value: u64,
}

fn set_rule(node: &Node, wish: Rule) -> Answer {
    let name: Hyperparameter =
        wish.name.parse().map_err(|error: wishes::UnknownHyperparameter| errors::params(error.to_string()))?;
    done(node, |exec| wishes::set_hyperparameter(exec, wish.netuid, name, wish.value))
}
