//! Telling the chain where the miner can be reached, until it knows.

use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::chain::announce::Announce;

/// How soon a failed announcement is tried again. The chain's own rate limit is longer.
const RETRY: Duration = Duration::from_secs(60);
/// How often a successful one is checked: others may have overwritten it.
const RECHECK: Duration = Duration::from_secs(30 * 60);

/// Announces at once, retries after failures, checks now and then, until `stop`.
pub async fn keep_announced(chain: &dyn Announce, place: SocketAddr, stop: CancellationToken) {
    let (ip, port) = (place.ip(), place.port());
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
