//! Connections: accepted within limits, timed, and ended in order.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Extensions;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::access::OnLoopback;
use super::router;
use super::state::AppState;
use crate::http::accept::{ConnectionLimits, Host, Server};
use crate::http::connections::{Connections, Counted};

/// Bytes of a connection that are read ahead; headers must fit.
const READ_BUFFER: usize = 64 << 10;
/// How often metrics are compacted.
const UPKEEP: Duration = Duration::from_secs(5);

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n\
retry-after: 1\r\ncontent-length: 63\r\n\r\n{\"detail\":\"Too many connections\",\"code\":\"too_many_connections\"}";

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything in flight was answered.
    Drained,
    /// The grace period ended first, or a second signal came.
    Cut,
}

/// When a server ends.
#[derive(Clone, Copy, Debug)]
pub struct Ends<S, N> {
    /// From then on nothing new is taken.
    pub stop: S,
    /// Then what is in flight is cut off.
    pub now: N,
    /// How long what is in flight may take to end.
    pub grace: Duration,
}

/// Serves `app` on `listener` until it is told to stop, then lets requests in flight end.
pub async fn serve<S, N>(listener: TcpListener, app: AppState, ends: Ends<S, N>) -> Ended
where
    S: Future<Output = ()>,
    N: Future<Output = ()>,
{
    let Ends { stop, now, grace } = ends;
    let loopback = listener.local_addr().is_ok_and(|address| is_loopback(address.ip()));
    let connections = Connections::new(app.limits.connections, app.limits.connections_per_peer);
    let server = Server::new(router(app.clone()), limits(&app), Doors { app: app.clone(), loopback, connections });
    tokio::select! {
        () = server.accept_until(&listener, stop) => {}
        () = upkeep(&app) => {}
    }
    app.drain();
    server.accept_waiting(&listener, app.limits.connections).await;
    drop(listener);
    tokio::select! {
        () = server.drained() => Ended::Drained,
        () = tokio::time::sleep(grace) => Ended::Cut,
        () = now => Ended::Cut,
    }
}

fn limits(app: &AppState) -> ConnectionLimits {
    ConnectionLimits {
        head_time: app.limits.header_time,
        head_bytes: READ_BUFFER,
        head_lines: None,
        stalled: app.limits.header_time,
        half_close: true,
    }
}

/// For ever.
async fn upkeep(app: &AppState) {
    let mut upkeep = tokio::time::interval(UPKEEP);
    loop {
        upkeep.tick().await;
        app.metrics.upkeep();
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// What is told and counted of connections.
#[derive(Clone)]
struct Doors {
    app: AppState,
    loopback: bool,
    connections: Arc<Connections>,
}

impl Host for Doors {
    type Place = Counted;

    /// An IPv4 peer of an IPv6 socket is the same peer.
    fn admit(&self, address: IpAddr) -> Option<Counted> {
        self.connections.count(address.to_canonical())
    }

    fn introduce(&self, _address: IpAddr, request: &mut Extensions) {
        if self.loopback {
            request.insert(OnLoopback);
        }
    }

    fn refused(&self, mut stream: TcpStream) {
        self.app.metrics.connection_refused();
        tokio::spawn(async move {
            // Best effort: the peer may not listen.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(REFUSAL)).await;
        });
    }

    fn changed(&self) {
        self.app.metrics.connections(self.connections.open());
    }

    fn not_accepted(&self, error: &io::Error) {
        tracing::warn!(%error, "a connection was not accepted");
    }

    fn broken(&self, error: &dyn Error) {
        tracing::debug!(%error, "a connection ended early");
    }
}
