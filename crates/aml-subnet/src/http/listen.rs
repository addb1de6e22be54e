//! The sockets of this crate's servers: one accept loop (see [`accept`](aml_miner::http::accept)) within our bounds, behind
//! `doors` of our own.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::http::accept::{ConnectionLimits, Host, Place, Server};
use axum::Router;
use axum::http::Extensions;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::doors::{Doors, Entered};
use super::known::Known;
use super::rate::peer_of;

/// More header lines than any caller of ours sends.
const MAX_HEADERS: usize = 64;
/// A longer head is refused: what the SDKs send is under 2 KiB.
const MAX_HEAD: usize = 64 * 1024;
/// A peer that takes no byte of its answer for so long is gone.
pub const STALLED: Duration = Duration::from_secs(20);

/// Bounds of the port.
#[derive(Clone, Debug)]
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
    /// Connections that are kept for addresses which proved themselves before.
    pub reserved: Option<Reserved>,
}

/// Connections that strangers cannot take.
#[derive(Clone)]
pub struct Reserved {
    /// How many.
    pub connections: usize,
    /// For whom.
    pub known: Arc<Known>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Reserved {
    /// Whether places are kept for this peer.
    fn knows(&self, peer: IpAddr) -> bool {
        self.known.knows(peer, self.clock.now())
    }
}

/// Whose connection a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Serves `app` on an already bound `listener` until `stop`, then finishes what is in flight within the grace period.
/// `refused` is told of every connection beyond the bounds.
pub async fn serve(listener: TcpListener, app: Router, limits: ListenLimits, refused: fn(), stop: CancellationToken) {
    let reserved = limits.reserved.as_ref().map_or(0, |reserved| reserved.connections);
    let doors = Doors::new(limits.connections, limits.per_peer, reserved);
    let porter = Porter { refused, doors, reserved: limits.reserved.clone() };
    let server = Server::new(app, of_one(&limits), porter);
    server.accept_until(&listener, stop.cancelled()).await;
    drop(listener);
    if tokio::time::timeout(limits.grace, server.drained()).await.is_err() {
        tracing::warn!(
            grace_s = limits.grace.as_secs(),
            "requests were still in flight at the end of the grace period"
        );
    }
}

const fn of_one(limits: &ListenLimits) -> ConnectionLimits {
    ConnectionLimits {
        head_time: limits.header_timeout,
        head_bytes: MAX_HEAD,
        head_lines: Some(MAX_HEADERS),
        stalled: limits.stalled,
        half_close: false,
    }
}

/// What is told and counted of connections.
#[derive(Clone)]
struct Porter {
    refused: fn(),
    doors: Arc<Doors>,
    reserved: Option<Reserved>,
}

impl Place for Entered {
    fn displaced(&self) -> impl Future<Output = ()> + Send {
        self.to_leave()
    }
}

impl Host for Porter {
    type Place = Entered;

    fn admit(&self, address: IpAddr) -> Option<Entered> {
        let knows = |peer| self.reserved.as_ref().is_some_and(|reserved| reserved.knows(peer));
        self.doors.enter(peer_of(address), knows)
    }

    fn introduce(&self, address: IpAddr, request: &mut Extensions) {
        request.insert(Peer(address));
    }

    fn refused(&self, _stream: TcpStream) {
        (self.refused)();
    }

    fn not_accepted(&self, error: &io::Error) {
        tracing::warn!(%error, "accept");
    }
}
