//! A development chain in one process: the Subtensor that tests and demonstrations talk to.
//!
//! It speaks the JSON-RPC of a Substrate node, describes itself by metadata under Subtensor's names, checks signatures,
//! nonces, lifetimes and versions of transactions, and applies the rules that concern neurons. It is not a node: there
//! is no consensus, no network, no trie and no proof, one process makes every block, and the keys of its accounts are
//! known to everyone. What it simplifies is listed in `docs/localnet.md`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::server::ServerHandle;
use tokio::task::JoinHandle;

mod apis;
mod beacon;
mod block;
mod config;
mod exec;
mod extrinsic;
mod genesis;
mod item;
mod items;
mod journal;
pub mod keyring;
mod ledger;
mod maker;
mod metadata;
mod mirror;
mod names;
mod node;
mod pool;
mod rpc;
mod rules;
mod shield;
mod spec;
mod state;
mod validity;
mod wishes;

pub use config::{Config, SubnetRules};
pub use journal::JournalError;
pub use spec::{Generation, Spec, UnknownGeneration};
pub use wishes::{Hyperparameter, UnknownHyperparameter};

use mirror::AccountId32;
use node::Node;

use crate::chain::timelock;
use crate::chain::types::{Block, Uid};
use crate::wallet::Hotkey;

/// A running development chain; it ends when this is dropped or shut down.
pub struct Localnet {
    node: Arc<Node>,
    address: SocketAddr,
    server: ServerHandle,
    maker: JoinHandle<()>,
}

/// Why the chain did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A wish that the rules of the chain refuse, by the name that the chain gives it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain refuses: {0}")]
pub struct Refused(pub String);

fn account(hotkey: Hotkey) -> AccountId32 {
    AccountId32(*hotkey.as_bytes())
}

impl Localnet {
    /// Starts a chain and its server. To be called within a tokio runtime.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listen = config.listen;
        let node = Node::new(config)?;
        let served = rpc::serve(&node, listen).await;
        let (address, server) = served.map_err(|source| StartError::Listen { address: listen, source })?;
        let maker = tokio::spawn(Arc::clone(&node).run());
        Ok(Self { node, address, server, maker })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL for WebSocket clients.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Its URL for HTTP clients.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The newest block.
    #[must_use]
    pub fn height(&self) -> Block {
        Block(self.node.ledger().head().number())
    }

    /// Makes a block now, with what waits in the pool.
    pub fn produce_block(&self) -> Block {
        Block(self.node.make_block().number())
    }

    /// Makes several blocks now.
    pub fn produce_blocks(&self, count: u64) -> Block {
        (0..count).fold(self.height(), |_, _| self.produce_block())
    }

    /// Gives a hotkey of a coldkey a place in a subnet, for nothing.
    ///
    /// # Errors
    /// When the subnet does not exist, or the hotkey is there already or another's.
    pub fn register(&self, netuid: u16, hotkey: Hotkey, coldkey: Hotkey) -> Result<Uid, Refused> {
        self.wish(|exec| wishes::register(exec, netuid, account(hotkey), account(coldkey))).map(Uid)
    }

    /// Gives a registered hotkey stake in a subnet, out of nothing; permits follow at the end of the epoch.
    ///
    /// # Errors
    /// When the hotkey has no owner yet.
    pub fn stake(&self, netuid: u16, hotkey: Hotkey, rao: u64) -> Result<(), Refused> {
        self.wish(|exec| wishes::stake(exec, netuid, account(hotkey), rao))
    }

    /// Gives an account funds, out of nothing.
    ///
    /// # Errors
    /// Never, as it is.
    pub fn fund(&self, who: Hotkey, rao: u64) -> Result<(), Refused> {
        self.wish(|exec| wishes::fund(exec, account(who), rao))
    }

    /// Sets a rule of a subnet.
    ///
    /// # Errors
    /// When the subnet does not exist.
    pub fn set_hyperparameter(&self, netuid: u16, name: Hyperparameter, value: u64) -> Result<(), Refused> {
        self.wish(|exec| wishes::set_hyperparameter(exec, netuid, name, value))
    }

    /// Ends the epoch of a subnet now: permits, incentives and dividends are decided.
    ///
    /// # Errors
    /// When the subnet does not exist.
    pub fn run_epoch(&self, netuid: u16) -> Result<(), Refused> {
        self.wish(|exec| wishes::run_epoch(exec, netuid))
    }

    /// Tells the chain the beacon's signature of a round, with which it reveals what was encrypted to that round.
    ///
    /// # Errors
    /// When it is not the signature of that round.
    pub fn drand_pulse(&self, round: u64, signature: &[u8]) -> Result<(), Refused> {
        if !timelock::is_signature_of(round, signature).map_err(|error| Refused(error.to_string()))? {
            return Err(Refused(format!("this is not the beacon's signature of round {round}")));
        }
        self.wish(|exec| wishes::pulse(exec, round, signature))
    }

    /// Stops the chain's own beacon, or lets it go on: it catches up then.
    pub fn set_beacon(&self, runs: bool) {
        self.node.set_beacon(runs);
    }

    /// Writes storage as it is given: raw keys and values.
    pub fn set_storage(&self, values: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
        self.node.wish(|exec| wishes::set_storage(exec, values)).1.ok();
    }

    fn wish<T>(&self, wish: impl FnOnce(&mut exec::Exec<'_>) -> Result<T, exec::Fault>) -> Result<T, Refused> {
        self.node.wish(wish).1.map_err(|fault| Refused(format!("{fault:?}")))
    }

    /// Lets another runtime make the blocks from now on.
    pub fn upgrade(&self, spec: Spec) -> Block {
        Block(self.node.upgrade(spec).number())
    }

    /// Whether new blocks are final at once.
    pub fn set_finalizing(&self, finalizing: bool) {
        self.node.set_finalizing(finalizing);
    }

    /// Takes back the newest blocks that are not final; says how many.
    pub fn take_back(&self, depth: u64) -> u64 {
        self.node.take_back(depth)
    }

    /// Changes the time between blocks; `None` stops the chain.
    pub fn set_block_time(&self, block_time: Option<Duration>) {
        self.node.set_block_time(block_time);
    }

    /// Stops making blocks and closes every connection.
    pub async fn shutdown(self) {
        self.maker.abort();
        if self.server.stop().is_ok() {
            self.server.clone().stopped().await;
        }
        self.node.close();
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        self.maker.abort();
        let _ = self.server.stop();
        self.node.close();
    }
}
