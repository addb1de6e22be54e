//! One connection to one node, under the reader's own limits.
//!
//! Every request has a deadline; an answer is bounded; the connection is pinged, so that one that is half open is
//! found out. Each outcome is counted: a connection that fails several times in a row is given up.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jsonrpsee::client_transport::ws::{Url, WsTransportClientBuilder};
use jsonrpsee::core::client::Client;
use jsonrpsee::core::client::async_client::{ClientBuilder, PingConfig};
use subxt::rpcs::client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT};
use subxt::rpcs::{Error as RpcError, RpcClient};

use super::observe;
use crate::chain::endpoints::Endpoint;

/// The largest answer read: metadata is 0.6 MB as hex, the metagraph of a full subnet below 1 MB.
const MAX_RESPONSE_BYTES: u32 = 16 * 1024 * 1024;
/// The largest request sent: an extrinsic is a few kilobytes.
const MAX_REQUEST_BYTES: u32 = 1024 * 1024;
/// Notifications held of one subscription: a transaction has about ten.
const SUBSCRIPTION_BUFFER: usize = 64;
/// Requests in flight on one connection.
const MAX_CONCURRENT: usize = 64;

/// How long the chain may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the answer to one request.
    pub request: Duration,
    /// Between two pings on an idle connection.
    pub ping: Duration,
    /// For a transaction to be final.
    pub finality: Duration,
    /// Between two looks at the chain while waiting for it.
    pub poll: Duration,
    /// Failures in a row, of any kind, after which another connection is made.
    pub max_failures: u32,
    /// First pause before an endpoint that failed is tried again; it doubles with each failure, up to a minute.
    pub backoff: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(20),
            ping: Duration::from_secs(20),
            // A block takes 12 s and finality about three more; a mortal transaction dies after 128 blocks.
            finality: Duration::from_secs(180),
            poll: Duration::from_secs(6),
            max_failures: 3,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Took too long.
    #[error("no connection within {0:?}")]
    Deadline(Duration),
    /// Refused, unreachable, no WebSocket, no valid certificate.
    #[error("no connection")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a connection has been doing.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: AtomicU32,
    dead: AtomicBool,
    used: AtomicBool,
    passed_over: Mutex<Option<Instant>>,
    last: Mutex<String>,
}

impl Health {
    /// A read came to a good end.
    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.used.store(true, Ordering::Relaxed);
    }

    /// Whether anything was read over it.
    pub(super) fn was_of_use(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Its node is not to be believed until then.
    pub(super) fn pass_over(&self, until: Instant) {
        *self.passed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Whether its node is not to be believed yet.
    pub(super) fn is_passed_over(&self, now: Instant) -> bool {
        self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }

    /// A request failed, or its answer made no sense.
    pub(super) fn failed(&self, why: &dyn std::fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = why.to_string();
    }

    /// The connection is of no more use: it is gone, or answers no more.
    pub(super) fn died(&self, why: &dyn std::fmt::Display) {
        self.failed(why);
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Whether the connection may still be used.
    pub(super) fn is_usable(&self, max_failures: u32) -> bool {
        !self.dead.load(Ordering::Relaxed) && self.failures.load(Ordering::Relaxed) < max_failures
    }

    /// The last failure in words.
    pub(super) fn last(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Requests under a deadline.
struct Bounded {
    client: Client,
    deadline: Duration,
    health: Arc<Health>,
}

/// Connects to `endpoint`.
///
/// # Errors
/// [`ConnectError`] when there is no connection within the deadline.
pub(super) async fn open(endpoint: &Endpoint, timing: &Timing) -> Result<(RpcClient, Arc<Health>), ConnectError> {
    let url = Url::parse(endpoint.expose()).map_err(|error| ConnectError::Transport(Box::new(error)))?;
    let transport = WsTransportClientBuilder::default()
        .connection_timeout(timing.connect)
        .max_request_size(MAX_REQUEST_BYTES)
        .max_response_size(MAX_RESPONSE_BYTES)
        .build(url);
    let (sender, receiver) = tokio::time::timeout(timing.connect, transport)
        .await
        .map_err(|_| ConnectError::Deadline(timing.connect))?
        .map_err(|error| ConnectError::Transport(Box::new(error)))?;
    let ping = PingConfig::new().ping_interval(timing.ping).inactive_limit(timing.ping * 2).max_failures(1);
    let client = ClientBuilder::default()
        .request_timeout(timing.request)
        .max_concurrent_requests(MAX_CONCURRENT)
        .max_buffer_capacity_per_subscription(SUBSCRIPTION_BUFFER)
        .enable_ws_ping(ping)
        .build_with_tokio(sender, receiver);
    let health = Arc::new(Health::default());
    let bounded = Bounded { client, deadline: timing.request, health: health.clone() };
    Ok((RpcClient::new(bounded), health))
}

/// No answer in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer to {method} within {deadline:?}")]
pub struct NoAnswer {
    method: String,
    deadline: Duration,
}

impl Bounded {
    async fn within<T>(&self, method: &str, request: impl Future<Output = Result<T, RpcError>>) -> Result<T, RpcError> {
        observe::asked(method);
        let outcome = tokio::time::timeout(self.deadline, request).await.unwrap_or_else(|_| {
            let method = method.to_owned();
            Err(RpcError::Client(Box::new(NoAnswer { method, deadline: self.deadline })))
        });
        match &outcome {
            // What the node makes of the request is the caller's matter: the connection is sound.
            Ok(_) => {}
            Err(RpcError::User(_)) => observe::failed("refused"),
            // The connection is gone, or half open.
            Err(RpcError::Client(error)) => {
                observe::failed(if error.is::<NoAnswer>() { "timeout" } else { "connection" });
                self.health.died(error);
            }
            Err(error) => {
                observe::failed("nonsense");
                self.health.failed(error);
            }
        }
        outcome
    }
}

impl RpcClientT for Bounded {
    fn request_raw<'a>(&'a self, method: &'a str, params: Option<Box<RawValue>>) -> RawRpcFuture<'a, Box<RawValue>> {
        Box::pin(self.within(method, self.client.request_raw(method, params)))
    }

    fn subscribe_raw<'a>(
        &'a self,
        sub: &'a str,
        params: Option<Box<RawValue>>,
        unsub: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        Box::pin(self.within(sub, self.client.subscribe_raw(sub, params, unsub)))
    }
}
