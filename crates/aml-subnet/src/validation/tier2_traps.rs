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

/// Looks where a submission put the traps. Empty groups are passed over.
///
/// # Panics
/// When a place is not in the submission.
#[must_use]
pub fn judge(rules: &Rules, groups: &[TrapGroup], submission: &Submission) -> Traps {
    let values = submission.values();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let (top, middle) = (percentile(&sorted, 0.9), percentile(&sorted, 0.5));
    let findings = groups.iter().filter(|group| !group.places.is_empty()).map(|group| {
        let found = |place: &&usize| match group.expected {
            Expected::High => values[**place] > top,
            Expected::Low => values[**place] < middle,
        };
        let share = group.places.iter().filter(found).count() as f64 / group.places.len() as f64;
        TrapFinding { name: group.name.clone(), share, passed: share >= rules.trap_share }
    });
    Traps { findings: findings.collect() }
}

/// The value below which a share of the ascending `sorted` lies, with linear interpolation (numpy's default).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let index = below as usize;
    let next = sorted[(index + 1).min(sorted.len() - 1)];
    sorted[index] + (next - sorted[index]) * (place - below)
}
