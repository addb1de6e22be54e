//! Why something of the chain could not be read.

use aml_miner::error_chain::with_causes;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No node.
    #[error(transparent)]
    NoEndpoint(#[from] super::link::NoEndpoint),
    /// The node failed or did not answer.
    #[error("cannot read {what}: {reason}")]
    Node {
        /// What was asked for.
        what: String,
        /// The causes, in one line.
        reason: String,
    },
    /// A key that the node says nothing of.
    #[error("the node left {what} out of its answer")]
    Unanswered {
        /// What was asked for.
        what: String,
    },
    /// An answer that does not fit the metadata.
    #[error("cannot decode {what}: {reason}")]
    Decode {
        /// What was asked for.
        what: String,
        /// The causes, in one line.
        reason: String,
    },
    /// The runtime has no such thing.
    #[error("the runtime (spec {spec}) has no {what}")]
    Lacks {
        /// What is lacking.
        what: String,
        /// The runtime's version.
        spec: u32,
    },
    /// Parts that contradict one another.
    #[error("subnet {netuid} reads inconsistently at block {block}: {what}")]
    Inconsistent {
        /// The subnet.
        netuid: u16,
        /// The block.
        block: u64,
        /// What does not fit.
        what: String,
    },
    /// No such subnet.
    #[error("there is no subnet {0} on this chain: check the netuid and the network")]
    NoSubnet(u16),
    /// A node that has not kept up.
    #[error("the node is behind: its finalised block is {block}, another one's {furthest}")]
    Behind {
        /// Its finalised block.
        block: u64,
        /// What another node has shown just now.
        furthest: u64,
    },
    /// A node that claims what cannot be yet.
    #[error("the node claims the finalised block {block}; by the clock it can be {most} at most: not believed for now")]
    Implausible {
        /// Its finalised block.
        block: u64,
        /// The furthest that can be.
        most: u64,
    },
}

impl ReadError {
    /// Whether another node may do better.
    #[must_use]
    pub const fn is_of_the_node(&self) -> bool {
        !matches!(self, Self::NoEndpoint(_) | Self::Lacks { .. } | Self::NoSubnet(_))
    }
}

/// The node failed.
pub(super) fn node(what: &str, error: &dyn std::error::Error) -> ReadError {
    ReadError::Node { what: what.to_owned(), reason: with_causes(error) }
}

/// What it says does not fit the metadata.
pub(super) fn decode(what: &str, error: &dyn std::error::Error) -> ReadError {
    ReadError::Decode { what: what.to_owned(), reason: with_causes(error) }
}
