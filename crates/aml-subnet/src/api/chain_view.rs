//! What the API knows of the chain: the last reading of our subnet, made aside so that no request waits for a node.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::chain::epoch::in_tempos;
use crate::chain::reading::ChainReading;
use crate::chain::types::Block;
use crate::store::records::WeightsRecord;
use crate::validator::pay::weights_since;

/// A reading, and when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainSeen {
    /// What was read.
    pub reading: ChainReading,
    /// When the head was first seen at this block, by our clock.
    pub since: Duration,
    /// Since when our weights on chain are as they are.
    pub weights_since: Option<Block>,
}

impl ChainSeen {
    /// The finalised block.
    #[must_use]
    pub fn block(&self) -> Block {
        self.reading.metagraph.block
    }

    /// Whether our hotkey has a place in the subnet.
    #[must_use]
    pub const fn registered(&self) -> bool {
        self.reading.last_update.is_some()
    }

    /// Age of our confirmed weights in tempos.
    #[must_use]
    pub fn weights_age(&self) -> Option<f64> {
        let blocks = self.block().0.saturating_sub(self.weights_since?.0);
        Some(in_tempos(blocks, self.reading.tempo))
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

    /// Takes over a reading, with our submissions on record.
    pub fn put(&self, reading: ChainReading, records: &[WeightsRecord], now: Duration) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let same = seen.as_ref().filter(|before| before.block() == reading.metagraph.block);
        let since = same.map_or(now, |before| before.since);
        let weights_since = weights_since(reading.last_update, records);
        *seen = Some(Arc::new(ChainSeen { reading, since, weights_since }));
    }
}
