//! Tier 2 under rules v2: how much better than chance a submission put a round's traps where they belong.

/// Share of a random order's alerts above the 0.9 quantile.
const TOP: f64 = 0.1;
/// Share of a random order's alerts below the median.
const BELOW: f64 = 0.5;

/// From 0 (chance or worse) to 1: the mean of what is beyond chance among groups expected at the top and of what is among
/// groups expected below the median; of the one kind there is. `None` without groups.
///
/// `high`: for each group expected at the top, the share of its alerts that are strictly above the 0.9 quantile of all
/// scores with traps; `low`: the share strictly below the median.
#[must_use]
pub fn advantage(high: &[f64], low: &[f64]) -> Option<f64> {
    match (beyond(high, TOP), beyond(low, BELOW)) {
        (Some(high), Some(low)) => Some(f64::midpoint(high, low)),
        (one, None) | (None, one) => one,
    }
}

fn beyond(shares: &[f64], chance: f64) -> Option<f64> {
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    (!shares.is_empty()).then(|| ((mean - chance) / (1.0 - chance)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::advantage;

    #[test]
    fn chance_is_nothing_and_perfection_is_one() {
        let near = |given: Option<f64>, wanted: f64| given.is_some_and(|given| (given - wanted).abs() < 1e-12);
        assert!(near(advantage(&[0.1, 0.1], &[0.5]), 0.0));
        assert!(near(advantage(&[0.0], &[0.2]), 0.0), "worse than chance is no less");
        assert!(near(advantage(&[1.0], &[1.0, 1.0]), 1.0));
        assert!(near(advantage(&[0.55], &[]), 0.5));
        assert!(near(advantage(&[], &[0.75]), 0.5));
        assert!(near(advantage(&[0.2, 0.9], &[0.5]), 0.25), "mean of groups, then of kinds");
        assert_eq!(advantage(&[], &[]), None);
    }
}
