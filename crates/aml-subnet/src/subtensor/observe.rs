//! What happens between us and the endpoints: lines for the log, numbers for whoever watches.
//!
//! An endpoint is named by its host alone: a URL may hold a key.

use std::fmt::Display;

use super::snapshot::ReadError;
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

/// A request goes out.
pub(super) fn asked(method: &str) {
    metrics::counter!("aml_chain_requests_total", "method" => method.to_owned()).increment(1);
}

/// A request came to nothing.
pub(super) fn failed(class: &'static str) {
    metrics::counter!("aml_chain_failures_total", "class" => class).increment(1);
}

/// What a node shows as final is not used.
pub(super) fn passed_over(endpoint: &Endpoint, reason: &ReadError) {
    tracing::debug!(%endpoint, %reason, "chain endpoint passed over");
    failed(if matches!(reason, ReadError::Behind { .. }) { "behind" } else { "implausible" });
}

/// So many blocks were made that are not final, and no block became final for a while; 0 when it has.
#[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
pub(super) fn finality_lag(blocks: u64) {
    metrics::gauge!("aml_chain_finality_lag_blocks").set(blocks as f64);
}

/// Finality stands still while blocks are made.
pub(super) fn finality_waits(finalised: u64, best: u64) {
    tracing::warn!(
        finalised,
        best,
        "blocks are made, but none becomes final: waiting; nothing is wrong with this process"
    );
    finality_lag(best.saturating_sub(finalised));
}

/// A block was seen that is further than any before.
#[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
pub(super) fn block(number: u64) {
    metrics::gauge!("aml_chain_block").set(number as f64);
    metrics::counter!("aml_chain_heads_total").increment(1);
}
