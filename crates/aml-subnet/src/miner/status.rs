//! Health, readiness and metrics, on a listener of their own (loopback by default).

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

use super::proxy::Miner;
use crate::chain::metagraph::Cache;

/// What the status routes look at.
#[derive(Clone)]
pub struct StatusState {
    /// The proxy.
    pub miner: Arc<Miner>,
    /// Its metagraph.
    pub metagraph: Arc<Cache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Oldest metagraph that still counts.
    pub max_age: Duration,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
}

/// `/health`, `/ready` and `/metrics`.
pub fn router(state: StatusState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(state)
}

async fn health(State(state): State<StatusState>) -> Json<Value> {
    let hotkey = state.miner.hotkey().to_string();
    Json(json!({ "status": "alive", "hotkey": hotkey, "version": env!("CARGO_PKG_VERSION") }))
}

async fn ready(State(state): State<StatusState>) -> (StatusCode, Json<Value>) {
    let snapshot = state.metagraph.current();
    let age = snapshot.as_ref().map(|snapshot| state.clock.now().saturating_sub(snapshot.read_at));
    let reasons: Vec<&str> = [
        (state.miner.is_draining(), "stopping"),
        (age.is_none_or(|age| age > state.max_age), "no current metagraph"),
        (!state.miner.upstream.is_ready().await, "the inference API is not ready"),
    ]
    .into_iter()
    .filter_map(|(wrong, reason)| wrong.then_some(reason))
    .collect();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let report = json!({
        "ready": reasons.is_empty(),
        "reasons": reasons,
        "metagraph_block": snapshot.as_ref().map(|snapshot| snapshot.block.0),
        "metagraph_age_s": age.map(|age| age.as_secs()),
        "registered": snapshot.is_some_and(|snapshot| snapshot.neuron(&state.miner.hotkey()).is_some()),
    });
    (status, Json(report))
}

async fn render(State(state): State<StatusState>) -> String {
    metrics::gauge!("aml_miner_queue").set(u32::try_from(state.miner.slots.waiting()).unwrap_or(u32::MAX));
    metrics::gauge!("aml_miner_disk_left_bytes").set(as_f64(state.miner.gate.spool.disk.left()));
    if let Some(snapshot) = state.metagraph.current() {
        let age = state.clock.now().saturating_sub(snapshot.read_at);
        metrics::gauge!("aml_metagraph_age_seconds").set(age.as_secs_f64());
        metrics::gauge!("aml_metagraph_block").set(as_f64(snapshot.block.0));
    }
    state.metrics.map(|handle| handle.render()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "block numbers and file sizes are far below 2^53")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}
