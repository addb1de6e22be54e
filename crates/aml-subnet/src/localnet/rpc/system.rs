//! `system_*`: what this is, and the next nonce of an account.

use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};

use super::super::items::system;
use super::super::metadata::SS58_PREFIX;
use super::super::node::Node;
use super::params::Account;

/// Name of the chain.
const CHAIN: &str = "AML localnet (development)";
/// Name of the program.
const NAME: &str = "aml-subnet localnet";
/// A peer id is asked for by some clients; there is no network, so it is the well-known key of nobody.
const PEER_ID: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

/// Adds the methods.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_method("system_chain", |_, _, _| CHAIN)?;
    module.register_method("system_name", |_, _, _| NAME)?;
    module.register_method("system_version", |_, _, _| env!("CARGO_PKG_VERSION"))?;
    module.register_method("system_chainType", |_, _, _| "Development")?;
    module.register_method("system_localPeerId", |_, _, _| PEER_ID)?;
    module.register_method("system_localListenAddresses", |_, _, _| json!([]))?;
    module.register_method("system_peers", |_, _, _| json!([]))?;
    module.register_method("system_nodeRoles", |_, _, _| json!(["Authority"]))?;
    module.register_method(
        "system_health",
        |_, _, _| json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false }),
    )?;
    module.register_method(
        "system_properties",
        |_, _, _| json!({ "ss58Format": SS58_PREFIX, "tokenDecimals": 9, "tokenSymbol": "TAO", "isEthereum": false }),
    )?;
    module.register_method("system_syncState", |_, node, _| sync_state(node))?;
    module.register_method("system_accountNextIndex", |params, node, _| next_nonce(node, params.one()?))?;
    module.register_alias("account_nextIndex", "system_accountNextIndex")
}

fn sync_state(node: &Node) -> Value {
    let head = node.ledger().head().number();
    json!({ "startingBlock": 0, "currentBlock": head, "highestBlock": head })
}

fn next_nonce(node: &Node, Account(who): Account) -> Result<u32, ErrorObjectOwned> {
    let ledger = node.ledger();
    let next = system::ACCOUNT.get(&ledger.view(ledger.head().number()), (who,)).nonce;
    Ok(ledger.pool().next_nonce(who, next))
}
