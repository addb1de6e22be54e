//! What the rest of the crate knows of the chain: neurons, rules of a subnet, weights.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::wallet::Hotkey;

/// A neuron's place in its subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u16);

/// A block number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(pub u64);

/// Where a neuron says it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axon {
    /// Block of the announcement.
    pub block: Block,
    /// Version number that the neuron announced.
    pub version: u32,
    /// Address as announced: not to be trusted.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
    /// Protocol number (4 is what the SDKs send).
    pub protocol: u8,
}

/// One neuron of a subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// Place in the subnet.
    pub uid: Uid,
    /// Key that signs its requests.
    pub hotkey: Hotkey,
    /// Account that owns the hotkey.
    pub coldkey: Hotkey,
    /// Announced address; `None` when it never announced one.
    pub axon: Option<Axon>,
    /// Whether it may set weights.
    pub validator_permit: bool,
    /// Whether the chain counts it as active.
    pub active: bool,
    /// Stake in rao (1 TAO = 10^9 rao).
    pub stake: u64,
    /// Block of its last weights (or of its registration).
    pub last_update: Block,
    /// Incentive of the last epoch, in 65535ths.
    pub incentive: u16,
    /// Dividends of the last epoch, in 65535ths.
    pub dividends: u16,
}

/// All neurons of a subnet, read at one block.
#[derive(Clone, Debug, PartialEq)]
pub struct Metagraph {
    /// The subnet.
    pub netuid: u16,
    /// The finalised block at which everything was read.
    pub block: Block,
    /// By ascending uid.
    pub neurons: Vec<Neuron>,
}

impl Metagraph {
    /// The neuron with this hotkey.
    #[must_use]
    pub fn by_hotkey(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| neuron.hotkey == *hotkey)
    }

    /// Who is registered, by uid.
    #[must_use]
    pub fn hotkeys(&self) -> BTreeMap<u16, Hotkey> {
        self.neurons.iter().map(|neuron| (neuron.uid.0, neuron.hotkey)).collect()
    }
}

/// The rules of a subnet that concern a neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hyperparameters {
    /// Blocks of an epoch.
    pub tempo: u16,
    /// Version that weights must carry at least.
    pub weights_version: u64,
    /// Blocks between two submissions of weights; 0 where the runtime does not say.
    pub weights_rate_limit: u64,
    /// Blocks between two announcements of an axon.
    pub serving_rate_limit: u64,
    /// Fewest positive weights.
    pub min_allowed_weights: u16,
    /// Largest share of one weight, in 65535ths.
    pub max_weight_limit: u16,
    /// Most neurons; `None` where the runtime does not say. Only shown.
    pub max_allowed_uids: Option<u16>,
    /// Blocks in which a new neuron is not deregistered; `None` where the runtime does not say. Only shown.
    pub immunity_period: Option<u16>,
    /// Blocks after which a silent validator no longer counts; `None` where the runtime does not say. Only shown.
    pub activity_cutoff: Option<u64>,
    /// Whether weights are committed first and revealed later.
    pub commit_reveal: bool,
    /// Epochs between commit and reveal.
    pub reveal_period_epochs: u64,
    /// What a registration burns now (rao); `None` where the runtime does not say. Only shown.
    pub registration_price: Option<u64>,
    /// Stake (rao) below which weights are refused; 0 where the runtime has no such rule.
    pub stake_threshold: u64,
    /// Version of the commit-reveal scheme; `None` where the runtime has only hash commits.
    pub commit_reveal_version: Option<u16>,
}
