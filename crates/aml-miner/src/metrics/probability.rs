//! Metrics of probabilities: how far they can be believed.

use super::{MetricError, calibration_bins, checked_probabilities};

/// Mean squared difference between probability and outcome.
///
/// # Errors
/// Without one probability in [0, 1] a label.
pub fn brier(labels: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    checked_probabilities(labels.len(), probabilities)?;
    let square = |(&label, &p): (&bool, &f64)| (p - f64::from(u8::from(label))).powi(2);
    Ok(mean(labels.iter().zip(probabilities).map(square)))
}

/// Mean negative log-likelihood; probabilities are kept at least 2^-52 away from 0 and 1, as scikit-learn does.
///
/// # Errors
/// Without one probability in [0, 1] a label.
pub fn log_loss(labels: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    checked_probabilities(labels.len(), probabilities)?;
    let loss = |(&label, &p): (&bool, &f64)| {
        let of_outcome = if label { p } else { 1.0 - p };
        -of_outcome.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    };
    Ok(mean(labels.iter().zip(probabilities).map(loss)))
}

/// Expected calibration error over `bins` bins of equal width: the mean distance between what a bin promises and
/// what happened in it, weighted by its rows.
///
/// # Errors
/// When `bins` is zero, or without one probability in [0, 1] a label.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
pub fn expected_calibration_error(labels: &[bool], probabilities: &[f64], bins: usize) -> Result<f64, MetricError> {
    let distance = |rows: usize, gap: f64| rows as f64 * gap.abs();
    let bins = calibration_bins(labels, probabilities, bins)?;
    let sum: f64 = bins.iter().map(|bin| distance(bin.rows, bin.mean_probability - bin.positive_share)).sum();
    Ok(sum / labels.len() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}
