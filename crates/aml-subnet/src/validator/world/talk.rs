//! Talk with miners: a connection, then one request and one answer over it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;

use crate::http::client::{self, ExchangeError, Posting, Received};
use crate::http::spool::SpoolLimits;

/// Reaches miners.
pub(crate) trait Talk: Send + Sync {
    /// A connection to `address` and nowhere else, within `limit`.
    fn connect(&self, address: SocketAddr, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Line>, ExchangeError>>;
}

/// A connection that serves one exchange.
pub(crate) trait Line: Send {
    /// Sends `posting` and receives the answer. Its time is bounded by whoever drops this.
    fn post<'a>(
        self: Box<Self>,
        posting: Posting,
        limits: &'a SpoolLimits,
    ) -> BoxFuture<'a, Result<Received, ExchangeError>>;
}

/// HTTP over TCP.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire;

impl Talk for Wire {
    fn connect(&self, address: SocketAddr, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Line>, ExchangeError>> {
        Box::pin(async move { Ok(Box::new(client::connect(address, limit).await?) as Box<dyn Line>) })
    }
}

impl Line for TcpStream {
    fn post<'a>(
        self: Box<Self>,
        posting: Posting,
        limits: &'a SpoolLimits,
    ) -> BoxFuture<'a, Result<Received, ExchangeError>> {
        Box::pin(client::post(*self, posting, limits))
    }
}
