//! The chain as a neuron needs it: one subnet, one hotkey.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::announce::{Announce, AnnounceError, Announced};
use super::metagraph::{MetagraphSource, SourceError};
use crate::chain::subtensor::{self, Announcement, Subtensor};
use crate::chain::types::Metagraph;
use crate::wallet::Signer;

/// What the chain is told of our version: major, minor and patch in thousands, as the SDKs do.
const VERSION: u32 = 1_000_000;

/// One subnet, seen by one hotkey.
#[derive(Clone)]
pub struct Subnet {
    /// The chain.
    pub chain: Arc<Subtensor>,
    /// The subnet.
    pub netuid: u16,
    /// Who announces.
    pub signer: Signer,
}

impl MetagraphSource for Subnet {
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>> {
        Box::pin(async { self.chain.metagraph(self.netuid).await.map_err(SourceError::new) })
    }
}

impl Announce for Subnet {
    fn announce(&self, ip: IpAddr, port: u16) -> BoxFuture<'_, Result<Announced, AnnounceError>> {
        let axon = Announcement { netuid: self.netuid, ip, port, version: VERSION };
        Box::pin(async move {
            match self.chain.announce(&self.signer, &axon).await {
                Ok(subtensor::Announced::Already) => Ok(Announced::Unchanged),
                Ok(subtensor::Announced::Since(_)) => Ok(Announced::Written),
                Err(error) => Err(AnnounceError::new(error)),
            }
        })
    }
}
