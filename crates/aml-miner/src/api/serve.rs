//! Connections: accepted within limits, timed, and ended in order.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::access::OnLoopback;
use super::leaving::{Progress, Watched};
use super::router;
use super::state::AppState;
use crate::http::connections::{Connections, Counted};
use crate::http::stall::Stalling;

/// Bytes of a connection that are read ahead; headers must fit.
const READ_BUFFER: usize = 64 << 10;
/// How often metrics are compacted.
const UPKEEP: Duration = Duration::from_secs(5);
/// The pause after the system refused a connection, for example for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

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
    let limits = app.limits;
    let server = Server {
        router: router(app.clone()),
        connections: Connections::new(limits.connections, limits.connections_per_peer),
        graceful: GracefulShutdown::new(),
        loopback: listener.local_addr().is_ok_and(|address| is_loopback(address.ip())),
        app,
    };
    server.accept_until(&listener, stop).await;
    server.app.drain();
    server.accept_waiting(&listener).await;
    drop(listener);
    let drained = server.graceful.shutdown();
    tokio::select! {
        () = drained => Ended::Drained,
        () = tokio::time::sleep(grace) => Ended::Cut,
        () = now => Ended::Cut,
    }
}

/// An IPv4 peer of an IPv6 socket is the same peer.
fn peer_of(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

struct Server {
    router: Router,
    connections: Arc<Connections>,
    graceful: GracefulShutdown,
    loopback: bool,
    app: AppState,
}

impl Server {
    async fn accept_until(&self, listener: &TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = upkeep.tick() => self.app.metrics.upkeep(),
                accepted = listener.accept() => self.take(accepted).await,
            }
        }
    }

    /// Takes the connections that the system has accepted already: whoever got through before the end is served.
    async fn accept_waiting(&self, listener: &TcpListener) {
        for _ in 0..self.app.limits.connections {
            match tokio::time::timeout(Duration::ZERO, listener.accept()).await {
                Ok(accepted) => self.take(accepted).await,
                Err(_) => return,
            }
        }
    }

    async fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, peer)) => match self.connections.count(peer_of(peer)) {
                Some(counted) => self.spawn(stream, counted),
                None => self.refuse(stream),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    fn refuse(&self, mut stream: TcpStream) {
        self.app.metrics.connection_refused();
        tokio::spawn(async move {
            // Best effort: the peer may not listen.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(REFUSAL)).await;
        });
    }

    fn spawn(&self, stream: TcpStream, counted: Counted) {
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        self.app.metrics.connections(self.connections.open());
        let (app, connections) = (self.app.clone(), Arc::clone(&self.connections));
        let serving = connection(
            self.router.clone(),
            stream,
            Terms { loopback: self.loopback, patience: app.limits.header_time },
        );
        let serving = serving(self.graceful.watcher());
        tokio::spawn(async move {
            serving.await;
            drop(counted);
            app.metrics.connections(connections.open());
        });
    }
}

/// What holds for every connection.
struct Terms {
    loopback: bool,
    patience: Duration,
}

/// One connection, from its first request to its end.
fn connection(
    router: Router,
    stream: TcpStream,
    Terms { loopback, patience }: Terms,
) -> impl FnOnce(Watcher) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    move |watcher| {
        let progress = Progress::default();
        let stream = Watched::new(Stalling::new(stream, patience), progress.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            if loopback {
                request.extensions_mut().insert(OnLoopback);
            }
            let (answer, progress) = (router.clone().oneshot(progress.watch(request)), progress.clone());
            async move { answer.await.map(|response| progress.answered(response)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(READ_BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        let watched = watcher.watch(connection);
        Box::pin(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        })
    }
}
