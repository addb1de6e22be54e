//! The metagraph as the miner needs it, and how near it is to losing its place: read now and then, sooner after trouble.

use std::time::Duration;

use aml_miner::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::chain::metagraph::{Cache, Kept, MetagraphSource};
use crate::chain::outlook::OutlookSource;

/// How soon a failed or implausible read is repeated.
const RETRY: Duration = Duration::from_secs(6);

/// How often the outlook is read: it changes by the epoch.
const OUTLOOK: Duration = Duration::from_secs(10 * 60);

/// Reads how near our neuron is to losing its place, into gauges, until `stop`.
pub(super) async fn watch_outlook(source: &dyn OutlookSource, stop: CancellationToken) {
    loop {
        let pause = match source.outlook().await {
            Ok(outlook) => {
                let number = |of: Option<u64>| of.map_or(f64::NAN, as_f64);
                metrics::gauge!("aml_miner_free_places").set(number(outlook.map(|of| of.free.into())));
                metrics::gauge!("aml_miner_immune_blocks").set(number(outlook.map(|of| of.immune_blocks)));
                metrics::gauge!("aml_miner_replaced_before").set(number(outlook.map(|of| of.before.into())));
                OUTLOOK
            }
            Err(error) => {
                tracing::debug!(%error, "the outlook of this neuron is not known");
                RETRY
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}

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
