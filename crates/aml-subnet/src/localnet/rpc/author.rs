//! `author_*`: transactions, and what becomes of them.

use std::sync::Arc;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use tokio::sync::mpsc;

use super::super::block::hex_text;
use super::super::node::Node;
use super::super::pool::MAX_REPORTS;
use super::chain::send;
use super::errors;
use super::params::Bytes;

/// Adds the methods.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_method("author_submitExtrinsic", |params, node, _| submit(node, &params))?;
    module.register_method("author_pendingExtrinsics", |_, node, _| {
        node.ledger().pool().iter().map(|waiting| hex_text(&waiting.bytes)).collect::<Vec<_>>()
    })?;
    module.register_subscription(
        "author_submitAndWatchExtrinsic",
        "author_extrinsicUpdate",
        "author_unwatchExtrinsic",
        |params, pending, node, _| async move { watch(params, pending, &node).await },
    )?;
    Ok(())
}

fn submit(node: &Node, params: &Params<'_>) -> Result<String, ErrorObjectOwned> {
    let Bytes(bytes) = params.sequence().next()?;
    let hash = node.ledger().submit(bytes, None).map_err(|error| errors::pool(&error))?;
    Ok(hash.to_string())
}

async fn watch(params: Params<'static>, pending: PendingSubscriptionSink, node: &Node) {
    let (told, mut news) = mpsc::channel(MAX_REPORTS);
    let submitted = match params.sequence().next::<Bytes>() {
        Ok(Bytes(bytes)) => node.ledger().submit(bytes, Some(told)).map_err(|error| errors::pool(&error)),
        Err(error) => Err(error),
    };
    if let Err(error) = submitted {
        return pending.reject(error).await;
    }
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let status = tokio::select! {
            () = sink.closed() => return,
            status = news.recv() => status,
        };
        let Some(status) = status else { return };
        send(&sink, &status.json()).await;
        if status.is_last() {
            return;
        }
    }
}
