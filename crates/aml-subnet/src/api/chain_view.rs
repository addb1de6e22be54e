//! What the API knows of the chain: the last reading of our subnet, made aside so that no request waits for a node.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aml_miner::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::chain::epoch::in_tempos;
use crate::chain::reading::{ChainReading, ChainSource};
use crate::chain::types::Block;
use crate::wallet::Hotkey;

/// A reading, and when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainSeen {
    /// What was read.
    pub reading: ChainReading,
    /// When the head was first seen at this block, by our clock.
    pub since: Duration,
}

impl ChainSeen {
    /// The finalised block.
    #[must_use]
    pub fn block(&self) -> Block {
        self.reading.metagraph.block
    }

    /// Block of a hotkey's last weights (or its registration), and their age in tempos.
    #[must_use]
    pub fn weights_age(&self, hotkey: &Hotkey) -> Option<(Block, f64)> {
        let last = self.reading.metagraph.by_hotkey(hotkey)?.last_update;
        let blocks = self.block().0.saturating_sub(last.0);
        Some((last, in_tempos(blocks, self.reading.tempo)))
    }
}

/// Where the last reading is kept.
#[derive(Debug, Default)]
pub struct ChainView(RwLock<Option<Arc<ChainSeen>>>);

impl ChainView {
    /// The last reading, of whatever age.
    #[must_use]
    pub fn current(&self) -> Option<Arc<ChainSeen>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over a reading.
    pub fn put(&self, reading: ChainReading, now: Duration) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let same = seen.as_ref().filter(|before| before.block() == reading.metagraph.block);
        let since = same.map_or(now, |before| before.since);
        *seen = Some(Arc::new(ChainSeen { reading, since }));
    }
}

/// A chain whose blocks come faster than this is a development chain, and somebody watches it.
const FAST: Duration = Duration::from_secs(6);
/// How often such a chain is read, and any after trouble.
const SOON: Duration = Duration::from_secs(12);

/// Reads `source` into `view` every `interval` until `stop`; what was read last stays when a read fails.
pub async fn keep_current(
    source: &dyn ChainSource,
    view: &ChainView,
    clock: &dyn Clock,
    interval: Duration,
    stop: CancellationToken,
) {
    let mut last: Option<(Block, Duration)> = None;
    loop {
        let pause = match source.read().await {
            Ok(reading) => {
                let (block, now) = (reading.metagraph.block, clock.now());
                view.put(reading, now);
                let before = last.replace((block, now));
                if before.is_none_or(|before| is_fast(before, (block, now))) { SOON.min(interval) } else { interval }
            }
            Err(error) => {
                tracing::warn!(%error, "the page keeps the last reading of the chain");
                SOON.min(interval)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn is_fast(before: (Block, Duration), now: (Block, Duration)) -> bool {
    let blocks = u32::try_from(now.0.0.saturating_sub(before.0.0)).unwrap_or(u32::MAX);
    FAST.saturating_mul(blocks) > now.1.saturating_sub(before.1)
}
