//! Subtensor through subxt: the only room that knows it.
//!
//! Calls, storage and runtime APIs are addressed by name, and values decoded by the metadata of the block they are
//! read at, so that an upgrade of the runtime needs no new release. Every request has a deadline; a failing endpoint
//! is replaced by the next one; whatever is written is followed until it is final and read back.

mod announce;
mod calls;
mod claims;
mod collateral;
mod epoch;
mod extrinsic;
mod heads;
mod hyperparameters;
mod inclusion;
mod kept;
mod link;
mod metagraph;
mod neurons;
mod nonce;
mod observe;
mod outlook;
mod place;
mod pool;
mod pulses;
mod read_error;
mod readback;
mod readings;
mod reveal;
mod revealed;
mod rpc;
pub mod runtime;
mod set_weights;
mod snapshot;
mod standing;
mod submit;
pub mod subnet;
mod traces;
mod versions;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock;
use futures_util::future::BoxFuture;
use subxt::config::substrate::H256;
use tokio::sync::Mutex;

pub use announce::AnnounceError;
pub use extrinsic::{BuildError, ERA_BLOCKS};
pub use link::{EndpointFailure, NoEndpoint};
pub use nonce::NonceError;
pub use pool::{PoolError, Progress};
pub use reveal::RevealError;
pub use rpc::{ConnectError, NoAnswer, Timing};
pub use set_weights::SetWeightsError;
pub use snapshot::ReadError;
pub use submit::SubmitError;
pub use watchdog::{Silence, Stalled};

use crate::chain::endpoints::Endpoints;
use crate::chain::types::{Block, Hyperparameters, Metagraph};
use crate::wallet::KeyLock;
use link::{Link, Links};
use nonce::Desk;
use snapshot::{Snapshot, node};

/// A finalised block, and the runtime it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub block: Block,
    /// Its hash.
    pub hash: [u8; 32],
    /// Version of its runtime.
    pub spec_version: u32,
    /// The endpoint that said so.
    pub endpoint: String,
}

/// The chain. Cheap to share: keep it in an [`Arc`]; one process needs one.
pub struct Subtensor {
    links: Links,
    desk: Mutex<Desk>,
    clock: Arc<dyn Clock>,
    key: Option<KeyLock>,
}

impl Subtensor {
    /// The chain behind these endpoints. Connects when it is first asked.
    #[must_use]
    pub fn new(endpoints: Endpoints, timing: Timing, clock: Arc<dyn Clock>) -> Self {
        Self { links: Links::new(endpoints, timing), desk: Mutex::new(Desk::default()), clock, key: None }
    }

    /// The same, of a process that writes with this key file: it is locked while a transaction is on its way.
    #[must_use]
    pub fn writing_with(self, key: KeyLock) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The last finalised block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn head(&self) -> Result<Head, ReadError> {
        let head = self.snapshot(At::Finalised).await?;
        Ok(Head {
            block: head.block(),
            hash: head.at.block_hash().0,
            spec_version: head.at.spec_version(),
            endpoint: self.links.name(&head.link),
        })
    }

    /// All neurons of a subnet, at one finalised block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint gives a consistent answer, or there is no such subnet.
    pub async fn metagraph(&self, netuid: u16) -> Result<Metagraph, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(metagraph::read(snapshot, netuid))).await
    }

    /// The rules of a subnet, at one finalised block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint gives an answer, or there is no such subnet.
    pub async fn hyperparameters(&self, netuid: u16) -> Result<Hyperparameters, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(hyperparameters::read(snapshot, netuid))).await
    }

    /// Time between two blocks, as the runtime has it.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn block_time(&self) -> Result<Duration, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(async move { Ok(block_time(snapshot)) })).await
    }

    /// The time in the last finalised block, by its author's clock.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn time(&self) -> Result<Option<Duration>, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(snapshot.timestamp())).await
    }

    /// Whether the node says that its chain is for development, which holds nothing of worth.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn is_for_development(&self) -> Result<bool, ReadError> {
        let link = self.links.link().await?;
        let kind = link.methods.system_chain_type().await.map_err(|error| node("the chain's type", &error))?;
        Ok(kind == "Development")
    }

    const fn timing(&self) -> &Timing {
        &self.links.timing
    }

    /// Reads at one block; on another endpoint when one fails, or makes no sense.
    async fn read<T>(
        &self,
        at: At,
        read: impl for<'a> Fn(&'a Snapshot) -> BoxFuture<'a, Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let mut attempt = 1;
        loop {
            let snapshot = self.snapshot(at).await?;
            let failure = match read(&snapshot).await {
                Ok(value) => {
                    snapshot.link.health.succeeded();
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            if !failure.is_of_the_node() || attempt >= self.links.attempts() {
                return Err(failure);
            }
            tracing::debug!(%failure, attempt, "chain read failed, trying again");
            snapshot.link.health.failed(&failure);
            attempt += 1;
        }
    }

    /// A block, of a node that keeps up.
    async fn snapshot(&self, at: At) -> Result<Snapshot, ReadError> {
        let mut attempt = 1;
        loop {
            let link = self.links.link().await?;
            let failure = match at.on(link.clone()).await {
                Ok(snapshot) if !at.is_final() => return Ok(snapshot),
                // Whatever its node claims, the connection is sound.
                Ok(snapshot) => match self.links.judge(&link, snapshot.block().0, block_time(&snapshot)) {
                    Ok(()) => return Ok(snapshot),
                    Err(refused) => refused,
                },
                Err(failure) => {
                    link.health.failed(&failure);
                    failure
                }
            };
            if attempt >= self.links.attempts() {
                return Err(failure);
            }
            attempt += 1;
        }
    }
}

/// Which block to look at.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The last one that stays.
    Finalised,
    /// The newest: what the next transaction is validated against.
    Best,
    /// By its hash.
    Hash(H256),
    /// By its number.
    Number(u64),
}

impl At {
    const fn is_final(self) -> bool {
        matches!(self, Self::Finalised)
    }

    async fn on(self, link: Arc<Link>) -> Result<Snapshot, ReadError> {
        let at = match self {
            Self::Finalised => {
                let hash = link.methods.chain_get_finalized_head().await;
                link.block(hash.map_err(|error| node("the finalised block", &error))?).await
            }
            Self::Hash(hash) => link.block(hash).await,
            Self::Number(number) => link.client.at_block(number).await,
            Self::Best => {
                let hash = link.methods.chain_get_block_hash(None).await;
                let hash = hash.map_err(|error| node("the best block", &error))?;
                link.block(hash.ok_or_else(|| no_block("the best block"))?).await
            }
        };
        let at = at.map_err(|error| node("a block", &error))?;
        Ok(Snapshot { link, at })
    }
}

fn no_block(what: &str) -> ReadError {
    ReadError::Node { what: what.to_owned(), reason: "the node has none".to_owned() }
}

/// The slot of the block producers, or twice the smallest step of time; 12 s where the runtime says neither.
fn block_time(snapshot: &Snapshot) -> Duration {
    let constant = |pallet: &str, name: &str| {
        let address = subxt::dynamic::constant::<u64>(pallet, name);
        snapshot.at.constants().entry(address).ok().filter(|millis| *millis > 0)
    };
    let slot = constant("Aura", "SlotDuration");
    let step = || constant("Timestamp", "MinimumPeriod").map(|half| half.saturating_mul(2));
    Duration::from_millis(slot.or_else(step).unwrap_or(12_000))
}
