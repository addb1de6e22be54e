//! How good scores are: pure functions over labels and scores, equal to scikit-learn's to 1e-12.
//!
//! No dependency and no feature: the trainer and the validator's settlement count with the same code. Ties are exact
//! (never broken by the order of the rows), and what is undefined for the given rows is a [`MetricError`], not a
//! number.

mod curves;
mod probability;
mod ranking;

pub use curves::{CalibrationBin, CurvePoint, calibration_bins, precision_recall_curve, roc_curve};
pub use probability::{brier, expected_calibration_error, log_loss};
pub use ranking::{average_precision, f1_at_threshold, ndcg_at, precision_at, recall_at, roc_auc};

/// Why a metric has no value for the given rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// No rows at all.
    #[error("there are no rows")]
    Empty,
    /// Labels and scores of different lengths.
    #[error("there are {labels} labels but {scores} scores")]
    Length {
        /// Number of labels.
        labels: usize,
        /// Number of scores.
        scores: usize,
    },
    /// A score (or a gain) that is NaN or infinite.
    #[error("the value of row {row} is not finite")]
    NotFinite {
        /// The first such row.
        row: usize,
    },
    /// A score that should be a probability is outside of [0, 1], or a gain is negative.
    #[error("the value of row {row} is out of range")]
    OutOfRange {
        /// The first such row.
        row: usize,
    },
    /// All labels are equal where both classes are needed.
    #[error("all labels are equal: the metric needs both classes")]
    SingleClass,
    /// No positive label, or no gain above zero.
    #[error("no row is relevant")]
    NothingRelevant,
    /// `k` (or the number of bins) is zero.
    #[error("a cut-off of zero selects nothing")]
    ZeroCutoff,
}

/// Checks that there is one finite score per label.
fn checked(labels: usize, scores: &[f64]) -> Result<(), MetricError> {
    if labels != scores.len() {
        return Err(MetricError::Length { labels, scores: scores.len() });
    }
    if scores.is_empty() {
        return Err(MetricError::Empty);
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(MetricError::NotFinite { row }),
        None => Ok(()),
    }
}

/// Like [`checked`], for scores that are probabilities.
fn checked_probabilities(labels: usize, scores: &[f64]) -> Result<(), MetricError> {
    checked(labels, scores)?;
    match scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        Some(row) => Err(MetricError::OutOfRange { row }),
        None => Ok(()),
    }
}

/// Rows by descending score, cut into groups of equal scores.
struct Ranked {
    order: Vec<usize>,
    ends: Vec<usize>,
}

impl Ranked {
    /// Ranks finite scores. Minus zero equals zero.
    fn new(scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let changes = order.windows(2).enumerate().filter(|(_, pair)| scores[pair[0]] > scores[pair[1]]);
        let mut ends: Vec<usize> = changes.map(|(position, _)| position + 1).collect();
        ends.push(order.len());
        Self { order, ends }
    }

    /// The groups, best first.
    fn groups(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.order[start..end])
    }
}

fn count_positive(labels: &[bool]) -> usize {
    labels.iter().filter(|&&label| label).count()
}
