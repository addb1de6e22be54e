//! Tier 2: alerts whose outcome the validator knows and the miner cannot look up. Known at once.

use serde::{Deserialize, Serialize};

use crate::validation::rules::Rules;
use crate::validation::submission::Submission;

/// Where a group of traps should be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Above the submission's 90th percentile.
    High,
    /// Below its median.
    Low,
}

/// Traps that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapGroup {
    /// What they are, such as `structuring`.
    pub name: String,
    /// Where they should be found.
    pub expected: Expected,
    /// Their places in the task.
    pub places: Vec<usize>,
}

/// How a group fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrapFinding {
    /// The group.
    pub name: String,
    /// Share of its alerts that were where they should be.
    pub share: f64,
    /// Whether that is enough.
    pub passed: bool,
}

/// The outcome of tier 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traps {
    /// One finding a group.
    pub findings: Vec<TrapFinding>,
}

impl Traps {
    /// Share of the groups that were passed; `None` without groups.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let passed = self.findings.iter().filter(|finding| finding.passed).count();
        (!self.findings.is_empty()).then(|| passed as f64 / self.findings.len() as f64)
    }
}

/// Where high ends and low begins in a list of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    top: f64,
    middle: f64,
}

impl Limits {
    /// The 90th percentile and the median.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut turned = values.to_vec();
        Self { top: percentile(&mut turned, 0.9), middle: percentile(&mut turned, 0.5) }
    }

    /// Whether a score is where it is expected.
    #[must_use]
    pub fn meets(&self, expected: Expected, value: f64) -> bool {
        match expected {
            Expected::High => value > self.top,
            Expected::Low => value < self.middle,
        }
    }
}

/// Looks where a submission put the traps. Empty groups are passed over.
///
/// # Panics
/// When a place is not in the submission.
#[must_use]
pub fn judge(rules: &Rules, groups: &[TrapGroup], submission: &Submission) -> Traps {
    let values = submission.values();
    let limits = Limits::of(&values);
    let findings = groups.iter().filter(|group| !group.places.is_empty()).map(|group| {
        let found = |place: &&usize| limits.meets(group.expected, values[**place]);
        let share = group.places.iter().filter(found).count() as f64 / group.places.len() as f64;
        TrapFinding { name: group.name.clone(), share, passed: share >= rules.trap_share }
    });
    Traps { findings: findings.collect() }
}

/// The value below which a share of `values` lies, with linear interpolation (numpy's default). Reorders them.
fn percentile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let place = share * (values.len() - 1) as f64;
    let below = place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let (_, at, above) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let at = *at;
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(at);
    at + (next - at) * (place - below)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::percentile;

    /// As numpy describes it: over all values in order.
    fn sorted_percentile(values: &[f64], share: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let place = share * (sorted.len() - 1) as f64;
        let below = place.floor();
        let index = sorted.iter().zip(1_u32..).take_while(|(_, at)| f64::from(*at) <= below).count();
        let next = sorted[(index + 1).min(sorted.len() - 1)];
        sorted[index] + (next - sorted[index]) * (place - below)
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let few = (0..=4_u32).prop_map(|step| f64::from(step) / 4.0);
        prop_oneof![vec(0.0..=1.0_f64, 1..80), vec(few, 1..80)]
    }

    proptest! {
        #[test]
        fn a_percentile_needs_no_sorted_list(values in values(), share in 0.0..=1.0_f64) {
            let mut turned = values.clone();
            for share in [0.9, 0.5, share, 0.0, 1.0] {
                prop_assert_eq!(percentile(&mut turned, share).to_bits(), sorted_percentile(&values, share).to_bits());
            }
        }
    }
}
