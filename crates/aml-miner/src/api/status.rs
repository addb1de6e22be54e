//! `/health`, `/ready`, `/version` and `/metrics`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ErrorCode};
use super::models::NAMES;
use super::state::AppState;
use crate::scoring::Prepared;

/// Whether the server lives, and with which models.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy`, or `degraded` when a model that was asked for is not served.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Every model by name.
    models_loaded: BTreeMap<&'static str, bool>,
    /// Seconds since the epoch.
    timestamp: f64,
}

/// Health
///
/// Always 200 while the process lives.
#[utoipa::path(get, path = "/health", tag = "status", responses((status = 200, description = "It lives", body = Health)))]
pub(super) async fn health(State(app): State<AppState>) -> Json<Health> {
    let models = app.models();
    let models_loaded: BTreeMap<_, _> =
        models.each().into_iter().map(|(name, model)| (name, model.is_some())).collect();
    let healthy = app.failures().is_empty() && models_loaded.values().any(|loaded| *loaded);
    let status = if healthy { "healthy" } else { "degraded" };
    Json(Health { status, models_loaded, timestamp: app.clock.now().as_secs_f64() })
}

/// The server can score.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always `ready`.
    #[schema(example = "ready")]
    status: &'static str,
}

/// Readiness
///
/// 200 when every model that was asked for is served and the server stays.
#[utoipa::path(
    get, path = "/ready", tag = "status",
    responses(
        (status = 200, description = "It can score", body = Ready),
        (status = 503, description = "Draining, or without a model", body = ErrorBody),
    )
)]
pub(super) async fn ready(State(app): State<AppState>) -> Result<Json<Ready>, ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(ErrorCode::Draining, "The server is about to end"));
    }
    if app.is_ready() {
        return Ok(Json(Ready { status: "ready" }));
    }
    let failed = app.failures();
    let names = if failed.is_empty() { NAMES.to_vec() } else { failed.into_iter().map(|(name, _)| name).collect() };
    Err(ApiError::new(ErrorCode::NoModel, format!("Not loaded: {}", names.join(", "))))
}

/// What is served.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    /// Version of this API.
    #[schema(example = "1.0.0")]
    api_version: &'static str,
    /// Version of the alert scorer.
    alert_scorer_version: Option<String>,
    /// Version of the alert ranker.
    alert_ranker_version: Option<String>,
    /// Version of the cluster scorer.
    cluster_scorer_version: Option<String>,
    /// More about every model that is served.
    models: BTreeMap<&'static str, ModelVersion>,
    /// The commit this was built from; `unknown` where the build could not tell.
    git_commit: &'static str,
    /// Scoring threads.
    threads: usize,
}

/// A model that is served.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelVersion {
    /// Semantic version and digest.
    model_version: String,
    /// SHA-256 of the model file.
    sha256: String,
    /// Hash of its schema.
    schema_sha256: String,
    /// Number of its features.
    features: usize,
    /// LightGBM's version that trained it.
    lightgbm_version: Option<String>,
    /// About how many multiply-adds the explanation of one row takes, one to two nanoseconds each.
    explain_steps: Option<u64>,
}

impl ModelVersion {
    fn of(served: &Prepared) -> Self {
        Self {
            model_version: served.model.version().to_owned(),
            sha256: served.model.digest().to_string(),
            schema_sha256: served.schema_hash.to_string(),
            features: served.model.schema().features.len(),
            lightgbm_version: served.lightgbm_version.clone(),
            explain_steps: served.model.explain_steps(),
        }
    }
}

/// Versions
///
/// Of the API, of every model and its schema, and of the build.
#[utoipa::path(get, path = "/version", tag = "status", responses((status = 200, description = "Versions", body = Version)))]
pub(super) async fn version(State(app): State<AppState>) -> Json<Version> {
    let models = app.models();
    let each = models.each();
    let version = |index: usize| each[index].1.map(|served| served.model.version().to_owned());
    Json(Version {
        api_version: env!("CARGO_PKG_VERSION"),
        alert_scorer_version: version(0),
        alert_ranker_version: version(1),
        cluster_scorer_version: version(2),
        models: each.into_iter().filter_map(|(name, served)| Some((name, ModelVersion::of(served?)))).collect(),
        git_commit: app.commit,
        threads: app.engine.threads(),
    })
}

/// Metrics
///
/// Counters and durations in Prometheus' text form.
#[utoipa::path(
    get, path = "/metrics", tag = "status",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"))
)]
pub(super) async fn exposition(State(app): State<AppState>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        app.metrics.render(app.engine.load(), app.budget.used()),
    )
}
