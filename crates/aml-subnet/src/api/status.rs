//! `/health`, `/ready` and `/metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::chain_view::ChainSeen;
use super::metrics;
use super::state::ApiState;
use crate::chain::standing::Preflight;
use crate::store::records::{Round, Step};

/// Rounds that may still be on their way.
const LOOKED_AT: u32 = 8;
/// Answers of a round wait in temporary files; with less than this a round is at risk.
const LEAST_TEMPORARY: u64 = 512 << 20;

const FRESH: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// Whether the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
    /// The subnet.
    netuid: u16,
    /// The validator.
    hotkey: String,
    /// Its version.
    version: &'static str,
}

/// Whether the validator does its work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// Whether nothing is wrong.
    ready: bool,
    /// What is wrong.
    reasons: Vec<String>,
    /// The finalised block that was seen last.
    block: Option<u64>,
    /// For how long the chain has stood there.
    block_age_s: Option<u64>,
    /// Age of the weights in tempos.
    weights_age_tempos: Option<f64>,
}

/// Health
///
/// Always 200 while the process lives.
#[utoipa::path(get, path = "/health", tag = "status", responses((status = 200, description = "It lives", body = Health)))]
pub(super) async fn health(State(api): State<ApiState>) -> Response {
    let hotkey = api.hotkey.to_string();
    let health = Health { status: "alive", netuid: api.netuid, hotkey, version: env!("CARGO_PKG_VERSION") };
    ([FRESH], Json(health)).into_response()
}

/// Readiness
///
/// 503, and what is wrong, when the ledger does not answer, the chain stands still, the hotkey is not registered or may not set
/// weights, or weights are old.
#[utoipa::path(
    get, path = "/ready", tag = "status",
    responses(
        (status = 200, description = "Nothing is wrong", body = Ready),
        (status = 503, description = "Something is wrong", body = Ready),
    )
)]
pub(super) async fn ready(State(api): State<ApiState>) -> Response {
    let report = look(&api).await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [FRESH], Json(report)).into_response()
}

async fn look(api: &ApiState) -> Ready {
    let mut reasons = Vec::new();
    match api.ledger.rounds(api.netuid, LOOKED_AT, None).await {
        Ok(newest) if !api.readiness.mirror => reasons.extend(newest.iter().filter_map(held)),
        Ok(_) => {}
        Err(error) => {
            crate::store::count_failure("read");
            tracing::warn!(%error, "the ledger does not answer");
            reasons.push("the ledger does not answer".to_owned());
        }
    }
    let limits = &api.readiness;
    if limits.mirror {
        // A copy has no chain, no cache and no answers that wait: whether its validator is well is said by the validator.
        let ready = reasons.is_empty();
        return Ready { ready, reasons, block: None, block_age_s: None, weights_age_tempos: None };
    }
    let seen = api.chain.current();
    let age = seen.as_ref().map(|seen| api.clock.now().saturating_sub(seen.since));
    match age {
        None => reasons.push("the chain was not read yet".to_owned()),
        Some(age) if age > limits.head_age => {
            reasons.push(format!("no new block for {} s", age.as_secs()));
        }
        Some(_) => {}
    }
    let weights = seen.as_ref().and_then(|seen| seen.weights_age());
    reasons.extend(seen.as_ref().and_then(|seen| stopped(seen, limits.shadow)));
    if let Some(tempos) = weights.filter(|tempos| *tempos > limits.weights_tempos && !limits.shadow) {
        reasons.push(format!("weights are {tempos:.1} tempos old"));
    }
    reasons.extend(api.upkeep.problems());
    if metrics::free_bytes(&std::env::temp_dir()).is_some_and(|free| free < LEAST_TEMPORARY) {
        reasons.push(format!(
            "less than {} MB are free in {}: answers wait there",
            LEAST_TEMPORARY >> 20,
            std::env::temp_dir().display()
        ));
    }
    Ready {
        ready: reasons.is_empty(),
        reasons,
        block: seen.as_ref().map(|seen| seen.block().0),
        block_age_s: age.map(|age| age.as_secs()),
        weights_age_tempos: weights,
    }
}

/// Why a round does not go on. One that waits for the beacon is not the newest any more.
fn held(round: &Round) -> Option<String> {
    let held = round.marks.held.as_ref().filter(|_| round.step < Step::Published && round.marks.void.is_none())?;
    Some(format!("round {} is held: {}", round.id, held.why))
}

/// Why the chain takes no weights of ours. In a shadow only the registration matters.
fn stopped(seen: &ChainSeen, shadow: bool) -> Option<String> {
    if !seen.registered() {
        return Some("the hotkey is not registered in the subnet".to_owned());
    }
    let why = seen.reading.stopped.as_ref().filter(|_| !shadow)?;
    Some(match why {
        Preflight::NoPermit(_) => "the hotkey has no validator permit".to_owned(),
        other => format!("the chain takes no weights: {other}"),
    })
}

/// Metrics
///
/// The validator's numbers in Prometheus' text form.
#[utoipa::path(
    get, path = "/metrics", tag = "status",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"))
)]
pub(super) async fn exposition(State(api): State<ApiState>) -> Response {
    let text = metrics::render(&api).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), FRESH], text).into_response()
}
