//! What happens between us and the endpoints: lines for the log, numbers for whoever watches.
//!
//! An endpoint is named by its host alone: a URL may hold a key.

use std::fmt::Display;

use crate::chain::endpoints::Endpoint;

/// A connection was made.
pub(super) fn connected(endpoint: &Endpoint) {
    tracing::info!(%endpoint, "chain endpoint in use");
    metrics::counter!("aml_chain_connections_total", "endpoint" => endpoint.host()).increment(1);
}

/// A connection is replaced.
pub(super) fn given_up(endpoint: &Endpoint, reason: &str) {
    tracing::warn!(%endpoint, reason, "chain endpoint given up");
    metrics::counter!("aml_chain_given_up_total", "endpoint" => endpoint.host()).increment(1);
}

/// A connection could not be made.
pub(super) fn not_connected(endpoint: &Endpoint, class: &'static str, failure: &dyn Display) {
    tracing::debug!(%endpoint, %failure, "no connection to the chain endpoint");
    failed(class);
}

/// A request came to nothing.
pub(super) fn failed(class: &'static str) {
    metrics::counter!("aml_chain_failures_total", "class" => class).increment(1);
}

/// A node showed a block that is behind what others have shown.
pub(super) fn behind(block: u64, furthest: &dyn Display) {
    tracing::debug!(block, %furthest, "the node is behind");
    failed("behind");
}

/// A block was seen that is further than any before.
#[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
pub(super) fn block(number: u64) {
    metrics::gauge!("aml_chain_block").set(number as f64);
    metrics::counter!("aml_chain_heads_total").increment(1);
}
