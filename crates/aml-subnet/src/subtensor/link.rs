//! Which node is talked to: the preferred endpoint while it works, then the next one.
//!
//! All endpoints must be of one chain: the hash of block 0 is compared with the first one seen. A node whose finalised
//! head is not to be believed ([`claims`](super::claims)) is passed over, and its connection kept.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use aml_miner::error_chain::with_causes;
use subxt::OnlineClient;
use subxt::backend::LegacyBackend;
use subxt::config::RpcConfigFor;
use subxt::config::substrate::{H256, SubstrateConfig};
use subxt::error::OnlineClientAtBlockError;
use subxt::rpcs::methods::legacy::LegacyRpcMethods;
use tokio::sync::Mutex;
use tokio::time::sleep_until;

use super::claims::{Claims, Verdict};
use super::heads::Heads;
use super::kept::{AtBlock, Kept};
use super::observe;
use super::place::Place;
use super::rpc::{self, ConnectError, Health, Timing};
use super::snapshot::ReadError;
use crate::chain::endpoints::{Endpoint, Endpoints};

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
    /// What it tells of new finalised blocks, unasked.
    pub(super) heads: Heads,
    /// What it has said of the last blocks.
    pub(super) kept: Kept,
}

impl Link {
    /// The block of this hash, as it was looked at before, or looked at now.
    pub(super) async fn block(&self, hash: H256) -> Result<AtBlock, OnlineClientAtBlockError> {
        if let Some(at) = self.kept.block(hash) {
            return Ok(at);
        }
        let at = self.client.at_block(hash).await?;
        self.kept.put_block(&at);
        Ok(at)
    }
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
    /// It was connected, and failed too often.
    #[error("given up: {0}")]
    GivenUp(String),
    /// A node of the main network, where another one is named.
    #[error("it is of the main network, but the settings or the environment name another network")]
    MainNetwork,
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
            Self::OtherChain { .. } | Self::MainNetwork => "other_chain",
            Self::GivenUp(_) => "given_up",
        }
    }
}

/// No endpoint is of use.
#[derive(Debug, thiserror::Error)]
#[error("no chain endpoint works: {}", Self::list(.tried))]
pub struct NoEndpoint {
    /// What was tried, in order, and why it failed.
    pub tried: Vec<(String, String)>,
}

impl NoEndpoint {
    fn list(tried: &[(String, String)]) -> String {
        let each = tried.iter().map(|(url, failure)| format!("{url}: {failure}"));
        each.collect::<Vec<_>>().join("; ")
    }
}

/// All endpoints, and the one in use.
struct State {
    current: usize,
    places: Vec<Place>,
}

/// Keeps one connection per endpoint, and goes on to the next when one is no longer of use.
pub(super) struct Links {
    endpoints: Endpoints,
    pub(super) timing: Timing,
    state: Mutex<State>,
    genesis: Mutex<Option<H256>>,
    claims: std::sync::Mutex<Claims>,
    start: Instant,
}

impl Links {
    pub(super) fn new(endpoints: Endpoints, timing: Timing) -> Self {
        let genesis = Mutex::new(endpoints.genesis().map(H256));
        let places = endpoints.list().iter().map(|_| Place::default()).collect();
        let state = Mutex::new(State { current: 0, places });
        Self { endpoints, timing, state, genesis, claims: std::sync::Mutex::default(), start: Instant::now() }
    }

    /// Attempts that a read is worth: one endpoint may fail so often before the next is taken, and each of the
    /// others once.
    pub(super) fn attempts(&self) -> usize {
        let failures = usize::try_from(self.timing.max_failures).unwrap_or(usize::MAX);
        failures.saturating_add(self.endpoints.list().len())
    }

    /// The connection in use, or the next endpoint's when that has failed too often or is passed over. An endpoint that
    /// failed is left alone for longer and longer; of those with a short pause each is waited for and tried once.
    pub(super) async fn link(&self) -> Result<Arc<Link>, NoEndpoint> {
        let until = Instant::now() + self.timing.connect;
        let mut none = match self.any().await {
            Ok(link) => return Ok(link),
            Err(none) => none,
        };
        let mut pauses: Vec<Instant> = none.pauses.drain(..).filter(|end| *end <= until).collect();
        pauses.sort_unstable();
        for end in pauses {
            sleep_until(end.into()).await;
            none = match self.any().await {
                Ok(link) => return Ok(link),
                Err(none) => none,
            };
        }
        Err(none.into())
    }

