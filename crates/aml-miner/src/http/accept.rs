//! The accept loop of every server: only connections that have a place are taken, slow heads and stalled readers are
//! dropped, and idle connections do not hold up a stop.
//!
//! Sockets are given. Who has a place, what handlers learn of a connection, what is counted and what is logged is the
//! [`Host`]'s.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Extensions;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::connections::Counted;
use super::leaving::{Progress, Watched};
use super::stall::Stalling;

/// After a failed accept (no file descriptors left, say) it waits rather than spins.
const PAUSE: Duration = Duration::from_millis(50);

/// Bounds of one connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long a head may take.
    pub head_time: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Lines of a head; hyper's own 100 where nothing is said.
    pub head_lines: Option<usize>,
    /// How long a peer may take no byte of its answer.
    pub stalled: Duration,
    /// Whether a peer that sends nothing any more is still answered, unless it turns out to be gone.
    pub half_close: bool,
}

/// The place of a connection; free again when dropped.
pub trait Place: Send + Sync + 'static {
    /// Resolves when the connection has to make room for another one; never, where nothing is said.
    fn displaced(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

impl Place for Counted {}

/// What one server does in its own way.
pub trait Host: Clone + Send + Sync + 'static {
    /// What a connection holds while it is open.
    type Place: Place;

    /// A place for a connection from `address`, unless there are too many.
    fn admit(&self, address: IpAddr) -> Option<Self::Place>;

    /// What handlers learn of the connection that a request came on.
    fn introduce(&self, address: IpAddr, request: &mut Extensions);

    /// A connection has no place. Whatever is done with it must not wait.
    fn refused(&self, stream: TcpStream);

    /// A connection was taken, or has ended.
    fn changed(&self) {}

    /// The system gave no connection.
    fn not_accepted(&self, error: &io::Error);

    /// A connection broke, which is the peer's business.
    fn broken(&self, _error: &dyn Error) {}
}

/// A server's connections, from the first to the last.
pub struct Server<H> {
    router: Router,
    limits: ConnectionLimits,
    host: H,
    graceful: GracefulShutdown,
}

impl<H: Host> Server<H> {
    /// Connections that `router` answers.
    #[must_use]
    pub fn new(router: Router, limits: ConnectionLimits, host: H) -> Self {
        Self { router, limits, host, graceful: GracefulShutdown::new() }
    }

    /// Takes connections until `stop`.
    pub async fn accept_until(&self, listener: &TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                accepted = listener.accept() => self.take(accepted).await,
            }
        }
    }

    /// Takes the connections that the system has accepted already, at most `most`: whoever got through before the end is
    /// served.
    pub async fn accept_waiting(&self, listener: &TcpListener, most: usize) {
        for _ in 0..most {
            match tokio::time::timeout(Duration::ZERO, listener.accept()).await {
                Ok(accepted) => self.take(accepted).await,
                Err(_) => return,
            }
        }
    }

    /// Waits until everything in flight is answered.
    pub async fn drained(self) {
        self.graceful.shutdown().await;
    }

    async fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, address)) => match self.host.admit(address.ip()) {
                Some(place) => self.spawn(stream, address.ip(), place),
                None => self.host.refused(stream),
            },
            Err(error) => {
                self.host.not_accepted(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn spawn(&self, stream: TcpStream, address: IpAddr, place: H::Place) {
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        self.host.changed();
        let host = self.host.clone();
        let watched = self.graceful.watch(self.connection(stream, address));
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = watched => ended,
                () = place.displaced() => Ok(()),
            };
            if let Err(error) = ended {
                host.broken(&error);
            }
            drop(place);
            host.changed();
        });
    }

    /// One connection, from its first request to its end.
    fn connection(&self, stream: TcpStream, address: IpAddr) -> impl GracefulConnection<Error = hyper::Error> + use<H> {
        let (router, host, limits) = (self.router.clone(), self.host.clone(), &self.limits);
        let (progress, half_close) = (Progress::default(), limits.half_close);
        let stream = Watched::new(Stalling::new(stream, limits.stalled), progress.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = if half_close { progress.watch(request) } else { request.map(Body::new) };
            host.introduce(address, request.extensions_mut());
            let (answer, progress) = (router.clone().oneshot(request), progress.clone());
            async move { answer.await.map(|answer| if half_close { progress.answered(answer) } else { answer }) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.head_time).max_buf_size(limits.head_bytes);
        if let Some(lines) = limits.head_lines {
            builder.max_headers(lines);
        }
        builder.serve_connection(TokioIo::new(stream), service)
    }
}
