//! The one subscription of a connection: new finalised blocks, told by the node unasked.
//!
//! It saves questions and is never relied on: a subscription may stay silent for ever after a connection broke, so whoever
//! hears nothing for a while asks.

use subxt::rpcs::RpcClient;
use subxt::rpcs::client::{RpcSubscription, rpc_params};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// What a node tells of its finalised blocks; ends with the connection.
pub(super) struct Heads {
    newest: watch::Receiver<Option<u64>>,
    _following: Option<AbortOnDropHandle<()>>,
}

impl Heads {
    /// Subscribes; a node that does not offer this is never heard.
    pub(super) async fn follow(rpc: &RpcClient) -> Self {
        let (tell, newest) = watch::channel(None);
        let method = ("chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads");
        let subscribed: Result<RpcSubscription<serde_json::Value>, _> =
            rpc.subscribe(method.0, rpc_params![], method.1).await;
        let following = match subscribed {
            Ok(mut notices) => tokio::spawn(async move {
                while let Some(Ok(header)) = notices.next().await {
                    let number = header.get("number").and_then(serde_json::Value::as_str);
                    let number = number.and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
                    if number.is_some() {
                        tell.send_replace(number);
                    }
                }
            }),
            Err(error) => {
                tracing::debug!(%error, "the node does not tell of finalised blocks; it is asked");
                return Self { newest, _following: None };
            }
        };
        Self { newest, _following: Some(AbortOnDropHandle::new(following)) }
    }

    /// The newest finalised block that the node has told of.
    pub(super) fn newest(&self) -> Option<u64> {
        *self.newest.borrow()
    }
}
