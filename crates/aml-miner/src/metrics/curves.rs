//! The curves behind the numbers: ROC, precision-recall and reliability.

use super::{MetricError, Ranked, checked, checked_probabilities, count_positive};

/// One point of a curve, reached by calling every row at or above `threshold` positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// False positive rate (ROC) or recall (precision-recall).
    pub x: f64,
    /// True positive rate (ROC) or precision (precision-recall).
    pub y: f64,
    /// The lowest score called positive; infinite where none is.
    pub threshold: f64,
}

/// What happened to the rows whose probability fell into one bin. Bins without rows are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationBin {
    /// Number of rows.
    pub rows: usize,
    /// Mean probability given.
    pub mean_probability: f64,
    /// Share of rows that were positive.
    pub positive_share: f64,
}

/// The ROC curve, from (0, 0) to (1, 1), one point a distinct score.
///
/// # Errors
/// Without both classes, or without one finite score per label.
pub fn roc_curve(labels: &[bool], scores: &[f64]) -> Result<Vec<CurvePoint>, MetricError> {
    checked(labels.len(), scores)?;
    let positives = count_positive(labels);
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(MetricError::SingleClass);
    }
    let mut curve = vec![CurvePoint { x: 0.0, y: 0.0, threshold: f64::INFINITY }];
    curve.extend(steps(labels, scores).map(|(seen, found, threshold)| CurvePoint {
        x: ratio(seen - found, negatives),
        y: ratio(found, positives),
        threshold,
    }));
    Ok(curve)
}

/// The precision-recall curve by rising recall, one point a distinct score, from recall 0 at precision 1.
///
/// # Errors
/// Without a positive label, or without one finite score per label.
pub fn precision_recall_curve(labels: &[bool], scores: &[f64]) -> Result<Vec<CurvePoint>, MetricError> {
    checked(labels.len(), scores)?;
    let positives = count_positive(labels);
    if positives == 0 {
        return Err(MetricError::NothingRelevant);
    }
    let mut curve = vec![CurvePoint { x: 0.0, y: 1.0, threshold: f64::INFINITY }];
    curve.extend(steps(labels, scores).map(|(seen, found, threshold)| CurvePoint {
        x: ratio(found, positives),
        y: ratio(found, seen),
        threshold,
    }));
    Ok(curve)
}

/// Rows by probability in `bins` bins of equal width; a probability on an edge belongs to the lower bin.
///
/// # Errors
/// When `bins` is zero, or without one probability in [0, 1] a label.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows and bins are far below 2^53")]
pub fn calibration_bins(
    labels: &[bool],
    probabilities: &[f64],
    bins: usize,
) -> Result<Vec<CalibrationBin>, MetricError> {
    checked_probabilities(labels.len(), probabilities)?;
    if bins == 0 {
        return Err(MetricError::ZeroCutoff);
    }
    let width = 1.0 / bins as f64;
    let edges: Vec<f64> = (1..bins).map(|edge| edge as f64 * width).collect();
    let mut sums = vec![(0_usize, 0.0_f64, 0_usize); bins];
    for (&label, &p) in labels.iter().zip(probabilities) {
        let (rows, sum, positives) = &mut sums[edges.partition_point(|&edge| edge < p)];
        *rows += 1;
        *sum += p;
        *positives += usize::from(label);
    }
    let filled = sums.into_iter().filter(|(rows, ..)| *rows > 0);
    Ok(filled
        .map(|(rows, sum, positives)| CalibrationBin {
            rows,
            mean_probability: sum / rows as f64,
            positive_share: ratio(positives, rows),
        })
        .collect())
}

/// After each distinct score, best first: rows seen, positives among them, the score.
fn steps(labels: &[bool], scores: &[f64]) -> impl Iterator<Item = (usize, usize, f64)> {
    let ranked = Ranked::new(scores);
    let mut steps = Vec::new();
    let (mut seen, mut found) = (0, 0);
    for group in ranked.groups() {
        seen += group.len();
        found += group.iter().filter(|&&row| labels[row]).count();
        steps.push((seen, found, scores[group[0]]));
    }
    steps.into_iter()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
