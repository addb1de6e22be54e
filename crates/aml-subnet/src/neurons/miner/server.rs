//! The routes of the axon port. No sockets: a test may call the router directly.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aml_miner::clock::Clock;
use axum::Router;
use axum::extract::{Extension, Path, Request, State};
use axum::response::Response;
use axum::routing::{any, post};

use super::admit::Gate;
use super::authorize::Policy;
use super::failure::Failure;
use super::forward::{Upstream, UpstreamError};
use super::observe::{self, Seen};
use super::priority::Slots;
use super::rate::Buckets;
use super::{legacy, native};
use crate::config::Settings;
use crate::neurons::metagraph::Cache;
use crate::neurons::spool::{DiskBudget, SpoolLimits};
use crate::protocol::replay::NonceStore;
use crate::protocol::synapse;
use crate::wallet::{Hotkey, Signer};

/// What comes from outside.
pub struct Parts {
    /// The miner's hotkey.
    pub signer: Signer,
    /// Who is who.
    pub metagraph: Arc<Cache>,
    /// Which requests were seen.
    pub nonces: Arc<dyn NonceStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The proxy, ready to serve.
pub struct Miner {
    pub(super) netuid: u16,
    pub(super) accept_v10: bool,
    pub(super) signer: Signer,
    pub(super) gate: Gate,
    pub(super) slots: Slots,
    pub(super) upstream: Upstream,
    request_timeout: Duration,
    draining: AtomicBool,
}

/// Whose connection a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Miner {
    /// Puts the proxy together.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(settings: &Settings, parts: Parts) -> Result<Self, UpstreamError> {
        let (miner, protocol) = (&settings.miner, &settings.protocol);
        let spool = SpoolLimits {
            max_bytes: miner.max_body_bytes,
            memory_bytes: miner.memory_body_bytes,
            disk: DiskBudget::new(miner.max_spooled_bytes),
        };
        let policy = Policy {
            require_permit: miner.require_permit,
            min_stake: settings.min_stake_rao(),
            max_age: miner.metagraph_max_age,
        };
        Ok(Self {
            netuid: settings.netuid,
            accept_v10: protocol.accept_v10,
            signer: parts.signer,
            upstream: Upstream::new(&miner.api_url, spool.clone())?,
            slots: Slots::new(miner.concurrent, miner.queue),
            request_timeout: miner.request_timeout,
            draining: AtomicBool::new(false),
            gate: Gate {
                clock: parts.clock,
                window: protocol.window(),
                ed25519: protocol.ed25519_hotkeys.iter().filter_map(|text| text.parse().ok()).collect(),
                policy,
                metagraph: parts.metagraph,
                nonces: parts.nonces,
                rates: Buckets::new(miner.requests_per_minute),
                forgeries: Buckets::new(miner.failures_per_minute),
                spool,
            },
        })
    }

    /// Our key.
    #[must_use]
    pub const fn hotkey(&self) -> Hotkey {
        self.signer.hotkey()
    }

    /// Takes no more requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it takes no more requests.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

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
            Ok(response) => (response, "ok"),
            Err(failure) => {
                if failure.is_forgery() {
                    self.gate.count_forgery(done.peer.0);
                }
                (refuse(&failure), failure.code())
            }
        };
        observe::answered(done.route, done.seen, (response.status(), code), done.started.elapsed());
        response
    }
}

/// A request that was served or refused.
struct Done<'a> {
    route: &'static str,
    peer: Peer,
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
    let result = miner.in_time(native::serve(&miner, route, (peer, &mut seen), request)).await;
    miner.answer(&Done { route, peer, seen: &seen, started }, result, Failure::render)
}

async fn alert_scoring(
    State(miner): State<Arc<Miner>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (mut seen, started) = (Seen::default(), Instant::now());
    let result = miner.in_time(legacy::serve(&miner, (peer, &mut seen), request)).await;
    miner.answer(&Done { route: "/AlertScoring", peer, seen: &seen, started }, result, legacy::refuse)
}

async fn unknown(State(miner): State<Arc<Miner>>) -> Response {
    no_route(&miner).render()
}

fn no_route(miner: &Miner) -> Failure {
    Failure::NoRoute { netuid: miner.netuid, v10: miner.accept_v10 }
}
