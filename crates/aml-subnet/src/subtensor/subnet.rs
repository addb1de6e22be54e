//! The chain as a neuron needs it: one subnet, one hotkey.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::chain::announce::{Announce, Announced, Announcement, NotAnnounced};
use crate::chain::metagraph::{MetagraphSource, SourceError};
use crate::chain::outlook::{Outlook, OutlookSource};
use crate::chain::pulses::ChainPulses;
use crate::chain::reading::{ChainReading, ChainSource};
use crate::chain::types::Metagraph;
use crate::wallet::{Hotkey, Signer};

use super::Subtensor;

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

impl OutlookSource for Subnet {
    fn outlook(&self) -> BoxFuture<'_, Result<Option<Outlook>, SourceError>> {
        let hotkey = self.signer.hotkey();
        Box::pin(async move { self.chain.outlook(hotkey, self.netuid).await.map_err(SourceError::new) })
    }
}

impl ChainPulses for Subnet {
    fn signature(&self, round: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, SourceError>> {
        Box::pin(async move { self.chain.pulse(round).await.map_err(SourceError::new) })
    }
}

impl Announce for Subnet {
    fn announce(&self, ip: IpAddr, port: u16) -> BoxFuture<'_, Result<Announced, NotAnnounced>> {
        let axon = Announcement { netuid: self.netuid, ip, port, version: VERSION };
        Box::pin(async move { self.chain.announce(&self.signer, &axon).await.map_err(NotAnnounced::new) })
    }
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

impl ChainSource for OwnSubnet {
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>> {
        Box::pin(async { self.chain.reading(self.netuid, self.mechanism, self.hotkey).await.map_err(SourceError::new) })
    }
}
