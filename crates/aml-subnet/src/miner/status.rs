//! Health, readiness and metrics, on a listener of their own (loopback by default).

use std::sync::Arc;
use std::sync::atomic::Ordering;
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

impl StatusState {
    /// Whether our hotkey has a place in the subnet, as far as is known.
    fn registered(&self) -> Option<bool> {
        self.metagraph.current().map(|snapshot| snapshot.neuron(&self.miner.hotkey()).is_some())
    }
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
        (state.registered() == Some(false), "the hotkey is not registered in the subnet"),
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
        "registered": state.registered().unwrap_or(false),
    });
    (status, Json(report))
}

async fn render(State(state): State<StatusState>) -> String {
    metrics::gauge!("aml_miner_queue").set(u32::try_from(state.miner.slots.waiting()).unwrap_or(u32::MAX));
    metrics::gauge!("aml_miner_disk_left_bytes").set(as_f64(state.miner.gate.spool.disk.left()));
    if let Ok(of) = rustix::fs::statvfs(std::env::temp_dir().as_path()) {
        metrics::gauge!("aml_miner_disk_free_bytes").set(as_f64(of.f_bavail.saturating_mul(of.f_frsize)));
    }
    let since = state.clock.now().as_secs().saturating_sub(state.miner.gate.last_verified_s.load(Ordering::Relaxed));
    metrics::gauge!("aml_miner_verified_request_age_seconds").set(as_f64(since));
    metrics::gauge!("aml_miner_api_up").set(flag(state.miner.upstream.is_ready().await));
    if let Some(registered) = state.registered() {
        metrics::gauge!("aml_miner_registered").set(flag(registered));
    }
    if let Some(snapshot) = state.metagraph.current() {
        let age = state.clock.now().saturating_sub(snapshot.read_at);
        metrics::gauge!("aml_metagraph_age_seconds").set(age.as_secs_f64());
        metrics::gauge!("aml_metagraph_block").set(as_f64(snapshot.block.0));
    }
    state.metrics.map(|handle| handle.render()).unwrap_or_default()
}

const fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "block numbers and file sizes are far below 2^53")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}
