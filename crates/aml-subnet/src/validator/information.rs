//! Rules v2 at work: from what the ledger keeps to curves, columns, voices and shares.
//!
//! | when | what | where |
//! |---|---|---|
//! | outcomes come | every version of each is kept, parts and bins are counted | `outcomes`, `counting` |
//! | a task is made | where everybody stands, and the curve in force | `window` |
//! | answers are judged | columns of submissions and references, with digests | `columns`, `looked_up` |
//! | answers are merged | voices, canonical scores, shares of the day's pay | `merging`, `paying` |
//! | something said before changes | the newest round's pay is made again | `paying` |
//! | a round can change no more | what its voices came from, for its evidence pack | `grounds` |
//! | an older program judged the round | its columns are made from raw answers | `backfill` |
//!
//! The formulas are in [`crate::validation::v2`]; nothing here adds to them. What has been judged is never read as raw
//! answers again.

mod backfill;
mod columns;
mod counting;
mod grounds;
mod looked_up;
mod merging;
mod outcomes;
mod paying;
mod window;

use std::num::NonZero;

use super::evidence::EvidenceError;
use super::sot::SotError;
use super::world::{BrokeOff, RoundLog, Workers, World};
use crate::store::{RecordError, StorageError};
use crate::validation::rules::RulesVersion;
use crate::validation::v2::Constants;

pub use backfill::{Backfilled, Filling};
pub use columns::{Given, Told};
pub use grounds::{Grounds, GroundsOf};
pub use merging::MergedRound;
pub use outcomes::{Looking, table_outcomes};
pub use paying::Grace;

/// The names of references, in the order in which their columns follow the miners'.
pub const REFERENCES: [&str; 2] = ["canonical", "outcomes"];

/// What rules v2 work with.
#[derive(Clone, Copy)]
pub struct Information<'a> {
    /// Where everything is kept.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
    /// Which rules: v2, or some of the program's own.
    pub rules: RulesVersion,
    /// Their constants.
    pub constants: &'static Constants,
}

/// Why rules v2 came to no result.
#[derive(Debug, thiserror::Error)]
pub enum InformationError {
    /// The ledger, or a column in it that is not what its digest says.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A step that cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What was recorded cannot be judged.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Where outcomes come from.
    #[error(transparent)]
    Sot(#[from] SotError),
    /// A defect of ours.
    #[error("a step broke off")]
    Broken(#[from] BrokeOff),
}

impl<'a> Information<'a> {
    /// Under some rules; `None` where those do not pay for information.
    #[must_use]
    pub fn under(rules: RulesVersion, ledger: &'a dyn RoundLog, workers: &'a dyn Workers) -> Option<Self> {
        Some(Self { ledger, workers, rules, constants: rules.information()? })
    }

    /// That of a world.
    #[must_use]
    pub fn of(world: &'a World, rules: RulesVersion) -> Option<Self> {
        Self::under(rules, &*world.ledger, &*world.workers)
    }

    fn threads(&self) -> NonZero<usize> {
        NonZero::new(self.workers.threads()).unwrap_or(NonZero::<usize>::MIN)
    }
}
