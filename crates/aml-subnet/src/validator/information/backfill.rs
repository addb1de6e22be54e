//! Columns of rounds that were judged under v1, from their raw answers while these are kept: so that rules v2 can pay from
//! their first day.
//!
//! No curve was in force for such a round: its places are worth Savage scores, whenever and by whomever its columns are
//! made.

use std::collections::BTreeMap;

use crate::calendar::day_of;
use crate::store::records::{ColumnName, Round, RoundId, Verdict};
use crate::validator::evidence::{Archive, EvidenceError};
use crate::validator::judge::trap_advantage;
use crate::wallet::Hotkey;

use super::{Given, Information, InformationError};

/// What became of a round whose columns were to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// So many columns are there now.
    Made(usize),
    /// A raw answer is gone: the round is not part of any window.
    Swept,
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Rounds whose columns were made now.
    pub made: Vec<RoundId>,
    /// Rounds whose raw answers are gone.
    pub swept: Vec<RoundId>,
    /// Rounds that are still to be done.
    pub left: usize,
}

impl Information<'_> {
    /// Rounds of v1 that a window of `id` or of a later day looks back on and that have no columns yet, oldest first.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn without_columns(&self, id: RoundId) -> Result<Vec<Round>, InformationError> {
        let today = day_of(id.date);
        let mut without = Vec::new();
        for round in self.rounds(id, today - self.constants.look_back()..=today).await? {
            if round.rules.information().is_none() && !self.has_columns(&round).await? {
                without.push(round);
            }
        }
        Ok(without)
    }

    async fn has_columns(&self, round: &Round) -> Result<bool, InformationError> {
        let kept = self.ledger.column_digests(round.id).await?;
        let verdicts = self.ledger.verdicts(round.id).await?;
        let mut accepted = verdicts.iter().filter(|verdict| verdict.accepted.is_ok());
        Ok(accepted.all(|verdict| kept.contains_key(&ColumnName::Miner(verdict.hotkey))))
    }

    /// Makes the columns of a round from its raw answers.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn fill(&self, round: &Round) -> Result<Filling, InformationError> {
        let archive = Archive { ledger: self.ledger, workers: self.workers };
        let (task, rules) = (archive.task(round.id).await?, round.rules.rules());
        let judged = match archive.judged(round, &task, rules).await {
            Err(EvidenceError::Swept { .. }) => return Ok(Filling::Swept),
            judged => judged?,
        };
        let accepted: Vec<Verdict> = self.ledger.verdicts(round.id).await?;
        let (_, mut told) = self.told(&rules, None, judged).await?;
        let counts =
            |hotkey: &Hotkey| accepted.iter().any(|verdict| verdict.hotkey == *hotkey && verdict.accepted.is_ok());
        told.retain(|one| counts(&one.hotkey));
        let advantages: BTreeMap<Hotkey, f64> = accepted
            .iter()
            .filter_map(|verdict| {
                let groups = &task.asks.get(&verdict.hotkey)?.groups;
                Some((verdict.hotkey, trap_advantage(groups, &verdict.traps)?))
            })
            .collect();
        self.ledger.record_advantages(round.id, &advantages).await?;
        self.keep(round.id, &task, Given { curve: None, as_of_ms: i64::MAX }, &told).await?;
        Ok(Filling::Made(told.len()))
    }
}
