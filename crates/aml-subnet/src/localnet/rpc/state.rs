//! `state_*` and `payment_*`: storage, metadata, runtime APIs.

use std::sync::Arc;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use parity_scale_codec::{Decode, Encode};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::super::apis::{self, CallError, Query};
use super::super::block::{Block, hex_text};
use super::super::extrinsic::blake2_256;
use super::super::item::Read;
use super::super::ledger::Ledger;
use super::super::node::{Head, Node};
use super::super::spec::Spec;
use super::chain::send;
use super::errors;
use super::params::{Bytes, Hash, block_at};

/// Keys in one page, as in a node.
const MAX_PAGE: usize = 1000;
/// Keys in one question.
const MAX_KEYS: usize = 4096;

type Answer = Result<Value, ErrorObjectOwned>;

/// Adds the methods.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module
        .register_method("state_getMetadata", |params, node, _| metadata(node, params.sequence().optional_next()?))?;
    module.register_method("state_getRuntimeVersion", |params, node, _| {
        runtime_version(node, params.sequence().optional_next()?)
    })?;
    module.register_method("state_getStorage", |params, node, _| {
        storage(node, &params, |value| json!(hex_text(value)))
    })?;
    module.register_method("state_getStorageHash", |params, node, _| {
        storage(node, &params, |value| json!(blake2_256(value).to_string()))
    })?;
    module.register_method("state_getStorageSize", |params, node, _| {
        storage(node, &params, |value| json!(value.len()))
    })?;
    module.register_method("state_getKeysPaged", |params, node, _| keys(node, &params))?;
    module.register_method("state_queryStorageAt", |params, node, _| query(node, &params))?;
    module.register_method("state_call", |params, node, _| call(node, &params))?;
    module.register_method("payment_queryInfo", |params, _, _| payment(&params))?;
    for (alias, method) in [
        ("state_getStorageAt", "state_getStorage"),
        ("state_getStorageHashAt", "state_getStorageHash"),
        ("state_getStorageSizeAt", "state_getStorageSize"),
        ("state_getKeysPagedAt", "state_getKeysPaged"),
        ("chain_getRuntimeVersion", "state_getRuntimeVersion"),
    ] {
        module.register_alias(alias, method)?;
    }
    module.register_subscription(
        "state_subscribeRuntimeVersion",
        "state_runtimeVersion",
        "state_unsubscribeRuntimeVersion",
        |_, pending, node, _| async move { follow_version(pending, &node).await },
    )?;
    module.register_subscription(
        "state_subscribeStorage",
        "state_storage",
        "state_unsubscribeStorage",
        |params, pending, node, _| async move { follow_storage(params, pending, &node).await },
    )?;
    Ok(())
}

fn metadata(node: &Node, at: Option<Hash>) -> Answer {
    let mut ledger = node.ledger();
    let spec = block_at(&ledger, at)?.spec;
    Ok(json!(hex_text(&ledger.metadata_of(spec).v14)))
}

fn runtime_version(node: &Node, at: Option<Hash>) -> Answer {
    Ok(version_json(block_at(&node.ledger(), at)?.spec))
}

fn version_json(spec: Spec) -> Value {
    let version = apis::version(spec);
    let apis: Vec<_> = version.apis.iter().map(|(id, version)| json!([hex_text(id), version])).collect();
    json!({
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": apis,
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.system_version,
    })
}

fn storage(node: &Node, params: &Params<'_>, show: impl Fn(&[u8]) -> Value) -> Answer {
    let mut sequence = params.sequence();
    let (Bytes(key), at) = (sequence.next()?, sequence.optional_next()?);
    let ledger = node.ledger();
    let block = block_at(&ledger, at)?;
    Ok(ledger.view(block.number()).read(&key).map_or(Value::Null, |value| show(&value)))
}

fn keys(node: &Node, params: &Params<'_>) -> Answer {
    let mut sequence = params.sequence();
    let (Bytes(prefix), count): (_, usize) = (sequence.next()?, sequence.next()?);
    let (after, at): (Option<Bytes>, _) = (sequence.optional_next()?, sequence.optional_next()?);
    if count > MAX_PAGE {
        return Err(errors::params(format!("count exceeds maximum value. value: {count}, max: {MAX_PAGE}")));
    }
    let ledger = node.ledger();
    let block = block_at(&ledger, at)?;
    let after = after.map(|Bytes(after)| after).filter(|after| !after.is_empty());
    let keys = ledger.view(block.number()).keys(&prefix, after.as_deref(), count);
    Ok(json!(keys.iter().map(|key| hex_text(key)).collect::<Vec<_>>()))
}

