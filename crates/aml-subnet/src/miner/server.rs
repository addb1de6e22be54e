//! The routes of the axon port. No sockets: a test may call the router directly.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Extension, Path, Request, State};
use axum::response::Response;
use axum::routing::{any, post};
use http::StatusCode;

use super::failure::Failure;
use super::observe::{self, Seen};
use super::proxy::Miner;
use super::{legacy, native};
use crate::http::listen::Peer;
use crate::protocol::synapse;

impl Miner {
    /// Serves within the deadline, and not at all while draining.
    async fn in_time(&self, work: impl Future<Output = Result<Response, Failure>>) -> Result<Response, Failure> {
        if self.is_draining() {
            return Err(Failure::Draining);
        }
        let late = |_| Failure::Slow(self.request_timeout);
        tokio::time::timeout(self.request_timeout, work).await.map_err(late)?
    }

    /// Reports what came of a request, and words a failure with `refuse`.
    fn answer(&self, done: &Done<'_>, result: Result<Response, Failure>, refuse: fn(&Failure) -> Response) -> Response {
        let (response, code) = match result {
            Ok(response) => {
                let code = of_the_api(response.status());
                (response, code)
            }
            Err(failure) => (refuse(&failure), failure.code()),
        };
        observe::answered(done.route, done.seen, response.status(), code, done.started.elapsed());
        response
    }
}

/// The code of an answer that the API gave, so that its refusals are told from ours.
const fn of_the_api(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400..500 => "api_refused",
        500.. => "api_failed",
        _ => "ok",
    }
}

/// A request that was served or refused.
struct Done<'a> {
    route: &'static str,
    seen: &'a Seen,
    started: Instant,
}

/// Every route of the axon port.
pub fn router(miner: Arc<Miner>) -> Router {
    let native = |route: &'static str| {
        post(move |state, path, peer, request| score(route, state, path, peer, request))
            .fallback(|| async { Failure::Method.render() })
    };
    let mut router = Router::new()
        .route("/{netuid}/score/alerts", native("/score/alerts"))
        .route("/{netuid}/rank/alerts", native("/rank/alerts"))
        .route("/{netuid}/score/clusters", native("/score/clusters"));
    router =
        router.route("/{netuid}/answers/{digest}", post(plain_answer).fallback(|| async { Failure::Method.render() }));
    if miner.accept_v10 {
        let wrong_method = || async { legacy::refuse(&Failure::Method) };
        router = router.route(&format!("/{}", synapse::NAME), post(alert_scoring).fallback(wrong_method));
    }
    router.fallback(any(unknown)).with_state(miner)
}

async fn score(
    route: &'static str,
    State(miner): State<Arc<Miner>>,
    Path(netuid): Path<String>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    if netuid != miner.netuid.to_string() {
        return no_route(&miner).render();
    }
    let (mut seen, started) = (Seen::default(), Instant::now());
    let result = miner.in_time(native::serve(&miner, route, peer, &mut seen, request)).await;
    miner.answer(&Done { route, seen: &seen, started }, result, Failure::render)
}

async fn plain_answer(
    State(miner): State<Arc<Miner>>,
    Path((netuid, digest)): Path<(String, String)>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let Some(digest) = digest.parse().ok().filter(|_| netuid == miner.netuid.to_string()) else {
        return no_route(&miner).render();
    };
    let (mut seen, started) = (Seen::default(), Instant::now());
    let result = miner.in_time(native::plain_answer(&miner, digest, peer, &mut seen, request)).await;
    miner.answer(&Done { route: "/answers", seen: &seen, started }, result, Failure::render)
}

async fn alert_scoring(
    State(miner): State<Arc<Miner>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (mut seen, started) = (Seen::default(), Instant::now());
    let result = miner.in_time(legacy::serve(&miner, peer, &mut seen, request)).await;
    miner.answer(&Done { route: "/AlertScoring", seen: &seen, started }, result, legacy::refuse)
}

async fn unknown(State(miner): State<Arc<Miner>>) -> Response {
    no_route(&miner).render()
}

fn no_route(miner: &Miner) -> Failure {
    Failure::NoRoute { netuid: miner.netuid, v10: miner.accept_v10 }
}
