//! Metrics of an order: how far the relevant rows are at the top.

use super::{MetricError, Ranked, checked, count_positive};

/// Area under the ROC curve: the share of (positive, negative) pairs in the right order, a tie counting half.
///
/// # Errors
/// Without both classes, or without one finite score per label.
#[expect(clippy::cast_precision_loss, reason = "pairs are counted exactly and rounded once")]
pub fn roc_auc(labels: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    checked(labels.len(), scores)?;
    let positives = count_positive(labels) as u128;
    let negatives = labels.len() as u128 - positives;
    if positives == 0 || negatives == 0 {
        return Err(MetricError::SingleClass);
    }
    let ranked = Ranked::new(scores);
    let (mut above, mut twice_won) = (0_u128, 0_u128);
    for group in ranked.groups() {
        let here = group.iter().filter(|&&row| labels[row]).count() as u128;
        let others = group.len() as u128 - here;
        twice_won += others * (2 * above + here);
        above += here;
    }
    Ok(twice_won as f64 / (2 * positives * negatives) as f64)
}

/// Average precision: precision at each distinct score, weighted by the recall gained there (no interpolation).
///
/// # Errors
/// Without a positive label, or without one finite score per label.
pub fn average_precision(labels: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    checked(labels.len(), scores)?;
    let positives = count_positive(labels);
    if positives == 0 {
        return Err(MetricError::NothingRelevant);
    }
    let ranked = Ranked::new(scores);
    let (mut seen, mut found, mut sum) = (0_usize, 0_usize, 0.0);
    for group in ranked.groups() {
        let here = group.iter().filter(|&&row| labels[row]).count();
        seen += group.len();
        found += here;
        sum += real(here) / real(positives) * (real(found) / real(seen));
    }
    Ok(sum)
}

/// Normalised discounted cumulative gain of the best `k` rows, tied rows sharing their gain equally.
///
/// The gains are taken as they are; give `2^relevance - 1` for the exponential form that `LightGBM` reports.
///
/// # Errors
/// When no gain is above zero, a gain is negative or not finite, `k` is zero, or without one finite score a gain.
pub fn ndcg_at(gains: &[f64], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    checked(gains.len(), scores)?;
    if let Some(row) = gains.iter().position(|gain| !gain.is_finite()) {
        return Err(MetricError::NotFinite { row });
    }
    if let Some(row) = gains.iter().position(|&gain| gain < 0.0) {
        return Err(MetricError::OutOfRange { row });
    }
    if k == 0 {
        return Err(MetricError::ZeroCutoff);
    }
    let mut sorted = gains.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let ideal: f64 = sorted.iter().take(k).enumerate().map(|(position, gain)| gain * discount(position)).sum();
    if ideal <= 0.0 {
        return Err(MetricError::NothingRelevant);
    }
    Ok(tie_averaged(gains, scores, k, discount) / ideal)
}

/// Share of the best `k` rows that are positive (of all rows where there are fewer than `k`); rows tied across the
/// cut-off count in proportion.
///
/// # Errors
/// When `k` is zero, or without one finite score per label.
pub fn precision_at(labels: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    Ok(found_at(labels, scores, k)? / real(k.min(labels.len())))
}

/// Share of the positive rows that are among the best `k`; rows tied across the cut-off count in proportion.
///
/// # Errors
/// Without a positive label, when `k` is zero, or without one finite score per label.
pub fn recall_at(labels: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    let found = found_at(labels, scores, k)?;
    match count_positive(labels) {
        0 => Err(MetricError::NothingRelevant),
        positives => Ok(found / real(positives)),
    }
}

/// F1 of calling every row at or above `threshold` positive.
///
/// # Errors
/// When no row is positive and none is called so, or without one finite score per label.
pub fn f1_at_threshold(labels: &[bool], scores: &[f64], threshold: f64) -> Result<f64, MetricError> {
    checked(labels.len(), scores)?;
    let called = scores.iter().filter(|&&score| score >= threshold).count();
    let hits = labels.iter().zip(scores).filter(|&(&label, &score)| label && score >= threshold).count();
    match called + count_positive(labels) {
        0 => Err(MetricError::NothingRelevant),
        total => Ok(2.0 * real(hits) / real(total)),
    }
}

fn found_at(labels: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    checked(labels.len(), scores)?;
    if k == 0 {
        return Err(MetricError::ZeroCutoff);
    }
    let gains: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
    Ok(tie_averaged(&gains, scores, k, |_| 1.0))
}

/// Sum over the best `k` positions of the mean gain of the position's tie group, weighted by position.
fn tie_averaged(gains: &[f64], scores: &[f64], k: usize, weight: impl Fn(usize) -> f64) -> f64 {
    let ranked = Ranked::new(scores);
    let (mut position, mut sum) = (0, 0.0);
    for group in ranked.groups() {
        if position >= k {
            break;
        }
        let end = position + group.len();
        let mean = group.iter().map(|&row| gains[row]).sum::<f64>() / real(group.len());
        sum += mean * (position..end.min(k)).map(&weight).sum::<f64>();
        position = end;
    }
    sum
}

fn discount(position: usize) -> f64 {
    1.0 / real(position + 2).log2()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}
