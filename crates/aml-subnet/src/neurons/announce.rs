//! Telling the chain where the miner can be reached, until it knows.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

/// How soon a failed announcement is tried again. The chain's own rate limit is longer.
const RETRY: Duration = Duration::from_secs(60);
/// How often a successful one is checked: others may have overwritten it.
const RECHECK: Duration = Duration::from_secs(30 * 60);

/// What came of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The chain knew already.
    Unchanged,
    /// Written, finalised and read back.
    Written,
}

/// Why the chain does not know where we are.
#[derive(Debug, thiserror::Error)]
#[error("cannot announce the axon: {0}")]
pub struct AnnounceError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl AnnounceError {
    /// Wraps the chain's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Writes our address to the chain, when it differs.
pub trait Announce: Send + Sync {
    /// Makes sure that the chain names this address and port for our hotkey.
    fn announce(&self, ip: IpAddr, port: u16) -> BoxFuture<'_, Result<Announced, AnnounceError>>;
}

/// Announces at once, retries after failures, checks now and then, until `stop`.
pub async fn keep_announced(chain: &dyn Announce, (ip, port): (IpAddr, u16), stop: CancellationToken) {
    loop {
        let pause = match chain.announce(ip, port).await {
            Ok(outcome) => {
                tracing::info!(%ip, port, ?outcome, "axon announced");
                RECHECK
            }
            Err(error) => {
                tracing::warn!(%ip, port, %error, retry_s = RETRY.as_secs(), "axon not announced");
                RETRY
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
