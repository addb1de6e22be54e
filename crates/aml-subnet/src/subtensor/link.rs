//! Which node is talked to: the preferred endpoint while it works, then the next one.
//!
//! All endpoints must be of one chain: the hash of block 0 is compared with the first one seen. A node whose
//! finalised head is far behind what another has shown is passed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aml_miner::error_chain::with_causes;
use subxt::OnlineClient;
use subxt::backend::LegacyBackend;
use subxt::config::RpcConfigFor;
use subxt::config::substrate::{H256, SubstrateConfig};
use subxt::rpcs::methods::legacy::LegacyRpcMethods;
use tokio::sync::Mutex;

use super::observe;
use super::rpc::{self, ConnectError, Health, Timing};
use crate::chain::endpoints::{Endpoint, Endpoints};

/// Finalised blocks that a node may be behind the furthest seen: four minutes of the main network.
const MAX_BEHIND: u64 = 20;

/// The chain's legacy methods, of our hashes and headers.
pub(super) type Methods = LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>;

/// A connection in use.
pub(super) struct Link {
    /// Position in the list of endpoints.
    index: usize,
    pub(super) client: OnlineClient<SubstrateConfig>,
    pub(super) methods: Methods,
    pub(super) rpc: subxt::rpcs::RpcClient,
    pub(super) health: Arc<Health>,
}

/// Why one endpoint is of no use now.
#[derive(Debug, thiserror::Error)]
pub enum EndpointFailure {
    /// Not reached.
    #[error(transparent)]
    Open(#[from] ConnectError),
    /// Reached, but it does not answer as a node does.
    #[error("it does not answer as a node: {0}")]
    NotANode(String),
    /// A node of another chain.
    #[error("it is of another chain: its block 0 is {actual}, expected {expected}")]
    OtherChain {
        /// Seen.
        actual: String,
        /// Known.
        expected: String,
    },
}

impl EndpointFailure {
    /// A name for the count.
    const fn class(&self) -> &'static str {
        match self {
            Self::Open(ConnectError::Deadline(_)) => "connect_timeout",
            Self::Open(ConnectError::Transport(_)) => "unreachable",
            Self::NotANode(_) => "not_a_node",
            Self::OtherChain { .. } => "other_chain",
        }
    }
}

/// No endpoint is of use.
#[derive(Debug, thiserror::Error)]
#[error("no chain endpoint works: {}", Self::list(.tried))]
pub struct NoEndpoint {
    /// What was tried, in order, and why it failed.
    pub tried: Vec<(String, EndpointFailure)>,
}

impl NoEndpoint {
    fn list(tried: &[(String, EndpointFailure)]) -> String {
        let each = tried.iter().map(|(url, failure)| format!("{url}: {}", with_causes(failure)));
        each.collect::<Vec<_>>().join("; ")
    }
}

/// Keeps one connection, and replaces it when it is no longer of use.
pub(super) struct Links {
    endpoints: Endpoints,
    pub(super) timing: Timing,
    current: Mutex<Option<Arc<Link>>>,
    genesis: Mutex<Option<H256>>,
    furthest: AtomicU64,
}

impl Links {
    pub(super) fn new(endpoints: Endpoints, timing: Timing) -> Self {
        let genesis = Mutex::new(endpoints.genesis().map(H256));
        Self { endpoints, timing, current: Mutex::new(None), genesis, furthest: AtomicU64::new(0) }
    }

    /// Attempts that a read is worth: one endpoint may fail so often before the next is taken, and each of the
    /// others once.
    pub(super) fn attempts(&self) -> usize {
        let failures = usize::try_from(self.timing.max_failures).unwrap_or(usize::MAX);
        failures.saturating_add(self.endpoints.list().len())
    }

    /// The connection in use, or a new one: to the next endpoint when the last one has failed too often.
    pub(super) async fn link(&self) -> Result<Arc<Link>, NoEndpoint> {
        let mut current = self.current.lock().await;
        let first = match current.as_ref() {
            Some(link) if link.health.is_usable(self.timing.max_failures) => return Ok(link.clone()),
            Some(link) => {
                observe::given_up(self.at(link.index), &link.health.last());
                link.index + 1
            }
            None => 0,
        };
        *current = None;
        let mut tried = Vec::new();
        for index in (first..).take(self.endpoints.list().len()) {
            let index = index % self.endpoints.list().len();
            match self.connect(index).await {
                Ok(link) => {
                    observe::connected(self.at(index));
                    let link = Arc::new(link);
                    *current = Some(link.clone());
                    return Ok(link);
                }
                Err(failure) => {
                    observe::not_connected(self.at(index), failure.class(), &failure);
                    tried.push((self.at(index).to_string(), failure));
                }
            }
        }
        Err(NoEndpoint { tried })
    }

    /// Notes a finalised head. Whether the node keeps up with what others have shown.
    pub(super) fn keeps_up(&self, block: u64) -> bool {
        let furthest = self.furthest.fetch_max(block, Ordering::Relaxed);
        if block > furthest {
            observe::block(block);
        }
        let keeps_up = block.saturating_add(MAX_BEHIND) >= furthest;
        if !keeps_up {
            observe::behind(block, &furthest);
        }
        keeps_up
    }

    /// The endpoint in use, for messages.
    pub(super) fn name(&self, link: &Link) -> String {
        self.at(link.index).to_string()
    }

    fn at(&self, index: usize) -> &Endpoint {
        &self.endpoints.list()[index]
    }

    async fn connect(&self, index: usize) -> Result<Link, EndpointFailure> {
        let (rpc, health) = rpc::open(self.at(index), &self.timing).await?;
        let backend = Arc::new(LegacyBackend::builder().build(rpc.clone()));
        // Metadata is cached per connection: what one node claims is not held against another.
        let client = OnlineClient::from_backend_with_config(SubstrateConfig::new(), backend)
            .await
            .map_err(|error| EndpointFailure::NotANode(with_causes(&error)))?;
        let actual = client.genesis_hash();
        let mut genesis = self.genesis.lock().await;
        match *genesis {
            Some(expected) if expected != actual => {
                let (actual, expected) = (format!("{actual:?}"), format!("{expected:?}"));
                return Err(EndpointFailure::OtherChain { actual, expected });
            }
            Some(_) => {}
            None => *genesis = Some(actual),
        }
        let methods = Methods::new(rpc.clone());
        Ok(Link { index, client, methods, rpc, health })
    }
}