fn query(node: &Node, params: &Params<'_>) -> Answer {
    let mut sequence = params.sequence();
    let (keys, at): (Vec<Bytes>, _) = (sequence.next()?, sequence.optional_next()?);
    if keys.len() > MAX_KEYS {
        return Err(errors::params(format!("at most {MAX_KEYS} keys may be asked for at once, not {}", keys.len())));
    }
    let ledger = node.ledger();
    let block = block_at(&ledger, at)?;
    Ok(json!([change_set(&ledger, &block, &keys)]))
}

fn change_set(ledger: &Ledger, block: &Block, keys: &[Bytes]) -> Value {
    let view = ledger.view(block.number());
    let change = |Bytes(key): &Bytes| json!([hex_text(key), view.read(key).map(|value| hex_text(&value))]);
    json!({ "block": block.hash.to_string(), "changes": keys.iter().map(change).collect::<Vec<_>>() })
}

fn call(node: &Node, params: &Params<'_>) -> Answer {
    let mut sequence = params.sequence();
    let (name, input, at): (String, Option<Bytes>, _) =
        (sequence.next()?, sequence.optional_next()?, sequence.optional_next()?);
    let input = input.map(|Bytes(input)| input).unwrap_or_default();
    let mut ledger = node.ledger();
    let block = block_at(&ledger, at)?;
    let answer = match name.strip_prefix("Metadata_") {
        Some(method) => describe(&mut ledger, block.spec, method, &input),
        None => {
            let query = Query { db: ledger.view(block.number()), block: block.number(), spec: block.spec };
            apis::call(&query, &name, &input)
        }
    };
    answer.map(|bytes| json!(hex_text(&bytes))).map_err(|error| errors::call(&error))
}

/// Versions of the metadata that are offered.
const METADATA_VERSIONS: [u32; 2] = [14, 15];

fn describe(ledger: &mut Ledger, spec: Spec, method: &str, input: &[u8]) -> Result<Vec<u8>, CallError> {
    let metadata = ledger.metadata_of(spec);
    match method {
        "metadata" => Ok(metadata.v14.encode()),
        "metadata_versions" => Ok(METADATA_VERSIONS.to_vec().encode()),
        "metadata_at_version" => {
            let version = u32::decode(&mut &*input)
                .map_err(|source| CallError::Input { method: "Metadata_metadata_at_version".into(), source })?;
            Ok(match version {
                14 => Some(metadata.v14.clone()),
                15 => Some(metadata.v15.clone()),
                _ => None,
            }
            .encode())
        }
        _ => Err(CallError::Unknown(format!("Metadata_{method}"))),
    }
}

fn payment(params: &Params<'_>) -> Answer {
    let Bytes(transaction) = params.sequence().next()?;
    let info = apis::payment(&transaction);
    Ok(json!({
        "weight": { "ref_time": info.weight.ref_time, "proof_size": info.weight.proof_size },
        "class": "normal",
        "partialFee": info.partial_fee.to_string(),
    }))
}

async fn follow_version(pending: PendingSubscriptionSink, node: &Node) {
    let mut specs = node.specs();
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let spec = *specs.borrow_and_update();
        send(&sink, &version_json(spec)).await;
        tokio::select! {
            () = sink.closed() => return,
            changed = specs.changed() => if changed.is_err() { return },
        }
    }
}

async fn follow_storage(params: Params<'static>, pending: PendingSubscriptionSink, node: &Node) {
    let keys = match params.sequence().optional_next::<Vec<Bytes>>() {
        Ok(Some(keys)) if keys.len() <= MAX_KEYS => keys,
        _ => return pending.reject(errors::params("a list of keys is needed, and not too long")).await,
    };
    let mut news = node.heads();
    let Ok(sink) = pending.accept().await else { return };
    let now = |block: &Block| change_set(&node.ledger(), block, &keys);
    let head = node.ledger().head();
    let mut last = now(&head);
    send(&sink, &last).await;
    loop {
        let block = tokio::select! {
            () = sink.closed() => return,
            head = news.recv() => match head {
                Ok(Head::Best(block)) => block,
                Ok(Head::Final(_)) => continue,
                Err(RecvError::Lagged(_)) => node.ledger().head(),
                Err(RecvError::Closed) => return,
            },
        };
        let next = now(&block);
        if next["changes"] != last["changes"] {
            send(&sink, &next).await;
        }
        last = next;
    }
}
