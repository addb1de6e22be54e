//! What is computed of a submission and stored, but not scored in rules v1.

use aml_miner::wire::spec::{SEVERITIES, severity_rank};

use crate::validation::similarity::rank_correlation;

/// Bins of the entropy.
const BINS: usize = 20;

/// Share of neighbouring severities whose median scores rise; `None` with fewer than two severities.
#[must_use]
pub fn monotonicity<'a>(severities: impl Iterator<Item = &'a str>, scores: &[f64]) -> Option<f64> {
    let mut by_severity: [Vec<f64>; SEVERITIES.len()] = Default::default();
    for (severity, score) in severities.zip(scores) {
        if let Some(place) = severity_rank(severity) {
            by_severity[place].push(*score);
        }
    }
    let medians: Vec<f64> = by_severity.into_iter().filter_map(median).collect();
    let rising = medians.windows(2).filter(|pair| pair[0] < pair[1]).count();
    (medians.len() > 1).then(|| rising as f64 / (medians.len() - 1) as f64)
}

/// Entropy of scores in [0, 1] over twenty bins, from 0 (all in one) to 1 (all bins alike); `None` without scores.
#[must_use]
pub fn entropy(scores: &[f64]) -> Option<f64> {
    let mut bins = [0_usize; BINS];
    for score in scores {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        let bin = (score * BINS as f64) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    let count = scores.len() as f64;
    let shares = bins.iter().filter(|bin| **bin > 0).map(|bin| *bin as f64 / count);
    let entropy: f64 = shares.map(|share| -share * share.ln()).sum();
    (!scores.is_empty()).then(|| (entropy / (BINS as f64).ln()).clamp(0.0, 1.0))
}

/// Rank correlation of two days' scores of the same alerts; `None` with fewer than two alerts, or where one side does
/// not vary.
#[must_use]
pub fn agreement(today: &[f64], yesterday: &[f64]) -> Option<f64> {
    (today.len() > 1).then(|| rank_correlation(today, yesterday)).flatten()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even).unwrap_or(upper);
    Some(f64::midpoint(upper, lower))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::median;

    fn sorted_median(mut values: Vec<f64>) -> Option<f64> {
        values.sort_by(f64::total_cmp);
        let (last, middle) = (values.len().checked_sub(1)?, values.len() / 2);
        Some(f64::midpoint(values[middle], values[last - middle.min(last)]))
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let few = (0..=4_u32).prop_map(|step| f64::from(step) / 4.0);
        prop_oneof![vec(0.0..=1.0_f64, 0..40), vec(few, 0..40)]
    }

    proptest! {
        #[test]
        fn a_median_needs_no_sorted_list(values in values()) {
            prop_assert_eq!(median(values.clone()).map(f64::to_bits), sorted_median(values).map(f64::to_bits));
        }
    }
}
