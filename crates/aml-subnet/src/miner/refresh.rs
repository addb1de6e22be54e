//! The metagraph as the miner needs it: read now and then, sooner after trouble.

use std::time::Duration;

use aml_miner::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::chain::metagraph::{Cache, Kept, MetagraphSource};

/// How soon a failed or implausible read is repeated.
const RETRY: Duration = Duration::from_secs(6);

/// Reads `source` into `cache` every `interval`, sooner after trouble, until `stop`.
pub(super) async fn keep_fresh(
    source: &dyn MetagraphSource,
    cache: &Cache,
    clock: &dyn Clock,
    interval: Duration,
    stop: CancellationToken,
) {
    loop {
        let pause = match source.metagraph().await {
            Ok(metagraph) => {
                let (block, neurons) = (metagraph.block.0, metagraph.neurons.len());
                match cache.put(metagraph, clock.now()) {
                    Kept::Current => {
                        tracing::debug!(block, neurons, "metagraph read");
                        metrics::gauge!("aml_metagraph_neurons").set(u32::try_from(neurons).unwrap_or(u32::MAX));
                        interval
                    }
                    Kept::Doubted => {
                        tracing::warn!(block, neurons, "most neurons are gone; reading again before believing it");
                        RETRY.min(interval)
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "keeping the last metagraph");
                RETRY.min(interval)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
