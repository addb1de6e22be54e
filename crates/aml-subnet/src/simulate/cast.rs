//! Who takes part in a simulation.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aml_miner::digest::Digest;
use aml_miner::receipt::ReceiptKey;

use super::plan::Kind;
use crate::chain::types::{Axon, Block, Neuron, Uid};
use crate::validator::world::WeightsTarget;
use crate::wallet::{Hotkey, Scheme, Signer};

/// The subnet.
pub(super) const NETUID: u16 = 7;

/// Whose weights.
pub(super) const TARGET: WeightsTarget = WeightsTarget { netuid: NETUID, mechanism: 0 };

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

/// What the chain says of somebody: the validator, or a miner.
pub(super) fn neuron(uid: u16, hotkey: Hotkey, miner: Option<&Arc<Miner>>) -> Neuron {
    let axon = miner.map(|miner| {
        let (ip, port) = (miner.address.ip(), miner.address.port());
        Axon { block: Block(1), version: 1, ip, port, protocol: 4 }
    });
    Neuron {
        uid: Uid(uid),
        hotkey,
        coldkey: hotkey,
        axon,
        validator_permit: miner.is_none(),
        active: true,
        stake: 0,
        last_update: Block(0),
        incentive: 0,
        dividends: 0,
    }
}
