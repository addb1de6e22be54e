//! Scored rows of a period, and every metric of them.
//!
//! What a duty officer sees is one day's queue: NDCG, precision and recall at K are taken per day and averaged over
//! the days where they are defined. The other metrics are over all rows.

use std::collections::BTreeMap;

use crate::metrics::{
    MetricError, average_precision, brier, expected_calibration_error, log_loss, ndcg_at, precision_at, recall_at,
    roc_auc,
};
use crate::training::samples::Samples;

/// Depths of the queue that are looked at.
pub const CUTOFFS: [usize; 4] = [10, 50, 100, 500];

/// Rows of consecutive days with a score each.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Confirmed illicit.
    pub labels: Vec<bool>,
    /// `2^relevance - 1`.
    pub gains: Vec<f64>,
    /// The scores under judgement.
    pub scores: Vec<f64>,
    /// One past each day's last row.
    pub day_ends: Vec<usize>,
    /// Whether the scores are probabilities.
    pub probabilities: bool,
}

/// A metric of the best `k` rows.
type AtCutoff = fn(&[bool], &[f64], usize) -> Result<f64, MetricError>;

/// Metrics by name; what is undefined for the rows says why.
pub type Metrics = BTreeMap<String, Result<f64, MetricError>>;

impl Scored {
    /// `samples` with one score per row.
    #[must_use]
    pub fn new(samples: &Samples, scores: Vec<f64>, probabilities: bool) -> Self {
        let ends = samples.days.iter().scan(0, |end, day| {
            *end += day.rows.len();
            Some(*end)
        });
        Self {
            labels: samples.labels(),
            gains: samples.rows().map(|row| gain(row.relevance)).collect(),
            scores,
            day_ends: ends.collect(),
            probabilities,
        }
    }

    /// The same rows under other scores.
    #[must_use]
    pub fn rescored(&self, scores: Vec<f64>, probabilities: bool) -> Self {
        Self { scores, probabilities, ..self.clone() }
    }

    /// The rows for which `keep` holds, as one period.
    #[must_use]
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.labels.len()).filter(|&row| keep(row)).collect();
        Self {
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            gains: rows.iter().map(|&row| self.gains[row]).collect(),
            scores: rows.iter().map(|&row| self.scores[row]).collect(),
            day_ends: vec![rows.len()],
            probabilities: self.probabilities,
        }
    }

    /// Each day's rows.
    pub fn days(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts = std::iter::once(0).chain(self.day_ends.iter().copied());
        starts.zip(&self.day_ends).map(|(start, &end)| start..end)
    }

    /// Every metric; those of probabilities only where the scores are some.
    #[must_use]
    pub fn metrics(&self, bins: usize) -> Metrics {
        let mut metrics = Metrics::new();
        metrics.insert("roc_auc".into(), roc_auc(&self.labels, &self.scores));
        metrics.insert("average_precision".into(), average_precision(&self.labels, &self.scores));
        if self.probabilities {
            metrics.insert("brier".into(), brier(&self.labels, &self.scores));
            metrics.insert("log_loss".into(), log_loss(&self.labels, &self.scores));
            metrics.insert("ece".into(), expected_calibration_error(&self.labels, &self.scores, bins));
        }
        for k in CUTOFFS {
            let by_label =
                |metric: AtCutoff| self.mean_of_days(|day| metric(&self.labels[day.clone()], &self.scores[day], k));
            metrics.insert(format!("precision_at_{k}"), by_label(precision_at));
            metrics.insert(format!("recall_at_{k}"), by_label(recall_at));
            metrics.insert(format!("ndcg_at_{k}"), self.ndcg(k));
        }
        metrics
    }

    /// NDCG of the best `k` of each day, averaged over the days with a relevant row.
    ///
    /// # Errors
    /// When no day has a relevant row, or the scores are not finite.
    pub fn ndcg(&self, k: usize) -> Result<f64, MetricError> {
        self.mean_of_days(|day| ndcg_at(&self.gains[day.clone()], &self.scores[day], k))
    }

    /// Mean over the days where the metric is defined.
    fn mean_of_days(
        &self,
        metric: impl Fn(std::ops::Range<usize>) -> Result<f64, MetricError>,
    ) -> Result<f64, MetricError> {
        let (mut sum, mut count, mut undefined) = (0.0, 0.0, MetricError::Empty);
        for day in self.days() {
            match metric(day) {
                Ok(value) => {
                    sum += value;
                    count += 1.0;
                }
                Err(error) => undefined = error,
            }
        }
        if count > 0.0 { Ok(sum / count) } else { Err(undefined) }
    }
}

/// The gain of a relevance, as LightGBM's `label_gain` has it.
#[must_use]
pub fn gain(relevance: u8) -> f64 {
    f64::from(relevance).exp2() - 1.0
}
