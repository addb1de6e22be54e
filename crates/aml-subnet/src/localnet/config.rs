//! How a development chain is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};

use super::spec::{Generation, Spec};

/// The rules of the subnet that exists from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetRules {
    /// Blocks of an epoch, less one.
    pub tempo: u16,
    /// Blocks between two submissions of weights by one neuron.
    pub weights_rate_limit: u64,
    /// Blocks between two announcements of one neuron.
    pub serving_rate_limit: u64,
    /// Fewest weights in a submission.
    pub min_allowed_weights: u16,
    /// Most neurons.
    pub max_allowed_uids: u16,
    /// Most neurons with a permit.
    pub max_allowed_validators: u16,
    /// Whether weights are committed first and revealed later.
    pub commit_reveal: bool,
    /// What a registration costs, in rao.
    pub burn: u64,
}

impl Default for SubnetRules {
    /// Epochs of a few seconds at the default block time, and limits that a demonstration does not run into.
    fn default() -> Self {
        Self {
            tempo: 20,
            weights_rate_limit: 10,
            serving_rate_limit: 10,
            min_allowed_weights: 1,
            max_allowed_uids: 256,
            max_allowed_validators: 64,
            commit_reveal: false,
            burn: 1_000_000_000,
        }
    }
}

/// How a development chain is set up.
#[derive(Clone)]
pub struct Config {
    /// Where it listens; port 0 for any.
    pub listen: SocketAddr,
    /// Which runtime it shows.
    pub generation: Generation,
    /// The version that the runtime reports; `None` for that of its family.
    pub spec_version: Option<u32>,
    /// Number of its subnet.
    pub netuid: u16,
    /// Rules of its subnet.
    pub rules: SubnetRules,
    /// Time between blocks; `None` for blocks on demand only.
    pub block_time: Option<Duration>,
    /// Directory that keeps the chain over restarts; `None` for memory.
    pub db: Option<PathBuf>,
    /// A fixed name for the first block, so that transactions recorded on another chain stay valid.
    pub genesis_hash: Option<[u8; 32]>,
    /// Storage items, calls and runtime APIs of Subtensor that the runtime is to lack, by name, for tests of what a client
    /// does then.
    pub without: Vec<String>,
    /// Whether the chain has a beacon of its own, which signs a round every second.
    pub beacon: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// The runtime that it shows at first.
    pub(crate) fn spec(&self) -> Spec {
        let family = self.generation.spec();
        Spec { version: self.spec_version.unwrap_or(family.version), ..family }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            generation: Generation::G381,
            spec_version: None,
            netuid: 1,
            rules: SubnetRules::default(),
            block_time: Some(Duration::from_millis(250)),
            db: None,
            genesis_hash: None,
            without: Vec::new(),
            beacon: false,
            clock: Arc::new(SystemClock),
        }
    }
}
