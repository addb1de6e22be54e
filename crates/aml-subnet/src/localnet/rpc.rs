//! The JSON-RPC of a Substrate node, as far as clients of Subtensor use it, and a few methods for tests.
//!
//! Over WebSocket and HTTP on one port. Everything that a caller can make large is limited here.

use std::net::SocketAddr;
use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::server::{BatchRequestConfig, RandomStringIdProvider, Server, ServerConfig, ServerHandle};

use super::node::Node;

mod author;
mod chain;
mod dev;
mod errors;
mod params;
mod state;
mod system;

/// Clients at a time: a demonstration has a dozen.
const MAX_CONNECTIONS: u32 = 256;
/// Longest request: the longest transaction as hex, and a list of keys.
const MAX_REQUEST_BYTES: u32 = 2 * 1024 * 1024;
/// Longest answer: metadata as hex is about half a megabyte, a page of keys less.
const MAX_RESPONSE_BYTES: u32 = 16 * 1024 * 1024;
/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: u32 = 128;
/// Requests in one batch.
const MAX_BATCH: u32 = 256;
/// Messages that wait for a slow client before it is cut off.
const MESSAGE_BUFFER: u32 = 1024;
/// Length of a subscription's name.
const ID_LENGTH: usize = 16;

/// Every method.
pub(crate) fn module(node: &Arc<Node>) -> Result<RpcModule<Arc<Node>>, RegisterMethodError> {
    let mut module = RpcModule::new(Arc::clone(node));
    system::register(&mut module)?;
    chain::register(&mut module)?;
    state::register(&mut module)?;
    author::register(&mut module)?;
    dev::register(&mut module)?;
    let mut methods: Vec<&'static str> = module.method_names().chain(["rpc_methods"]).collect();
    methods.sort_unstable();
    module.register_method("rpc_methods", move |_, _, _| serde_json::json!({ "methods": methods }))?;
    Ok(module)
}

/// Starts the server; gives its address and the handle that stops it.
pub(crate) async fn serve(node: &Arc<Node>, listen: SocketAddr) -> std::io::Result<(SocketAddr, ServerHandle)> {
    let config = ServerConfig::builder()
        .max_connections(MAX_CONNECTIONS)
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .set_message_buffer_capacity(MESSAGE_BUFFER)
        .set_id_provider(RandomStringIdProvider::new(ID_LENGTH))
        .build();
    let server = Server::builder().set_config(config).build(listen).await?;
    let address = server.local_addr()?;
    let module = module(node).map_err(std::io::Error::other)?;
    Ok((address, server.start(module)))
}
