//! `chain_*`: blocks, and news of them.

use std::sync::Arc;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::server::SubscriptionSink;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use serde::Deserialize;
use serde_json::{Value, json, value::to_raw_value};
use tokio::sync::broadcast::error::RecvError;

use super::super::block::{Block, hex_text};
use super::super::node::{Head, Node};
use super::params::{Hash, Number, block_at};

/// Adds the methods.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_method("chain_getBlockHash", |params, node, _| {
        block_hash(node, params.sequence().optional_next::<Numbers>()?)
    })?;
    module.register_method("chain_getHeader", |params, node, _| header(node, params.sequence().optional_next()?))?;
    module.register_method("chain_getBlock", |params, node, _| block(node, params.sequence().optional_next()?))?;
    module.register_method("chain_getFinalizedHead", |_, node, _| node.ledger().finalized().hash.to_string())?;
    for (alias, method) in
        [("chain_getHead", "chain_getBlockHash"), ("chain_getFinalisedHead", "chain_getFinalizedHead")]
    {
        module.register_alias(alias, method)?;
    }
    heads(module, ["chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads"], best)?;
    heads(module, ["chain_subscribeAllHeads", "chain_allHead", "chain_unsubscribeAllHeads"], best)?;
    let names = ["chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads"];
    heads(module, names, finalized)?;
    for (alias, method) in [
        ("chain_subscribeNewHead", "chain_subscribeNewHeads"),
        ("chain_unsubscribeNewHead", "chain_unsubscribeNewHeads"),
    ] {
        module.register_alias(alias, method)?;
    }
    Ok(())
}

/// A block number, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    One(Number),
    Many(Vec<Number>),
}

fn block_hash(node: &Node, numbers: Option<Numbers>) -> Result<Value, ErrorObjectOwned> {
    let ledger = node.ledger();
    let one = |Number(number): Number| ledger.hash_of(number).map(|hash| hash.to_string());
    Ok(match numbers {
        None => json!(ledger.head().hash.to_string()),
        Some(Numbers::One(number)) => json!(one(number)),
        Some(Numbers::Many(numbers)) => json!(numbers.into_iter().map(one).collect::<Vec<_>>()),
    })
}

/// Nothing for a block that is not known, as a node answers.
fn header(node: &Node, at: Option<Hash>) -> Result<Value, ErrorObjectOwned> {
    Ok(block_at(&node.ledger(), at).map_or(Value::Null, |block| block.header.json()))
}

fn block(node: &Node, at: Option<Hash>) -> Result<Value, ErrorObjectOwned> {
    Ok(block_at(&node.ledger(), at).map_or(Value::Null, |block| {
        let extrinsics: Vec<_> = block.extrinsics.iter().map(|bytes| hex_text(bytes)).collect();
        json!({ "block": { "header": block.header.json(), "extrinsics": extrinsics }, "justifications": null })
    }))
}

fn best(node: &Node, head: Option<Head>) -> Option<Arc<Block>> {
    match head {
        None => Some(node.ledger().head()),
        Some(Head::Best(block)) => Some(block),
        Some(Head::Final(_)) => None,
    }
}

fn finalized(node: &Node, head: Option<Head>) -> Option<Arc<Block>> {
    match head {
        None => Some(node.ledger().finalized()),
        Some(Head::Final(block)) => Some(block),
        Some(Head::Best(_)) => None,
    }
}

/// Which blocks a subscription is about: those now (`None`) and those to come.
type Filter = fn(&Node, Option<Head>) -> Option<Arc<Block>>;

fn heads(
    module: &mut RpcModule<Arc<Node>>,
    [subscribe, notification, unsubscribe]: [&'static str; 3],
    filter: Filter,
) -> Result<(), RegisterMethodError> {
    module.register_subscription(subscribe, notification, unsubscribe, move |_, pending, node, _| async move {
        follow(pending, &node, filter).await;
    })?;
    Ok(())
}

async fn follow(pending: PendingSubscriptionSink, node: &Node, filter: Filter) {
    let mut news = node.heads();
    let Ok(sink) = pending.accept().await else { return };
    if let Some(block) = filter(node, None) {
        send(&sink, &block.header.json()).await;
    }
    loop {
        let head = tokio::select! {
            () = sink.closed() => return,
            head = news.recv() => head,
        };
        let block = match head {
            Ok(head) => filter(node, Some(head)),
            Err(RecvError::Lagged(_)) => filter(node, None),
            Err(RecvError::Closed) => return,
        };
        if let Some(block) = block {
            send(&sink, &block.header.json()).await;
        }
    }
}

/// Sends one notification; a client that is gone is noticed by the loop.
pub(super) async fn send(sink: &SubscriptionSink, value: &Value) {
    if let Ok(raw) = to_raw_value(value) {
        let _ = sink.send(raw).await;
    }
}