    /// The connection in use, where there is one; connects to nobody.
    pub(super) async fn open(&self) -> Option<Arc<Link>> {
        let state = self.state.lock().await;
        state.places.get(state.current)?.link.clone().filter(|link| link.health.is_usable(self.timing.max_failures))
    }

    async fn any(&self) -> Result<Arc<Link>, Nothing> {
        let mut state = self.state.lock().await;
        let (first, count) = (state.current, self.endpoints.list().len());
        let mut spare = None;
        for index in (first..).take(count).map(|index| index % count) {
            let Some(link) = self.of(index, &mut state.places[index]).await else { continue };
            if !link.health.is_passed_over(Instant::now()) {
                state.current = index;
                return Ok(link);
            }
            spare = spare.or(Some((index, link)));
        }
        // Better one that is passed over than none: what it says is looked at all the same.
        if let Some((index, link)) = spare {
            state.current = index;
            return Ok(link);
        }
        Err(self.nothing(&state.places))
    }

    /// The connection to an endpoint, or a new one where it may be tried.
    async fn of(&self, index: usize, place: &mut Place) -> Option<Arc<Link>> {
        if let Some(link) = &place.link {
            if link.health.is_usable(self.timing.max_failures) {
                return Some(link.clone());
            }
            observe::given_up(self.at(index), &link.health.last());
            if link.health.was_of_use() {
                place.failures = 0;
            }
            let failure = EndpointFailure::GivenUp(link.health.last());
            place.failed(failure, self.timing.backoff);
        }
        if place.not_before.is_some_and(|at| at > Instant::now()) {
            return None;
        }
        match self.connect(index).await {
            Ok(link) => {
                observe::connected(self.at(index));
                let link = Arc::new(link);
                place.link = Some(link.clone());
                Some(link)
            }
            Err(failure) => {
                observe::not_connected(self.at(index), failure.class(), &failure);
                place.failed(failure, self.timing.backoff);
                None
            }
        }
    }

    fn nothing(&self, places: &[Place]) -> Nothing {
        let pauses = places.iter().filter_map(|place| place.not_before).collect();
        let tried = self.endpoints.list().iter().zip(places);
        let tried =
            tried.filter_map(|(endpoint, place)| Some((endpoint.to_string(), with_causes(place.last.as_ref()?))));
        Nothing { pauses, tried: tried.collect() }
    }

    /// Notes a finalised head, and says why it is not to be used where that is so.
    pub(super) fn judge(&self, link: &Link, block: u64, block_time: Duration) -> Result<(), ReadError> {
        let now = self.start.elapsed();
        let verdict = {
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
            claims.look(link.index, block, now, block_time)
        };
        let refused = match verdict {
            Verdict::Good { new } => {
                if new {
                    observe::block(block);
                }
                return Ok(());
            }
            Verdict::Behind { furthest } => ReadError::Behind { block, furthest },
            Verdict::Implausible { most } => ReadError::Implausible { block, most },
        };
        observe::passed_over(self.at(link.index), &refused);
        link.health.pass_over(Instant::now() + self.timing.poll);
        Err(refused)
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
        self.same_chain(client.genesis_hash()).await?;
        let methods = Methods::new(rpc.clone());
        let heads = Heads::follow(&rpc).await;
        Ok(Link { index, client, methods, rpc, health, heads, kept: Kept::default() })
    }

    /// All endpoints are of one chain, and none of one that is not meant.
    async fn same_chain(&self, actual: H256) -> Result<(), EndpointFailure> {
        if self.endpoints.is_wrong(actual.0) {
            return Err(EndpointFailure::MainNetwork);
        }
        let mut genesis = self.genesis.lock().await;
        match *genesis {
            Some(expected) if expected != actual => {
                let (actual, expected) = (format!("{actual:?}"), format!("{expected:?}"));
                return Err(EndpointFailure::OtherChain { actual, expected });
            }
            Some(_) => {}
            None => *genesis = Some(actual),
        }
        Ok(())
    }
}

/// No endpoint is of use for now.
struct Nothing {
    /// When each may be tried again.
    pauses: Vec<Instant>,
    tried: Vec<(String, String)>,
}

impl From<Nothing> for NoEndpoint {
    fn from(nothing: Nothing) -> Self {
        Self { tried: nothing.tried }
    }
}
