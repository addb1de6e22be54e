//! The laws: what must hold in the end, whatever went wrong.
//!
//! 1. A round that could be held was published. It could be held when the source had its batch, the chain answered and an
//!    honest miner could be reached, each for the greater part of the day; and a publication without scores is none.
//! 2. Who is published is paid: weights were confirmed in the epoch after.
//! 3. One submission per epoch, and none that is not in the ledger.
//! 4. The weights that the chain shows are those that the ledger says.

use super::chain::Taken;
use super::time::Fault;
use crate::chain::types::Uid;
use crate::store::records::{RoundId, Step, WeightsRecord, WeightsState};

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It came to nothing in its day.
    #[error("round {round}, which could be held, is at step {step:?} at the end of its day")]
    Unpublished {
        /// Which.
        round: RoundId,
        /// How far it came.
        step: Option<Step>,
    },
    /// It was published, but empty.
    #[error("round {round} was published without scores, though an honest miner could be reached all day")]
    Empty {
        /// Which.
        round: RoundId,
    },
    /// Nobody was paid.
    #[error("round {round} was published, but more than an epoch later no weights are confirmed")]
    Unpaid {
        /// Which.
        round: RoundId,
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
    /// The simulation came to no end.
    #[error("round {round}: {fault}")]
    Endless {
        /// Which.
        round: RoundId,
        /// Why.
        fault: Fault,
    },
}

/// What there is at the end.
pub(super) struct End<'a> {
    pub(super) round: RoundId,
    pub(super) step: Option<Step>,
    /// Whether it has canonical scores.
    pub(super) scored: bool,
    /// Submissions in the ledger.
    pub(super) recorded: &'a [WeightsRecord],
    /// Submissions on the chain, in order.
    pub(super) taken: &'a [Taken],
    /// The weights that the chain shows.
    pub(super) shown: &'a [(Uid, u16)],
}

/// The first law that does not hold.
pub(super) fn broken(end: &End<'_>) -> Option<Broken> {
    let End { round, step, scored, .. } = *end;
    if !matches!(step, Some(Step::Published | Step::Settled)) {
        return Some(Broken::Unpublished { round, step });
    }
    if !scored {
        return Some(Broken::Empty { round });
    }
    once(end).or_else(|| alike(end)).or_else(|| confirmed(end).next().is_none().then_some(Broken::Unpaid { round }))
}

fn once(end: &End<'_>) -> Option<Broken> {
    let known = |taken: &&Taken| end.recorded.iter().any(|record| record.plan.content == taken.content);
    if let Some(taken) = end.taken.iter().find(|taken| !known(taken)) {
        return Some(Broken::Unrecorded { block: taken.block.0 });
    }
    end.recorded.iter().find_map(|record| {
        let times = end.taken.iter().filter(|taken| taken.content == record.plan.content).count();
        (times > 1).then_some(Broken::Twice { epoch: record.epoch, times })
    })
}

fn alike(end: &End<'_>) -> Option<Broken> {
    let there = |(record, block): &(&WeightsRecord, u64)| {
        end.taken.iter().any(|taken| taken.block.0 == *block && taken.content == record.plan.content)
    };
    if let Some((_, block)) = confirmed(end).find(|confirmed| !there(confirmed)) {
        return Some(Broken::Unlike { block });
    }
    let newest = end.taken.last()?;
    (newest.content.weights.pairs() != end.shown).then_some(Broken::Unlike { block: newest.block.0 })
}

/// Submissions that are confirmed, and their blocks.
fn confirmed<'a>(end: &End<'a>) -> impl Iterator<Item = (&'a WeightsRecord, u64)> {
    end.recorded.iter().filter_map(|record| match record.state {
        WeightsState::Confirmed { block } => Some((record, block)),
        _ => None,
    })
}
