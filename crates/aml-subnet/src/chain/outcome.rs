//! What becomes of a submission of weights, as the chain shows it.

use super::types::Block;

/// A transaction in a finalised block, executed without error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block.
    pub block: Block,
    /// The block's hash.
    pub block_hash: [u8; 32],
    /// The transaction's hash.
    pub transaction: [u8; 32],
    /// Names of the events it caused, as `Pallet.Event`.
    pub events: Vec<String>,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsOutcome {
    /// The chain shows these weights.
    Set(Included),
    /// The digest is on chain; reveal the plan's content when its window opens.
    Committed(Included),
    /// The commit is on chain; the chain reveals it by itself.
    Timelocked {
        /// Where it is.
        included: Included,
        /// The drand round that opens it.
        round: u64,
        /// The block from which the chain reveals it.
        reveal_from: Block,
    },
}

/// Something of a submission in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The weights themselves, set or revealed.
    Shown {
        /// The hotkey's last update.
        block: Block,
    },
    /// Its hash commit.
    Committed {
        /// Block of the commit.
        block: Block,
    },
    /// A timelocked commit of the hotkey, made since then.
    Timelocked {
        /// Block of the commit.
        block: Block,
        /// The drand round that opens it.
        round: u64,
    },
}

/// What is known of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A finalised block shows it.
    Final(Sighting),
    /// The newest block shows it, or a transaction of the hotkey waits in the pool: look again later.
    Unsettled,
    /// Nothing of it is anywhere.
    Nothing,
}

/// A timelocked commit that is on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelockedAt {
    /// Block of the commit.
    pub block: Block,
    /// The first block in which the chain may reveal it.
    pub reveal_from: Block,
}

/// What became of a timelocked commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevealFate {
    /// It is still stored.
    Waiting {
        /// The block it was looked for at.
        block: Block,
    },
    /// The chain has opened it, and shows its weights.
    Revealed {
        /// The block of the reveal, or the block that was looked at where that one is not known.
        block: Block,
    },
    /// It is no longer stored, and the chain shows other weights.
    Lost {
        /// Whether the chain has opened it: then others were set since, or its values were changed.
        opened: bool,
    },
}
