//! What a validator shows of the chain: one reading of its subnet.

use futures_util::future::BoxFuture;

use super::metagraph::SourceError;
use super::types::{Metagraph, Uid};

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

/// Reads the subnet.
pub trait ChainSource: Send + Sync {
    /// One reading.
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>>;
}
