//! Boosting round by round: early stopping by a metric of our own, progress, and a stop that keeps what is done.

use std::ops::ControlFlow;

use crate::training::lightgbm::{Booster, Dataset, LightGbmError, Parameters, Rows};
pub use crate::training::record::Round;

/// The training rows are measured every so many rounds: for the learning curve only.
const TRAIN_EVERY: usize = 10;

/// Metric of the current predictions; larger is better. Gets predictions, or probabilities of a binary model.
pub type Measure<'a> = &'a dyn Fn(&[f64]) -> f64;

/// Rows and how to measure predictions for them.
pub struct Measured<'a> {
    /// The rows.
    pub rows: Rows<'a>,
    /// The metric.
    pub measure: Measure<'a>,
}

/// One model to be grown.
pub struct Task<'a> {
    /// LightGBM's parameters.
    pub parameters: Parameters,
    /// Names of the columns.
    pub features: &'a [String],
    /// Most rounds.
    pub rounds: usize,
    /// Rounds without a better validation before boosting ends; 0 is never.
    pub patience: usize,
    /// Learnt from.
    pub train: Measured<'a>,
    /// Decides how many rounds are kept; all are where there is none.
    pub validation: Option<Measured<'a>>,
}

/// A grown model.
#[derive(Clone, Debug, PartialEq)]
pub struct Grown {
    /// LightGBM's text of the rounds that are kept.
    pub model_text: String,
    /// Rounds that are kept.
    pub rounds: usize,
    /// Metric of the validation rows at that round.
    pub best: Option<f64>,
    /// The whole way there.
    pub curve: Vec<Round>,
    /// Whether it was told to stop before it was finished.
    pub interrupted: bool,
}

/// Grows a model; `watch` hears of every round and may end it, which keeps the best round so far.
///
/// # Errors
/// When LightGBM refuses.
pub fn grow(task: &Task<'_>, watch: &mut dyn FnMut(&Round) -> ControlFlow<()>) -> Result<Grown, LightGbmError> {
    let train = Dataset::new(&task.train.rows, task.features, &task.parameters, None)?;
    let valid = match &task.validation {
        Some(valid) => Some(Dataset::new(&valid.rows, task.features, &task.parameters, Some(&train))?),
        None => None,
    };
    let mut booster = Booster::new(&task.parameters, &train, valid.as_ref())?;
    let mut curve: Vec<Round> = Vec::new();
    let (mut best_round, mut best, mut interrupted) = (1, None, false);
    for round in 1..=task.rounds {
        let split = booster.update()?;
        if !split && round > 1 {
            break;
        }
        let validation = match &task.validation {
            Some(valid) => Some((valid.measure)(&booster.predictions(1)?)),
            None => None,
        };
        if validation.is_none() || best.is_none_or(|best| validation > Some(best)) {
            (best_round, best) = (round, validation);
        }
        let measured = round == 1 || round.is_multiple_of(TRAIN_EVERY);
        let train = if measured { Some((task.train.measure)(&booster.predictions(0)?)) } else { None };
        let point = Round { round, train, validation, best: best_round };
        curve.push(point);
        interrupted = watch(&point).is_break();
        if interrupted || !split || (task.patience > 0 && round - best_round >= task.patience) {
            break;
        }
    }
    Ok(Grown { model_text: booster.model_text(best_round)?, rounds: best_round, best, curve, interrupted })
}
