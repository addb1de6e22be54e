//! The reasons of a round: what the miners with a voice explain, read from their raw answers once more when the round is published,
//! merged, and kept with it.
//!
//! One answer a core is in memory at a time, and what all of them say as two numbers per alert and code. A batch that is not here
//! any more does not hold scores up: the round then has no reasons, and says why.

use std::collections::HashMap;
use std::sync::Arc;

use aml_miner::wire::Batch;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::sot::Found;
use super::world::{BrokeOff, RoundLog, Source, Workers, World};
use crate::config::Explain;
use crate::outputs::ranks;
use crate::readers::reasons::data::Data;
use crate::readers::reasons::merging::Merging;
use crate::readers::reasons::said::{Asked, Said};
use crate::readers::reasons::{About, Reasons};
use crate::store::records::{Answer, Canonical, Reply, RosterRow, Round, RoundId, Sheet, Task};
use crate::store::{RecordError, StorageError};

/// What a round without its batch says.
const NO_BATCH: &str = "its batch could not be read again when it was published";

/// Why there are no reasons.
#[derive(Debug, thiserror::Error)]
pub enum ReasoningError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// They cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A defect of ours.
    #[error("merging reasons broke off")]
    Broken(#[from] BrokeOff),
}

/// A round that was merged.
#[derive(Clone)]
pub struct ScoredRound {
    /// The round.
    pub id: RoundId,
    /// What was asked.
    pub task: Arc<Task>,
    /// What came of it.
    pub canonical: Arc<Canonical>,
}

/// Merges reasons from what is kept.
#[derive(Clone, Copy)]
pub struct Reasoner<'a> {
    /// Where it is kept.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
}

impl<'a> Reasoner<'a> {
    /// That of a world.
    #[must_use]
    pub fn of(world: &'a World) -> Self {
        Self { ledger: &*world.ledger, workers: &*world.workers }
    }

    /// The reasons of a round: those that are kept, else made and kept now.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn in_force(
        &self,
        round: &Round,
        merged: &ScoredRound,
        source: &dyn Source,
        explain: Explain,
    ) -> Result<Reasons, ReasoningError> {
        if let Some(kept) = self.ledger.reasons(round.id).await? {
            return Ok(kept);
        }
        let made = self.made(round, merged, source, explain).await?;
        Ok(self.ledger.record_reasons(round.id, &made).await?)
    }

    async fn made(
        &self,
        round: &Round,
        merged: &ScoredRound,
        source: &dyn Source,
        explain: Explain,
    ) -> Result<Reasons, ReasoningError> {
        let (asked, alerts) = (explain.to_string(), merged.task.roster.len());
        let nothing = Reasons { absent: None, ..Reasons::absent(&asked, alerts, "") };
        if explain == Explain::None {
            return Ok(nothing);
        }
        let merging = self.merging(merged).await?;
        if merging.miners() == 0 {
            return Ok(nothing);
        }
        let Some(batch) = self.batch(round, source).await? else {
            return Ok(Reasons::absent(&asked, alerts, NO_BATCH));
        };
        let about = about(&merged.task.roster);
        let making = move || Reasons::made(&asked, &merging, &about, &mut Data::new(&batch));
        Ok(self.workers.compute(making).await?)
    }

    /// What all miners with a voice say, in ascending order of their hotkeys.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn merging(&self, merged: &ScoredRound) -> Result<Merging, ReasoningError> {
        let above: Arc<[f64]> = above(&merged.task.roster, &merged.canonical).into();
        let one = |answer: Answer| {
            let voice = merged.canonical.weights.get(&answer.hotkey).copied().unwrap_or(0.0);
            let said = self.said(merged, answer, Arc::clone(&above));
            async move { Ok::<_, ReasoningError>((voice, said.await?)) }
        };
        let mut answers = self.ledger.answers(merged.id).await?;
        let speaks = |answer: &Answer| {
            let voice = merged.canonical.weights.get(&answer.hotkey).copied().unwrap_or(0.0);
            voice > 0.0 && answer.reply == Reply::Answered
        };
        answers.retain(speaks);
        let mut merging = Merging::new(merged.task.roster.len());
        let mut all = stream::iter(answers.into_iter().map(one)).buffered(self.workers.threads() + 1);
        while let Some((voice, said)) = all.try_next().await? {
            merging.add(voice, &said);
        }
        Ok(merging)
    }

    /// What one miner says; nothing when its answer is not kept any more.
    async fn said(&self, merged: &ScoredRound, answer: Answer, above: Arc<[f64]>) -> Result<Said, ReasoningError> {
        let Some(digest) = answer.body else { return Ok(Said::default()) };
        let Some(packed) = self.ledger.packed_body(&digest).await? else { return Ok(Said::default()) };
        let task = Arc::clone(&merged.task);
        let reading = move || -> Result<Said, StorageError> {
            let Some(sheet) = task.sheet(&answer.hotkey) else { return Ok(Said::default()) };
            let body = packed.unpack()?;
            Ok(Said::of(body.bytes(), Asked { places: &places(&sheet), canonical: &above }))
        };
        Ok(self.workers.compute(reading).await??)
    }

    /// The batch that was asked about; `None` when it is not to be had.
    async fn batch(&self, round: &Round, source: &dyn Source) -> Result<Option<Batch>, ReasoningError> {
        let found = Found { date: round.id.date, window_days: round.id.window_days };
        let fetched = match source.fetch(found).await {
            Ok(fetched) if fetched.digest == round.batch => fetched,
            Ok(_) => {
                tracing::warn!(round.id = %round.id, "the source has another batch now; the round has no reasons");
                return Ok(None);
            }
            Err(error) => {
                tracing::warn!(round.id = %round.id, %error, "the batch cannot be had; the round has no reasons");
                return Ok(None);
            }
        };
        match self.workers.compute(move || fetched.rows.read()).await? {
            Ok(batch) => Ok(Some(batch)),
            Err(error) => {
                tracing::warn!(round.id = %round.id, %error, "the batch cannot be read; the round has no reasons");
                Ok(None)
            }
        }
    }
}

/// Of each alert of a roster the share of alerts with a lower rank.
#[must_use]
pub fn above(roster: &[RosterRow], canonical: &Canonical) -> Vec<f64> {
    let alerts = roster.len().max(1) as f64;
    ranks(roster, canonical).into_iter().map(|rank| (alerts - f64::from(rank)) / alerts).collect()
}

/// By what reasons are looked up in a batch.
#[must_use]
pub fn about(roster: &[RosterRow]) -> Vec<About> {
    let one = |row: &RosterRow| About { alert_id: row.alert_id.clone(), address: row.address.clone() };
    roster.iter().map(one).collect()
}

/// Places in the roster by the ids that were sent.
fn places<'a>(sheet: &Sheet<'a>) -> HashMap<&'a str, usize> {
    let ids = sheet.ids();
    let roster = sheet.roster_places().into_iter().enumerate();
    roster.filter_map(|(place, sent)| Some((*ids.get(sent)?, place))).collect()
}
