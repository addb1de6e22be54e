//! Submissions that are one: the same scores under several hotkeys share one voice.
//!
//! Honest scorers agree with each other because they see the same alerts, so likeness is measured on what is left after
//! the consensus is removed: two submissions are alike when the ranks of their residuals correlate above the rules'
//! limit, or when they are equal.

use crate::validation::submission::Submission;

/// Groups of alike submissions, each by ascending position; every submission is in exactly one group.
///
/// # Panics
/// When submissions have different lengths.
#[must_use]
pub fn alike(submissions: &[&Submission], limit: f64) -> Vec<Vec<usize>> {
    let residuals = residuals(submissions);
    let mut group_of: Vec<usize> = (0..submissions.len()).collect();
    for later in 0..submissions.len() {
        for earlier in 0..later {
            let same = submissions[earlier] == submissions[later]
                || correlation(&residuals[earlier], &residuals[later]) > limit;
            if same {
                group_of[later] = group_of[earlier];
                break;
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); submissions.len()];
    group_of.into_iter().enumerate().for_each(|(member, group)| groups[group].push(member));
    groups.retain(|group| !group.is_empty());
    groups
}

/// Centred ranks of each submission, less the mean over all.
fn residuals(submissions: &[&Submission]) -> Vec<Vec<f64>> {
    let mut ranks: Vec<Vec<f64>> = submissions.iter().map(|submission| ranks(&submission.values())).collect();
    let Some(length) = ranks.first().map(Vec::len) else { return ranks };
    for place in 0..length {
        let mut column: Vec<f64> = ranks.iter().map(|ranks| ranks[place]).collect();
        column.sort_by(f64::total_cmp);
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        ranks.iter_mut().for_each(|ranks| ranks[place] -= mean);
    }
    ranks
}

/// Ranks from 1, equal values sharing their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let mean = start as f64 + f64::midpoint(1.0, tied.len() as f64);
        tied.iter().for_each(|&place| ranks[place] = mean);
        start += tied.len();
    }
    ranks
}

/// Pearson's correlation; 0 where one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let product: f64 = a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
    let spread = |values: &[f64], mean: f64| values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let scale = (spread(a, mean_a) * spread(b, mean_b)).sqrt();
    if scale > 0.0 { product / scale } else { 0.0 }
}
