//! Who takes part in a simulation.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use aml_miner::digest::Digest;
use aml_miner::receipt::ReceiptKey;

use super::plan::Kind;
use crate::wallet::{Hotkey, Scheme, Signer};

/// The subnet.
pub(super) const NETUID: u16 = 7;

const PORT: u16 = 8091;

/// A miner.
pub(super) struct Miner {
    /// What it is called in traces.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Its hotkey. Signatures of ed25519 are the same each time.
    pub(super) signer: Signer,
    /// What it signs receipts with.
    pub(super) receipts: ReceiptKey,
    /// Where it serves.
    pub(super) address: SocketAddr,
}

impl Miner {
    pub(super) fn new(place: u8, kind: Kind) -> Self {
        let name = format!("miner {place}");
        let seed = *Digest::of(name.as_bytes()).as_bytes();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, place)), PORT);
        let signer = Signer::from_seed(&seed, Scheme::Ed25519);
        Self { name, kind, signer, receipts: ReceiptKey::from_secret(&seed), address }
    }

    /// Its hotkey.
    pub(super) fn hotkey(&self) -> Hotkey {
        self.signer.hotkey()
    }
}
