//! Our own accept loop: connections in all and per peer are bounded, slow headers and stalled readers are dropped, and
//! idle connections do not hold up a stop.

use std::net::IpAddr;
use std::time::Duration;

use aml_miner::http::connections::Connections;
use aml_miner::http::stall::Stalling;
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

/// More header lines than any caller of ours sends.
const MAX_HEADERS: usize = 64;
/// A longer head is refused: what the SDKs send is under 2 KiB.
const MAX_HEAD: usize = 64 * 1024;
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

/// Whose connection a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Serves `app` on an already bound `listener` until `stop`, then finishes what is in flight within the grace period.
/// `refused` is told of every connection beyond the bounds.
pub async fn serve(listener: TcpListener, app: Router, limits: ListenLimits, refused: fn(), stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let peers = Connections::new(limits.connections, limits.per_peer);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => match peers.count(peer_of(address.ip())) {
                Some(counted) => {
                    let app = app.clone();
                    let connection = connection(stream, Peer(address.ip()), app, &limits);
                    let watched = graceful.watch(connection);
                    tokio::spawn(async move {
                        // Broken connections are the peer's business.
                        let _ = watched.await;
                        drop(counted);
                    });
                }
                None => refused(),
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
    peer: Peer,
    app: Router,
    limits: &ListenLimits,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Stalling::new(stream, limits.stalled)), service)
}
