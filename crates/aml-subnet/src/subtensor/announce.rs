//! Announcing an axon: only when what is on chain differs, within the rate limit, and read back afterwards.

use std::net::IpAddr;

use subxt::config::substrate::H256;

use super::calls::{PROTOCOL, serve_axon};
use super::neurons::AxonInfo;
use super::snapshot::{Item, ReadError, Snapshot};
use super::submit::SubmitError;
use super::{At, Subtensor};
use crate::chain::announce::{Announced, Announcement};
use crate::chain::types::Axon;
use crate::wallet::{Hotkey, Signer};

/// Why nothing was announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// An address that the chain does not take.
    #[error("InvalidIpAddress: the chain does not take {0}: announce an address that others can reach")]
    InvalidIpAddress(IpAddr),
    /// Port 0.
    #[error("InvalidPort: port 0 cannot be announced")]
    InvalidPort,
    /// Not a neuron of the subnet.
    #[error("HotKeyNotRegisteredInSubNet: {hotkey} is not registered in subnet {netuid}")]
    NotRegistered {
        /// The key.
        hotkey: Hotkey,
        /// The subnet.
        netuid: u16,
    },
    /// Within the rate limit.
    #[error("ServingRateLimitExceeded: the axon was announced a short while ago, wait {blocks} more blocks")]
    TooSoon {
        /// Blocks to wait.
        blocks: u64,
    },
    /// The chain could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The call did not take effect.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The call took effect, but the chain shows something else.
    #[error("the announcement is final, but the chain shows {0:?}")]
    NotThere(Option<Axon>),
}

impl AnnounceError {
    /// Blocks to wait, where waiting is all that is needed.
    #[must_use]
    pub fn blocks_to_wait(&self) -> Option<u64> {
        match self {
            Self::TooSoon { blocks } => Some(*blocks),
            Self::Submit(error) => error.refusal().filter(|refusal| refusal.is_too_soon()).map(|_| 1),
            _ => None,
        }
    }
}

impl Subtensor {
    /// Announces an axon, unless the chain has it already.
    ///
    /// # Errors
    /// [`AnnounceError`]; what can be known before is found out without sending anything.
    pub async fn announce(&self, signer: &Signer, axon: &Announcement) -> Result<Announced, AnnounceError> {
        acceptable(axon)?;
        let hotkey = signer.hotkey();
        let view = self.read(At::Best, |snapshot| Box::pin(View::read(snapshot, axon.netuid, hotkey))).await?;
        if !view.registered {
            return Err(AnnounceError::NotRegistered { hotkey, netuid: axon.netuid });
        }
        if view.axon.is_some_and(|there| same(&there, axon)) {
            return Ok(Announced::Already);
        }
        if let Some(blocks) = view.wait() {
            return Err(AnnounceError::TooSoon { blocks });
        }
        let included = self.submit(signer, &serve_axon(axon)).await?;
        let block = At::Hash(H256(included.block_hash));
        let after = self.read(block, |snapshot| Box::pin(View::read(snapshot, axon.netuid, hotkey))).await?;
        match after.axon {
            Some(there) if same(&there, axon) => Ok(Announced::Since(included.block)),
            there => Err(AnnounceError::NotThere(there)),
        }
    }
}

/// What the runtimes refuse.
fn acceptable(axon: &Announcement) -> Result<(), AnnounceError> {
    let refused = match axon.ip {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast() || ip == std::net::Ipv4Addr::LOCALHOST,
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_loopback() || ip.octets() == [u8::MAX; 16],
    };
    if refused {
        return Err(AnnounceError::InvalidIpAddress(axon.ip));
    }
    if axon.port == 0 {
        return Err(AnnounceError::InvalidPort);
    }
    Ok(())
}

fn same(there: &Axon, axon: &Announcement) -> bool {
    (there.ip, there.port, there.version, there.protocol) == (axon.ip, axon.port, axon.version, PROTOCOL)
}

/// What the chain knows of the neuron's axon.
struct View {
    registered: bool,
    axon: Option<Axon>,
    served_at: Option<u64>,
    rate_limit: u64,
    block: u64,
}

impl View {
    async fn read(snapshot: &Snapshot, netuid: u16, hotkey: Hotkey) -> Result<Self, ReadError> {
        let uid = Item::plain("Uids").number(netuid).account(&hotkey);
        let axon = Item::plain("Axons").number(netuid).account(&hotkey);
        let limit = Item::plain("ServingRateLimit").number(netuid);
        let values = snapshot.fetch(&[uid.clone(), axon.clone(), limit.clone()]).await?;
        let info: Option<AxonInfo> = values.get(&axon)?;
        Ok(Self {
            registered: values.get::<u16>(&uid)?.is_some(),
            axon: info.as_ref().and_then(AxonInfo::axon),
            served_at: info.map(|info| info.block),
            // Without it nothing is foreseen: the chain says itself that it is too soon.
            rate_limit: values.get(&limit)?.unwrap_or(0),
            block: snapshot.block().0,
        })
    }

    /// Blocks until the next announcement is taken; it lands in the next block at the earliest.
    fn wait(&self) -> Option<u64> {
        let free_at = self.served_at?.saturating_add(self.rate_limit);
        Some(free_at.saturating_sub(self.block + 1)).filter(|blocks| *blocks > 0)
    }
}
