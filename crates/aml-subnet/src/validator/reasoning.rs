//! The reasons of a round: what the miners with a voice explain, read from their raw answers once more when the round is published,
//! merged, and kept with it.
//!
//! One answer per core is in memory at a time, and what all of them say as two numbers per alert and code. A batch that is not here
//! any more does not hold scores up: the round then has no reasons, and says why. One that cannot be had for now is asked for again,
//! within a bound that is the caller's. What goes wrong with reasons themselves never stops a round: only a ledger that cannot be
//! used does.

use std::collections::HashMap;
use std::sync::Arc;

use aml_miner::wire::{Batch, Explain};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::sot::{Found, SotError};
use super::world::{BrokeOff, RoundLog, Source, Workers, World};
use crate::readers::reasons::agreeing;
use crate::readers::reasons::data::Data;
use crate::readers::reasons::merging::Merging;
use crate::readers::reasons::said::{Asked, Said};
use crate::readers::reasons::{About, Reasons};
use crate::store::records::{Answer, Canonical, Reply, RosterRow, Round, RoundId, Sheet, Task};
use crate::store::{RecordError, StorageError};

/// What a round without its batch says.
const NO_BATCH: &str = "its batch could not be read again when it was published";
/// What a round says whose validator makes none.
const SWITCHED_OFF: &str = "the validator merged none when it was published (explain = \"none\")";
/// What a round says whose reasons could not be made.
const NOT_MADE: &str = "they could not be merged";
/// What a round says with more reasons than a ledger keeps.
const TOO_LARGE: &str = "they are larger than what is kept";
/// What a round says whose kept reasons are none.
const UNREADABLE: &str = "what is kept of them cannot be read";

/// Why there are no reasons.
#[derive(Debug, thiserror::Error)]
pub enum ReasoningError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// They cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The batch cannot be had for now.
    #[error("the batch cannot be had for the reasons of its alerts: {0}")]
    Away(String),
    /// A defect of ours.
    #[error("merging reasons broke off")]
    Broken(#[from] BrokeOff),
}

/// What reasons of a round are made with.
#[derive(Clone, Copy)]
pub struct Making<'a> {
    /// Where its batch comes from.
    pub source: &'a dyn Source,
    /// Whether any are wanted.
    pub explain: Explain,
    /// Whether a batch that cannot be had for now is waited for.
    pub is_patient: bool,
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

    /// The reasons of a round: those that are kept, else made and kept now. What cannot be made says why.
    ///
    /// # Errors
    /// When the ledger cannot be used, or when the batch cannot be had for now and is waited for.
    pub async fn in_force(
        &self,
        round: &Round,
        merged: &ScoredRound,
        making: Making<'_>,
    ) -> Result<Reasons, ReasoningError> {
        let alerts = merged.task.roster.len();
        let kept = match self.ledger.reasons(round.id).await {
            Err(error @ StorageError::Malformed { .. }) => {
                tracing::warn!(round.id = %round.id, %error, "the kept reasons of the round cannot be read");
                return Ok(Reasons::absent(alerts, UNREADABLE));
            }
            kept => kept?,
        };
        if let Some(kept) = kept {
            return Ok(if kept.alerts.len() == alerts { kept } else { Reasons::absent(alerts, UNREADABLE) });
        }
        let made = match self.made(round, merged, making).await {
            Err(error) if is_of_making(&error) => {
                tracing::error!(round.id = %round.id, %error, "reasons cannot be made; the round has none");
                Reasons::absent(alerts, NOT_MADE)
            }
            made => made?,
        };
        match self.ledger.record_reasons(round.id, &made).await {
            Err(RecordError::Storage(error @ StorageError::Unrecordable { .. })) => {
                tracing::error!(round.id = %round.id, %error, "reasons cannot be kept; the round has none");
                Ok(self.ledger.record_reasons(round.id, &Reasons::absent(alerts, TOO_LARGE)).await?)
            }
            recorded => Ok(recorded?),
        }
    }

    async fn made(&self, round: &Round, merged: &ScoredRound, making: Making<'_>) -> Result<Reasons, ReasoningError> {
        let alerts = merged.task.roster.len();
        if making.explain == Explain::None {
            return Ok(Reasons::absent(alerts, SWITCHED_OFF));
        }
        let merging = self.merging(merged).await?;
        if merging.miners() == 0 {
            return Ok(Reasons { absent: None, ..Reasons::absent(alerts, "") });
        }
        let Some(batch) = self.batch(round, making).await? else {
            return Ok(Reasons::absent(alerts, NO_BATCH));
        };
        let about = about(&merged.task.roster);
        let making = move || Reasons::made(&merging, &about, &mut Data::new(&batch));
        Ok(self.workers.compute(making).await?)
    }

    /// What all miners with a voice say, in ascending order of their hotkeys.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn merging(&self, merged: &ScoredRound) -> Result<Merging, ReasoningError> {
        let above: Arc<[f64]> = above(&merged.canonical).into();
        let voiced = |answer: Answer| {
            let voice = merged.canonical.weights.get(&answer.hotkey).copied()?;
            (voice > 0.0 && answer.reply == Reply::Answered).then_some((voice, answer))
        };
        let one = |(voice, answer): (f64, Answer)| {
            let said = self.said(merged, answer, Arc::clone(&above));
            async move { Ok::<_, ReasoningError>((voice, said.await?)) }
        };
        let answers = self.ledger.answers(merged.id).await?;
        let mut merging = Merging::new(merged.task.roster.len());
        let mut all =
            stream::iter(answers.into_iter().filter_map(voiced).map(one)).buffered(self.workers.threads() + 1);
        while let Some((voice, said)) = all.try_next().await? {
            merging.add(voice, &said);
        }
        Ok(merging)
    }

    /// What one miner says; nothing when its answer is not kept any more, or cannot be read.
    async fn said(&self, merged: &ScoredRound, answer: Answer, above: Arc<[f64]>) -> Result<Said, ReasoningError> {
        let Some(digest) = answer.body else { return Ok(Said::default()) };
        let (id, hotkey, task) = (merged.id, answer.hotkey, Arc::clone(&merged.task));
        let nothing = |error: &dyn std::error::Error| {
            tracing::warn!(round.id = %id, miner.hotkey = %hotkey, %error, "a stored answer cannot be read: it explains nothing");
            Said::default()
        };
        let packed = match self.ledger.packed_body(&digest).await {
            Err(error @ StorageError::Malformed { .. }) => return Ok(nothing(&error)),
            packed => packed?,
        };
        let Some(packed) = packed else { return Ok(Said::default()) };
        let reading = move || -> Result<Said, StorageError> {
            let Some(sheet) = task.sheet(&hotkey) else { return Ok(Said::default()) };
            let body = packed.unpack()?;
            Ok(Said::of(body.bytes(), Asked { places: &places(&sheet), canonical: &above }))
        };
        Ok(match self.workers.compute(reading).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => nothing(&error),
            Err(error) => nothing(&error),
        })
    }

    /// The batch that was asked about; `None` when it is gone, or is not waited for.
    async fn batch(&self, round: &Round, making: Making<'_>) -> Result<Option<Batch>, ReasoningError> {
        let found = Found { date: round.id.date, window_days: round.id.window_days };
        let away = match making.source.fetch(found).await {
            Ok(fetched) if fetched.digest == round.batch => {
                match self.workers.compute(move || fetched.rows.read()).await? {
                    Ok(batch) => return Ok(Some(batch)),
                    Err(error) => error.to_string(),
                }
            }
            Ok(_) => {
                tracing::warn!(round.id = %round.id, "the source has another batch now; the round has no reasons");
                return Ok(None);
            }
            Err(error) if is_gone(&error) => {
                tracing::warn!(round.id = %round.id, %error, "the batch is gone; the round has no reasons");
                return Ok(None);
            }
            Err(error) => error.to_string(),
        };
        if making.is_patient {
            return Err(ReasoningError::Away(away));
        }
        tracing::warn!(round.id = %round.id, error = away, "the batch was waited for in vain; the round has no reasons");
        Ok(None)
    }
}

