//! A complete set of scores for a task.

use std::collections::HashMap;

use aml_miner::wire::ScoreRow;

use crate::validation::ensemble_aggregator::CanonicalScore;
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

/// One score an alert of the task, in the order of the task. Only [`Submission::accept`] makes one of
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
        // Most miners keep the order of the task: nothing needs to be looked up then.
        let in_order = rows.len() == alert_ids.len() && rows.iter().zip(alert_ids).all(|(row, id)| row.alert_id == *id);
        let values = if in_order { rows.iter().map(|row| row.score).collect() } else { in_any_order(alert_ids, rows)? };
        let probable = alert_ids.iter().zip(values).map(|(id, value)| {
            Score::new(value).ok_or_else(|| Rejection::NotAProbability { alert: id.clone(), value })
        });
        Ok(Self { scores: probable.collect::<Result<_, _>>()? })
    }

    /// Merged scores, as if somebody had submitted them: so that they can be measured against the outcomes.
    #[must_use]
    pub fn of_canonical(scores: &[CanonicalScore]) -> Self {
        Self { scores: scores.iter().map(|merged| merged.score).collect() }
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
fn in_any_order(alert_ids: &[String], rows: &[ScoreRow]) -> Result<Vec<f64>, Rejection> {
    let places: HashMap<&str, usize> = alert_ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut given: Vec<Option<f64>> = vec![None; alert_ids.len()];
    for row in rows {
        let Some(&place) = places.get(row.alert_id.as_str()) else {
            return Err(Rejection::Unknown(row.alert_id.clone()));
        };
        if given[place].replace(row.score).is_some() {
            return Err(Rejection::Twice(row.alert_id.clone()));
        }
    }
    let complete = alert_ids.iter().zip(given).map(|(id, score)| score.ok_or_else(|| Rejection::Missing(id.clone())));
    complete.collect()
}
