//! One line and a few numbers per request. No bodies, no signatures.

use std::time::Duration;

use http::StatusCode;

use crate::wallet::Hotkey;

/// What is known of a request while it is served.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Who it claims to be from.
    pub(super) caller: Option<Hotkey>,
    /// Whether that was proven.
    pub(super) verified: bool,
    /// Size of its body.
    pub(super) bytes_in: u64,
    /// Size of the answer.
    pub(super) bytes_out: u64,
}

/// A connection was refused: too many are open.
pub(super) fn connection_refused() {
    metrics::counter!("aml_miner_connections_refused_total").increment(1);
}

/// A task came by reference.
pub(super) fn reference(outcome: &'static str) {
    metrics::counter!("aml_miner_references_total", "outcome" => outcome).increment(1);
}

/// The place at this number of a descriptor does not give what it should.
pub(super) fn place_failed(place: usize, code: &'static str, why: &str) {
    tracing::warn!(place, code, why, "a task is not fetched from this place");
    metrics::counter!("aml_miner_reference_failures_total", "code" => code).increment(1);
}

/// A request was answered.
pub(super) fn answered(route: &'static str, seen: &Seen, status: StatusCode, code: &'static str, took: Duration) {
    let caller = seen.caller.map(|key| key.to_string()).unwrap_or_default();
    let duration_ms = took.as_secs_f64() * 1e3;
    let status = status.as_u16();
    let Seen { verified, bytes_in, bytes_out, .. } = *seen;
    if status >= 500 && verified {
        tracing::warn!(route, caller, verified, status, code, bytes_in, bytes_out, duration_ms, "request");
    } else if verified {
        tracing::info!(route, caller, verified, status, code, bytes_in, bytes_out, duration_ms, "request");
    } else {
        // Strangers can make as many of these as they like, whatever their status.
        tracing::debug!(route, caller, verified, status, code, bytes_in, bytes_out, duration_ms, "request");
    }
    metrics::counter!("aml_miner_requests_total", "route" => route, "code" => code).increment(1);
    metrics::histogram!("aml_miner_request_seconds", "route" => route).record(took.as_secs_f64());
    metrics::counter!("aml_miner_body_bytes_total", "direction" => "in").increment(bytes_in);
    metrics::counter!("aml_miner_body_bytes_total", "direction" => "out").increment(bytes_out);
}
