//! Telling the chain where a neuron can be reached.

use std::net::IpAddr;

use futures_util::future::BoxFuture;

use super::types::Block;

/// Where a neuron wants to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The subnet.
    pub netuid: u16,
    /// Address that others can reach.
    pub ip: IpAddr,
    /// Port, not 0.
    pub port: u16,
    /// Version of the neuron's software.
    pub version: u32,
}

/// What an announcement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The chain has it already; nothing was sent.
    Already,
    /// The chain has it since this block.
    Since(Block),
}

/// Why the chain does not know where we are.
#[derive(Debug, thiserror::Error)]
#[error("cannot announce the axon: {0}")]
pub struct NotAnnounced(#[source] Box<dyn std::error::Error + Send + Sync>);

impl NotAnnounced {
    /// Wraps the chain's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Writes our address to the chain, when it differs.
pub trait Announce: Send + Sync {
    /// Makes sure that the chain names this address and port for our hotkey.
    fn announce(&self, ip: IpAddr, port: u16) -> BoxFuture<'_, Result<Announced, NotAnnounced>>;
}
