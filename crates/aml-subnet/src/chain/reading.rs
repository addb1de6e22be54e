//! What a validator shows of the chain: one reading of its subnet.

use futures_util::future::BoxFuture;

use super::metagraph::SourceError;
use super::standing::Preflight;
use super::types::{Block, Metagraph, Uid};

/// One reading of the subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainReading {
    /// The subnet's neurons, and the finalised block they were read at.
    pub metagraph: Metagraph,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// What a registration costs now (rao); `None` where the runtime does not say.
    pub registration_price: Option<u64>,
    /// The weights that our hotkey has on chain; `None` when it is not registered.
    pub weights: Option<Vec<(Uid, u16)>>,
    /// Block of our hotkey's last weights, commit or registration, in the mechanism that we set weights for; `None` when it is
    /// not registered.
    pub last_update: Option<Block>,
    /// Why the chain takes no weights of our hotkey, whatever they are.
    pub stopped: Option<Preflight>,
}

/// Reads the subnet.
pub trait ChainSource: Send + Sync {
    /// One reading.
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>>;
}
