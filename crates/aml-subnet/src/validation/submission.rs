//! A complete set of scores for a task.

use std::borrow::Cow;
use std::collections::HashMap;

use aml_miner::wire::ScoreRow;

use crate::validation::score::CanonicalScore;
use crate::validation::score::Score;

/// Why a list of scores is not a submission for the task.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// An alert of the task has no score.
    #[error("alert {0} has no score")]
    Missing(String),
    /// A score is for an alert that the task does not have.
    #[error("alert {0} is not part of the task")]
    Unknown(String),
    /// An alert has two scores.
    #[error("alert {0} is scored twice")]
    Twice(String),
    /// A score is no probability.
    #[error("the score of alert {alert} is {value}, not a probability")]
    NotAProbability {
        /// The alert.
        alert: String,
        /// What was given.
        value: f64,
    },
}

impl Rejection {
    /// Whether the set of alerts is wrong, as opposed to a value.
    #[must_use]
    pub fn is_cardinality(&self) -> bool {
        !matches!(self, Self::NotAProbability { .. })
    }
}

/// One score per alert of the task, in the order of the task. Only [`Submission::accept`] makes one of
/// what a stranger sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    scores: Vec<Score>,
}

impl Submission {
    /// Brings `rows`, in any order, into the order of the task.
    ///
    /// # Errors
    /// The first alert that is unknown, scored twice, missing, or scored with something that is no probability.
    pub fn accept(alert_ids: &[String], rows: &[ScoreRow]) -> Result<Self, Rejection> {
        let alert_ids: Vec<&str> = alert_ids.iter().map(String::as_str).collect();
        let rows: Vec<_> = rows.iter().map(|row| (Cow::Borrowed(row.alert_id.as_str()), row.score)).collect();
        Self::accept_scores(&alert_ids, &rows)
    }

    /// As [`accept`](Self::accept), of alerts and their scores.
    ///
    /// # Errors
    /// As there.
    pub fn accept_scores(alert_ids: &[&str], rows: &[(Cow<'_, str>, f64)]) -> Result<Self, Rejection> {
        // Most miners keep the order of the task: nothing needs to be looked up then.
        let in_order = rows.len() == alert_ids.len() && rows.iter().zip(alert_ids).all(|(row, id)| row.0 == *id);
        let probable = |(id, value): (&&str, f64)| {
            Score::new(value).ok_or_else(|| Rejection::NotAProbability { alert: (*id).to_owned(), value })
        };
        let scores = if in_order {
            alert_ids.iter().zip(rows.iter().map(|row| row.1)).map(probable).collect::<Result<_, _>>()?
        } else {
            alert_ids.iter().zip(in_any_order(alert_ids, rows)?).map(probable).collect::<Result<_, _>>()?
        };
        Ok(Self { scores })
    }

    /// Merged scores, as if somebody had submitted them: so that they can be measured against the outcomes.
    #[must_use]
    pub fn of_canonical(scores: &[CanonicalScore]) -> Self {
        Self { scores: scores.iter().map(|merged| merged.score).collect() }
    }

    /// Scores as they were kept of a submission that was accepted; `None` when one is no probability.
    #[must_use]
    pub fn of_stored(scores: &[f64]) -> Option<Self> {
        Some(Self { scores: scores.iter().map(|score| Score::new(*score)).collect::<Option<_>>()? })
    }

    /// The scores in the order of the task.
    #[must_use]
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// The scores at the given places, in the given order: what is left when traps are taken out.
    ///
    /// # Panics
    /// When a place is not below the number of alerts.
    #[must_use]
    pub fn at(&self, places: &[usize]) -> Self {
        Self { scores: places.iter().map(|&place| self.scores[place]).collect() }
    }

    /// The scores as numbers.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.scores.iter().map(|score| score.get()).collect()
    }
}

/// The scores in the order of the task.
fn in_any_order(alert_ids: &[&str], rows: &[(Cow<'_, str>, f64)]) -> Result<Vec<f64>, Rejection> {
    let places: HashMap<&str, usize> = alert_ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut given: Vec<Option<f64>> = vec![None; alert_ids.len()];
    for (id, score) in rows {
        let Some(&place) = places.get(&**id) else {
            return Err(Rejection::Unknown(id.to_string()));
        };
        if given[place].replace(*score).is_some() {
            return Err(Rejection::Twice(id.to_string()));
        }
    }
    let missing = |id: &&str| Rejection::Missing((*id).to_owned());
    let complete = alert_ids.iter().zip(given).map(|(id, score)| score.ok_or_else(|| missing(id)));
    complete.collect()
}
