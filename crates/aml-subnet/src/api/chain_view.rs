//! What the API knows of the chain: the last reading of our subnet, made aside so that no request waits for a node.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aml_miner::clock::Clock;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::chain::subtensor::{ReadError, Subtensor};
use crate::chain::types::{Block, Metagraph, Uid};
use crate::neurons::metagraph::SourceError;
use crate::wallet::Hotkey;

/// One reading of the subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainReading {
    /// The subnet's neurons, and the finalised block they were read at.
    pub metagraph: Metagraph,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// The weights that our hotkey has on chain; `None` when it is not registered.
    pub weights: Option<Vec<(Uid, u16)>>,
}

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
        #[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
        let age = blocks as f64 / f64::from(self.reading.tempo.max(1));
        Some((last, age))
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

/// Reads the subnet.
pub trait ChainSource: Send + Sync {
    /// One reading.
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>>;
}

/// The subnet on the real chain, as our hotkey sees it.
#[derive(Clone)]
pub struct OwnSubnet {
    /// The chain.
    pub chain: Arc<Subtensor>,
    /// The subnet.
    pub netuid: u16,
    /// Its mechanism.
    pub mechanism: u8,
    /// The validator.
    pub hotkey: Hotkey,
}

impl OwnSubnet {
    async fn reading(&self) -> Result<ChainReading, ReadError> {
        let metagraph = self.chain.metagraph(self.netuid).await?;
        let tempo = self.chain.hyperparameters(self.netuid).await?.tempo;
        let weights = self.chain.weights_of(self.hotkey, self.netuid, self.mechanism).await?;
        Ok(ChainReading { metagraph, tempo, weights })
    }
}

impl ChainSource for OwnSubnet {
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>> {
        Box::pin(async { self.reading().await.map_err(SourceError::new) })
    }
}

/// Reads `source` into `view` every `interval` until `stop`; what was read last stays when a read fails.
pub async fn keep_current(
    (source, view): (&dyn ChainSource, &ChainView),
    clock: &dyn Clock,
    interval: Duration,
    stop: CancellationToken,
) {
    loop {
        match source.read().await {
            Ok(reading) => view.put(reading, clock.now()),
            Err(error) => tracing::warn!(%error, "the page keeps the last reading of the chain"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}
