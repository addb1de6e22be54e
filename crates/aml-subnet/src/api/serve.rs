//! The API behind a socket: bounded connections, slow and stalled peers dropped, an orderly end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::chain_view::keep_current;
use super::state::ApiState;
use super::{observe, router};
use crate::chain::reading::ChainSource;
use crate::http::listen::{self, ListenLimits, STALLED};

/// A reverse proxy and a few people.
const LIMITS: ListenLimits = ListenLimits {
    connections: 256,
    per_peer: 128,
    header_timeout: Duration::from_secs(10),
    stalled: STALLED,
    grace: Duration::from_secs(5),
};

/// How often the subnet is read for the pages: public nodes count requests, and weights move once an epoch.
const CHAIN_INTERVAL: Duration = Duration::from_secs(60);

/// Serves the API, and reads the chain for it, until `stop`.
pub async fn run(listener: TcpListener, api: ApiState, source: Arc<dyn ChainSource>, stop: CancellationToken) {
    let (view, clock, reading_stop) = (Arc::clone(&api.chain), Arc::clone(&api.clock), stop.clone());
    let reading = tokio::spawn(async move {
        keep_current(&*source, &view, &*clock, CHAIN_INTERVAL, reading_stop).await;
    });
    serve(listener, api, stop).await;
    // It ends at `stop`, or with the reading that is under way.
    reading.abort();
}

/// Serves the API on an already bound `listener` until `stop`, then finishes what is in flight.
pub async fn serve(listener: TcpListener, api: ApiState, stop: CancellationToken) {
    listen::serve(listener, router(api), LIMITS, observe::connection_refused, stop).await;
}
