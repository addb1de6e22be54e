//! Our own accept loop: connections in all and per peer are bounded, slow headers and stalled readers are dropped, and
//! idle connections do not hold up a stop.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::rate::peer_of;
use super::server::Peer;
use super::stall::Stalling;
use crate::protocol::limits::MAX_HEADER_BYTES;

/// More header lines than any caller of ours sends.
const MAX_HEADERS: usize = 64;
/// After a failed accept (no file descriptors left, say) we wait rather than spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A peer that takes no byte of its answer for so long is gone.
pub const STALLED: Duration = Duration::from_secs(20);

/// Bounds of the port.
#[derive(Clone, Copy, Debug)]
pub struct ListenLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one peer.
    pub per_peer: usize,
    /// How long headers may take.
    pub header_timeout: Duration,
    /// How long a peer may take no byte of its answer.
    pub stalled: Duration,
    /// How long requests in flight may go on after a stop.
    pub grace: Duration,
}

/// Serves `app` on an already bound `listener` until `stop`, then finishes what is in flight within the grace period.
pub async fn serve(listener: TcpListener, app: Router, limits: ListenLimits, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let peers = Arc::new(Peers::new(limits.connections, limits.per_peer));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => match peers.enter(address.ip()) {
                Some(guest) => {
                    let app = app.clone();
                    let connection = connection(stream, (address.ip(), app), &limits);
                    let watched = graceful.watch(connection);
                    tokio::spawn(async move {
                        // Broken connections are the peer's business.
                        let _ = watched.await;
                        drop(guest);
                    });
                }
                None => metrics::counter!("aml_miner_connections_refused_total").increment(1),
            },
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            grace_s = limits.grace.as_secs(),
            "requests were still in flight at the end of the grace period"
        );
    }
}

fn connection(
    stream: TcpStream,
    (ip, app): (IpAddr, Router),
    limits: &ListenLimits,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Peer(ip));
        app.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES.max(64 * 1024))
        .serve_connection(TokioIo::new(Stalling::new(stream, limits.stalled)), service)
}

/// Who is connected.
#[derive(Debug)]
struct Peers {
    all: usize,
    per_peer: usize,
    connected: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of one peer; leaves when dropped.
struct Guest(Arc<Peers>, IpAddr);

impl Peers {
    fn new(all: usize, per_peer: usize) -> Self {
        Self { all, per_peer, connected: Mutex::default() }
    }

    fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Guest> {
        let peer = peer_of(ip);
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = connected.values().sum();
        let own = connected.entry(peer).or_default();
        if all >= self.all || *own >= self.per_peer {
            if *own == 0 {
                connected.remove(&peer);
            }
            return None;
        }
        *own += 1;
        Some(Guest(Arc::clone(self), peer))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut connected = self.0.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = connected.get_mut(&self.1) {
            *own -= 1;
            if *own == 0 {
                connected.remove(&self.1);
            }
        }
    }
}
