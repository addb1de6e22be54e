//! The API behind a socket: bounded connections, slow and stalled peers dropped, an orderly end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt as _, service_fn};

use super::state::ApiState;
use super::{drift, observe, router};
use crate::chain::reading::ChainSource;
use crate::chain::types::Block;
use crate::http::listen::{self, ListenLimits, STALLED};
use crate::store::records::WeightsTarget;
use crate::validator::pay::RECORDS;

/// A reverse proxy and a few people.
const LIMITS: ListenLimits = ListenLimits {
    connections: 256,
    per_peer: 128,
    header_timeout: Duration::from_secs(10),
    stalled: STALLED,
    grace: Duration::from_secs(5),
    reserved: None,
};

/// How often the subnet is read for the pages: public nodes count requests, and weights move once per epoch.
const CHAIN_INTERVAL: Duration = Duration::from_secs(60);

/// A chain whose blocks come faster than this is a development chain, and somebody watches it.
const FAST: Duration = Duration::from_secs(6);
/// How often such a chain is read, and any after trouble.
const SOON: Duration = Duration::from_secs(12);

/// How often months are held against each other: rounds are published and settled once a day.
const DRIFT_INTERVAL: Duration = Duration::from_secs(3600);

/// Serves the API, and reads the chain for it, until `stop`.
pub async fn run(listener: TcpListener, api: ApiState, source: Arc<dyn ChainSource>, stop: CancellationToken) {
    let (reader, reading_stop) = (api.clone(), stop.clone());
    let reading = tokio::spawn(async move {
        keep_current(&*source, &reader, CHAIN_INTERVAL, reading_stop).await;
    });
    let (looker, looking_stop) = (api.clone(), stop.clone());
    let looking = tokio::spawn(async move { keep_looking(&looker, DRIFT_INTERVAL, looking_stop).await });
    serve(listener, api, stop).await;
    // They end at `stop`, or with the reading that is under way.
    reading.abort();
    looking.abort();
}

/// An API that may be replaced by another one.
#[derive(Clone)]
pub struct Shown {
    api: ApiState,
    routes: Router,
}

impl From<ApiState> for Shown {
    fn from(api: ApiState) -> Self {
        Self { routes: router(api.clone()), api }
    }
}

/// Serves the `newest` API, and holds months against each other for its metrics, until `stop`; nobody reads the chain. Every request that comes
/// after a change goes to the new one; the old one finishes those that it has, and no connection is turned away meanwhile.
pub async fn serve_newest(listener: TcpListener, mut newest: watch::Receiver<Shown>, stop: CancellationToken) {
    let current = newest.clone();
    let app = Router::new().fallback_service(service_fn(move |request| {
        let routes = current.borrow().routes.clone();
        routes.oneshot(request)
    }));
    let looking = tokio::spawn({
        let stop = stop.clone();
        async move {
            loop {
                let api = newest.borrow_and_update().api.clone();
                tokio::select! {
                    () = keep_looking(&api, DRIFT_INTERVAL, stop.clone()) => return,
                    replaced = newest.changed() => if replaced.is_err() { return },
                }
            }
        }
    });
    listen::serve(listener, app, LIMITS, observe::connection_refused, stop).await;
    looking.abort();
}

/// Makes the months every `interval` until `stop`, so that whoever asks for them does not wait, and metrics have them.
async fn keep_looking(api: &ApiState, interval: Duration, stop: CancellationToken) {
    loop {
        if let Err(error) = drift::look(api).await {
            tracing::warn!(detail = error.line(), "months could not be held against each other");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// Serves the API on an already bound `listener` until `stop`, then finishes what is in flight.
pub async fn serve(listener: TcpListener, api: ApiState, stop: CancellationToken) {
    listen::serve(listener, router(api), LIMITS, observe::connection_refused, stop).await;
}

/// Reads `source` into the view of `api` every `interval` until `stop`; what was read last stays when a read fails.
async fn keep_current(source: &dyn ChainSource, api: &ApiState, interval: Duration, stop: CancellationToken) {
    let target = WeightsTarget { netuid: api.netuid, mechanism: api.mechanism };
    let mut last: Option<(Block, Duration)> = None;
    loop {
        let mut pause = SOON.min(interval);
        match (source.read().await, api.ledger.weights(target, RECORDS).await) {
            (Ok(reading), Ok(records)) => {
                let seen = (reading.metagraph.block, api.clock.now());
                api.chain.put(reading, &records, seen.1);
                let before = last.replace(seen);
                if before.is_some_and(|before| !is_fast(before, seen)) {
                    pause = interval;
                }
            }
            (Err(error), _) => tracing::warn!(%error, "the page keeps the last reading of the chain"),
            (_, Err(error)) => {
                crate::store::count_failure("read");
                tracing::warn!(%error, "the page keeps the last reading of the chain: the ledger does not answer");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn is_fast(before: (Block, Duration), now: (Block, Duration)) -> bool {
    let blocks = u32::try_from(now.0.0.saturating_sub(before.0.0)).unwrap_or(u32::MAX);
    FAST.saturating_mul(blocks) > now.1.saturating_sub(before.1)
}
