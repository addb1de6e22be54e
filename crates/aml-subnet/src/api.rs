//! The validator's read API, and pages for people. Nothing here changes anything.
//!
//! [`router`] is pure: it has no socket and starts no task. Everything comes from the ledger, the published files and the
//! last reading of the chain. A round is shown once it is published, its traps once it is settled, a vector of weights
//! once the chain shows it; raw answers and salts of commits are never shown.

pub mod access;
pub mod chain_view;
pub mod error;
pub mod information;
pub mod openapi;
pub mod serve;
pub mod state;
pub mod views;

mod alerts;
mod canonical;
mod cases;
mod clusters;
mod dossier;
mod drift;
mod evidence;
mod excerpt;
mod facts;
mod llms;
mod memory;
mod metrics;
mod miners;
mod negotiate;
mod objects;
mod observe;
mod others;
mod pages;
mod plan;
mod query;
mod queues;
mod recent;
mod relative;
mod reply;
mod risk;
mod rounds;
mod scored;
mod search;
mod status;
mod weights;

use aml_miner::http::around::panicked;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use error::{ApiError, ErrorCode};
use state::ApiState;

/// Answers smaller than this are not worth compressing.
const COMPRESS_ABOVE: u16 = 1024;
/// Requests that are worked on at once; more wait. Each may hold a day of canonical scores in memory. Those of [`probes`] do not,
/// and wait for nobody: else who watches would take a busy validator for a dead one.
const AT_ONCE: usize = 16;

/// What is promised under this prefix: `docs/validator_api.md` says it.
const VERSION: &str = "/api/1";

/// Every route this server answers. No sockets, no tasks: a test may call it directly.
pub fn router(api: ApiState) -> Router {
    // Parquet and packs are compressed already.
    let worth = SizeAbove::new(COMPRESS_ABOVE.into())
        .and(NotForContentType::new("application/vnd.apache.parquet"))
        .and(NotForContentType::new("application/zip"))
        // Nor does ciphertext shrink, and who fetches it counts its bytes.
        .and(NotForContentType::new("application/octet-stream"));
    let some = GlobalConcurrencyLimitLayer::new(AT_ONCE);
    let programs = || answers().merge(fetched()).route_layer(some.clone()).merge(probes());
    let people = pages::router().route("/llms.txt", get(llms::guide)).route_layer(some.clone());
    let router = Router::new()
        .merge(programs())
        .nest(VERSION, programs())
        .merge(people)
        .fallback(async || ApiError::new(ErrorCode::NotFound, "Not Found"))
        .method_not_allowed_fallback(async || ApiError::new(ErrorCode::MethodNotAllowed, "Method Not Allowed"))
        .layer(CatchPanicLayer::custom(panicked::<ErrorCode>))
        .layer(from_fn_with_state(api.clone(), access::check));
    // Browsers ask without a token whether they may ask with one.
    let router = match api.access.cross_origin() {
        Some(origins) => router.layer(origins),
        None => router,
    };
    router
        .layer(from_fn_with_state(api.clone(), observe::request))
        .layer(from_fn(relative::links))
        .layer(CompressionLayer::new().compress_when(worth))
        .with_state(api)
}

/// The routes for programs. They stand under [`VERSION`], where they keep their promise, and without it, as they always did.
fn answers() -> Router<ApiState> {
    Router::new()
        .route("/canonical/{date}", get(canonical::scores))
        .route("/canonical/{date}/manifest", get(canonical::manifest))
        .route("/canonical/{date}/calibration", get(canonical::calibration))
        .route("/alerts/{round}", get(search::of_round))
        .route("/alerts/{round}/{id}", get(alerts::one))
        .route("/clusters/{round}/{id}", get(clusters::one))
        .route("/rounds", get(rounds::list))
        .route("/rounds/{id}", get(rounds::one))
        .route("/rounds/{id}/traps", get(rounds::traps))
        .route("/rounds/{id}/evidence", get(evidence::pack))
        .route("/miners", get(miners::list))
        .route("/miners/{hotkey}", get(miners::one))
        .route("/weights", get(weights::show))
        .route("/cases/{date}", get(cases::of_day))
        .route("/queues/{system}/{date}", get(queues::of_day))
        .route("/plan", get(plan::show))
        .route("/drift", get(drift::show))
        .route("/risk/address/{address}", get(risk::of_address))
        .route("/openapi.json", get(openapi::document))
}

/// What miners fetch: no part of what is read, so no document names it.
fn fetched() -> Router<ApiState> {
    Router::new().route("/objects/{digest}", get(objects::one))
}

/// The routes for those who watch.
fn probes() -> Router<ApiState> {
    Router::new()
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::exposition))
}
