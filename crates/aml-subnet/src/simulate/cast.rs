//! Who takes part in a simulation.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_miner::receipt::ReceiptKey;

use super::plan::Kind;
use crate::chain::types::{Axon, Block, Neuron, Uid};
use crate::protocol::replay::MemoryNonces;
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
    /// What its proxy remembers of requests.
    pub(super) nonces: MemoryNonces,
    days: Mutex<BTreeMap<u32, MinersDay>>,
}

/// What befell the conversations with a miner on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MinersDay {
    /// Connections that came to nothing though the miner is there.
    pub(super) failed: u32,
    /// Answers that broke off on their way.
    pub(super) broken: u32,
    /// Something befell it for which nobody can be blamed: it may be without an answer.
    pub(super) excused: bool,
    /// It was not reached because the validator reached nobody.
    pub(super) cut: bool,
}

impl Miner {
    pub(super) fn new(place: u16, kind: Kind) -> Self {
        let name = format!("miner {place}");
        let seed = *Digest::of(name.as_bytes()).as_bytes();
        let [high, low] = place.to_be_bytes();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), PORT);
        let signer = Signer::from_seed(&seed, Scheme::Ed25519);
        let (nonces, receipts) = (MemoryNonces::new(Duration::ZERO), ReceiptKey::from_secret(&seed));
        Self { name, kind, signer, receipts, address, nonces, days: Mutex::default() }
    }

    /// Its hotkey.
    pub(super) fn hotkey(&self) -> Hotkey {
        self.signer.hotkey()
    }

    /// What befell it on a day.
    pub(super) fn day(&self, day: u32) -> MinersDay {
        self.days().get(&day).copied().unwrap_or_default()
    }

    /// Something befalls it on a day.
    pub(super) fn befalls(&self, day: u32, what: impl FnOnce(&mut MinersDay)) {
        what(self.days().entry(day).or_default());
    }

    fn days(&self) -> MutexGuard<'_, BTreeMap<u32, MinersDay>> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hotkey of whoever comes in a miner's place.
pub(super) fn newcomer(place: usize) -> Hotkey {
    let seed = Digest::of(format!("newcomer {place}").as_bytes());
    Signer::from_seed(seed.as_bytes(), Scheme::Ed25519).hotkey()
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
        validator_permit: false,
        active: true,
        stake: 0,
        last_update: Block(0),
        incentive: 0,
        dividends: 0,
    }
}
