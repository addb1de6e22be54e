//! The laws: what must hold whatever goes wrong.
//!
//! 1. No day is lost by our own doing: the round of each day is published in time, with scores, and counts.
//! 2. What is recorded stays, and what is published stays as it was.
//! 3. A miner's fault costs that miner alone: whoever answers well, and can be reached, counts.
//! 4. One submission of weights per window, none that is not in the ledger, none to whoever earned nothing; the weights that the
//!    chain shows are those that the ledger says, and no older than they have to be.
//! 5. What is published comes out again, byte for byte, of the answers that are kept; pay rests on what is known.
//! 6. Numbers that alarms watch are those of the world, and silent while nothing is wrong.
//! 7. What is kept in memory does not grow with the days.
//! 8. A process that is told to stop ends, and none asks the chain more often than it has to.

use super::time::Fault;
use crate::store::records::{RoundId, Step};

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It came to nothing in its time.
    #[error("round {round}, which could be held, is at step {step:?} at the end of its time")]
    Unpublished {
        /// Which.
        round: RoundId,
        /// How far it came.
        step: Option<Step>,
    },
    /// It was published, but empty.
    #[error("round {round} was published without scores, though a good miner could be reached")]
    Empty {
        /// Which.
        round: RoundId,
    },
    /// It counts nowhere, or is not paid.
    #[error("round {round}, which could be held, does not count: {why}")]
    Void {
        /// Which.
        round: RoundId,
        /// Why.
        why: String,
    },
    /// Who did nothing wrong does not count.
    #[error("{miner} did nothing wrong and could be reached, but does not count in round {round}: {why}")]
    Cost {
        /// The round.
        round: RoundId,
        /// Who.
        miner: String,
        /// Why not.
        why: String,
    },
    /// Miners had less time than the settings say.
    #[error("round {round} was recorded {left_s} s before its deadline: miners do not have their full time")]
    Hurried {
        /// The round.
        round: RoundId,
        /// How long they had.
        left_s: i64,
    },
    /// Something that was recorded is not there any more, or is otherwise.
    #[error("of round {round} {what} was recorded and is gone, or is otherwise now")]
    Forgotten {
        /// The round.
        round: RoundId,
        /// What.
        what: &'static str,
    },
    /// Something else was published again.
    #[error("round {round} was published twice, and not the same")]
    Reprinted {
        /// The round.
        round: RoundId,
    },
    /// A result does not come out again.
    #[error("round {round} does not come out again of what is kept: {place}")]
    NotAgain {
        /// The round.
        round: RoundId,
        /// Where it differs.
        place: String,
    },
    /// Pay that rests on outcomes that are not so any more.
    #[error("the pay of round {round} rests on outcomes that were changed or withdrawn since")]
    StalePay {
        /// The round.
        round: RoundId,
    },
    /// Nobody was paid.
    #[error("the weights on chain are {tenths} tenths of a tempo old, though nothing keeps newer ones from it")]
    Unpaid {
        /// How old.
        tenths: u64,
    },
    /// Weights that the ledger knows nothing of.
    #[error("the weights of block {block} are not in the ledger")]
    Unrecorded {
        /// In which the chain took them.
        block: u64,
    },
    /// More than one submission.
    #[error("the weights of the epoch that began at block {epoch} were submitted {times} times")]
    Twice {
        /// By its first block.
        epoch: u64,
        /// How many times.
        times: usize,
    },
    /// Other weights than the ledger says.
    #[error("of block {block} the chain shows other weights than the ledger says")]
    Unlike {
        /// In which they were set.
        block: u64,
    },
    /// Weights to whoever came in somebody's place.
    #[error("block {block} pays uid {uid}, whose holder came in another one's place and has earned nothing")]
    Newcomer {
        /// In which they were set.
        block: u64,
        /// Whom.
        uid: u16,
    },
    /// A number that alarms watch is not that of the world.
    #[error("{name} is {shown}, and should be {true_value}")]
    Blind {
        /// The number.
        name: &'static str,
        /// What it says.
        shown: String,
        /// What it should say.
        true_value: String,
    },
    /// An alarm without a reason.
    #[error("{name} is {shown}, though nothing goes wrong")]
    FalseAlarm {
        /// The number that it watches.
        name: &'static str,
        /// What it says.
        shown: String,
    },
    /// An alarm that did not come.
    #[error("{name} did not rise while {what}")]
    NoAlarm {
        /// The number that it watches.
        name: &'static str,
        /// What went wrong.
        what: &'static str,
    },
    /// Something is kept that should not be.
    #[error("{count} {what} are left at the end of a day")]
    Grows {
        /// What.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// The chain was asked without need.
    #[error("the chain was asked {times} times within an hour")]
    Hammers {
        /// How often.
        times: usize,
    },
    /// It did not end.
    #[error("a process that was told to stop {after_s} s ago still runs")]
    Deaf {
        /// For how long.
        after_s: u64,
    },
    /// A request counted twice.
    #[error("{miner} took the same request twice (nonce {nonce})")]
    Replayed {
        /// Who.
        miner: String,
        /// By which nonce.
        nonce: u64,
    },
    /// The simulation came to no end.
    #[error("{fault}")]
    Endless {
        /// Why.
        fault: Fault,
    },
}
