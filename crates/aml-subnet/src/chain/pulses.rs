//! Rounds of the beacon, as the chain knows them.

use futures_util::future::BoxFuture;

use super::metagraph::SourceError;

/// Reads the beacon's signatures from the chain. What it gives is checked by whoever asks.
pub trait ChainPulses: Send + Sync {
    /// The signature of a round, as the chain has it; `None` while it has none.
    fn signature(&self, round: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, SourceError>>;
}