/// Whether reasons themselves are the trouble, and not the ledger or the source.
const fn is_of_making(error: &ReasoningError) -> bool {
    matches!(
        error,
        ReasoningError::Broken(_)
            | ReasoningError::Ledger(StorageError::Malformed { .. } | StorageError::Unrecordable { .. })
    )
}

/// Whether no later try finds the batch.
const fn is_gone(error: &SotError) -> bool {
    matches!(
        error,
        SotError::Absent { .. }
            | SotError::Erased { .. }
            | SotError::Ahead { .. }
            | SotError::OtherBatch { .. }
            | SotError::OtherAlerts { .. }
    )
}

/// Of each alert of a round the share of alerts with a lower canonical score, as of a miner's own scores.
#[must_use]
pub fn above(canonical: &Canonical) -> Vec<f64> {
    agreeing::above(&canonical.scores.iter().map(|merged| merged.score.get()).collect::<Vec<f64>>())
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde_json::json;

    use super::above;
    use crate::readers::reasons::merging::Merging;
    use crate::readers::reasons::said::{Asked, Said};
    use crate::store::records::Canonical;
    use crate::validation::rules::RulesVersion;
    use crate::validation::score::{CanonicalScore, Score};

    #[test]
    fn who_has_the_same_ties_as_the_canonical_scores_agrees_everywhere() {
        let scores: Vec<f64> = (0_u32..1_000).map(|at| f64::from(at.saturating_sub(399)) / 1_000.0).collect();
        let score = |score: &f64| CanonicalScore {
            score: Score::new(*score).expect("a probability"),
            deviation: 0.0,
            miners: 1,
        };
        let canonical = Canonical {
            rules: RulesVersion::V1,
            scores: scores.iter().map(score).collect(),
            weights: BTreeMap::new(),
            performance: BTreeMap::new(),
        };
        let ids: Vec<String> = (0..1_000).map(|at| format!("a{at}")).collect();
        let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        let explained = json!({"top_features": [{"feature": "min_tx_usd", "impact": 1.0}]}).to_string();
        let row = |(id, score)| json!({"alert_id": id, "score": score, "explain_json": explained});
        let answer = json!(ids.iter().zip(&scores).map(row).collect::<Vec<_>>()).to_string();
        let mut merging = Merging::new(ids.len());
        merging.add(1.0, &Said::of(answer.as_bytes(), Asked { places: &places, canonical: &above(&canonical) }));
        let silent: Vec<usize> = (0..1_000).filter(|place| merging.candidates(*place).is_empty()).collect();
        assert_eq!(silent, Vec::<usize>::new(), "four hundred alerts have a score of exactly 0");
    }
}
