//! From judged answers and what their hotkeys are worth to canonical scores.

use std::collections::BTreeMap;

use super::judge::{Judged, groups};
use crate::store::records::Canonical;
use crate::validation::ensemble_aggregator::aggregate_groups;
use crate::validation::rules::Rules;
use crate::validation::submission::Submission;
use crate::wallet::Hotkey;

/// The canonical scores of answers that were compared; `None` when no submission counts, or there is no alert to score:
/// never zeros.
#[must_use]
pub fn merge(rules: &Rules, all: &[Judged], performance: BTreeMap<Hotkey, f64>) -> Option<Canonical> {
    let submissions: BTreeMap<Hotkey, &Submission> =
        all.iter().filter_map(|judged| Some((judged.verdict.hotkey, judged.submission.as_ref()?))).collect();
    let ensemble = aggregate_groups(rules, &performance, &submissions, &groups(all))?;
    let canonical = Canonical { rules: rules.version, scores: ensemble.scores, weights: ensemble.weights, performance };
    (!canonical.scores.is_empty()).then_some(canonical)
}
