//! Tier 3: scores measured against the outcomes once they are known.
//!
//! Works on stored submissions alone; it never asks a miner.

use aml_miner::metrics::{MetricError, brier, expected_calibration_error, log_loss, ndcg_at, roc_auc};
use serde::{Deserialize, Serialize};

use crate::validation::rules::Rules;
use crate::validation::submission::Submission;

/// What became known of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Place of the alert in the task.
    pub place: usize,
    /// Whether it was confirmed illicit.
    pub illicit: bool,
    /// 2 confirmed illicit, 1 suspicious, 0 clean.
    pub relevance: u8,
}

/// How a submission fared against the outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// Area under the ROC curve.
    pub auc: f64,
    /// Brier score.
    pub brier: f64,
    /// Logarithmic loss.
    pub log_loss: f64,
    /// Expected calibration error over ten bins.
    pub ece: f64,
    /// Normalised discounted cumulative gain at the rules' cut-off.
    pub ndcg: f64,
    /// The rules' mixture of AUC, Brier score and NDCG.
    pub score: f64,
}

/// A round that cannot be settled (yet).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettleError {
    /// Too few outcomes of a class are known: wait.
    #[error("{illicit} illicit and {clean} clean outcomes are known, {needed} of each are needed")]
    TooFew {
        /// Confirmed illicit.
        illicit: usize,
        /// Clean or merely suspicious.
        clean: usize,
        /// What the rules ask for.
        needed: usize,
    },
    /// A metric has no value.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

/// Whether enough is known to settle a round.
///
/// # Errors
/// How many outcomes there are and how many are needed.
pub fn ready(rules: &Rules, outcomes: &[Label]) -> Result<(), SettleError> {
    let illicit = outcomes.iter().filter(|outcome| outcome.illicit).count();
    let (clean, needed) = (outcomes.len() - illicit, rules.least_of_class);
    if illicit < needed || clean < needed { Err(SettleError::TooFew { illicit, clean, needed }) } else { Ok(()) }
}

/// Measures a submission against the outcomes that are known.
///
/// # Errors
/// When too little is known.
///
/// # Panics
/// When an outcome's place is not in the submission.
pub fn settle(rules: &Rules, outcomes: &[Label], submission: &Submission) -> Result<Settlement, SettleError> {
    ready(rules, outcomes)?;
    let labels: Vec<bool> = outcomes.iter().map(|outcome| outcome.illicit).collect();
    let gains: Vec<f64> = outcomes.iter().map(|outcome| f64::from(outcome.relevance)).collect();
    let scores: Vec<f64> = outcomes.iter().map(|outcome| submission.scores()[outcome.place].get()).collect();
    let (auc, brier) = (roc_auc(&labels, &scores)?, brier(&labels, &scores)?);
    let ndcg = ndcg_at(&gains, &scores, rules.ndcg_cutoff)?;
    let (for_auc, for_brier, for_ndcg) = rules.settlement;
    Ok(Settlement {
        auc,
        brier,
        log_loss: log_loss(&labels, &scores)?,
        ece: expected_calibration_error(&labels, &scores, 10)?,
        ndcg,
        score: for_auc * auc + for_brier * (1.0 - brier) + for_ndcg * ndcg,
    })
}
