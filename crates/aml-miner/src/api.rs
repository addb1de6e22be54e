//! The HTTP API of `aml-miner-serve`.
//!
//! [`router`] is pure: it has no socket and starts no task. [`serve::serve`] puts it behind a given listener, with
//! limits on connections and time. Scoring runs on the [`engine::Engine`]'s own threads, never on those of the sockets.

pub mod access;
pub mod engine;
pub mod error;
pub mod logging;
pub mod metrics;
pub mod models;
pub mod openapi;
pub mod probe;
pub mod program;
pub mod reload;
pub mod run;
pub mod serve;
pub mod state;

mod alerts;
mod clusters;
mod content;
mod cost;
mod form;
mod job;
mod kind;
mod multipart;
mod observe;
mod pages;
mod query;
mod receive;
mod scoring;
mod status;
#[cfg_attr(not(feature = "otel"), path = "api/no_traces.rs")]
mod traces;
mod warnings;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use error::{ApiError, ErrorCode};
use state::AppState;

use crate::http::around;

/// Answers smaller than this are not worth compressing.
const COMPRESS_ABOVE: u64 = 1024;

/// Every route this server answers. No sockets, no tasks: a test may call it directly.
pub fn router(app: AppState) -> Router {
    Router::new()
        .route("/", get(pages::index))
        .route("/docs", get(pages::docs))
        .route("/docs/{name}", get(pages::asset))
        .route("/openapi.json", get(openapi::document))
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/version", get(status::version))
        .route("/metrics", get(status::exposition))
        .route("/score/alerts", post(alerts::score))
        .route("/rank/alerts", post(alerts::rank))
        .route("/score/clusters", post(clusters::score))
        .route("/admin/reload", post(reload::reload))
        .fallback(async || ApiError::new(ErrorCode::NotFound, "Not Found"))
        .method_not_allowed_fallback(async || ApiError::new(ErrorCode::MethodNotAllowed, "Method Not Allowed"))
        .layer(CatchPanicLayer::custom(around::panicked::<ErrorCode>))
        .layer(from_fn_with_state(app.clone(), observe::request))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESS_ABOVE)))
        .with_state(app)
}
