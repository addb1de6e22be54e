//! From submissions and what their hotkeys are worth to canonical scores.

use std::collections::BTreeMap;

use crate::store::records::Canonical;
use crate::validation::ensemble_aggregator::aggregate_scores;
use crate::validation::rules::Rules;
use crate::validation::submission::Submission;
use crate::wallet::Hotkey;

/// The canonical scores; `None` when no submission counts, or there is no alert to score: never zeros.
#[must_use]
pub fn merge(
    rules: &Rules,
    submissions: &BTreeMap<Hotkey, Submission>,
    performance: BTreeMap<Hotkey, f64>,
) -> Option<Canonical> {
    let ensemble = aggregate_scores(rules, &performance, submissions)?;
    let canonical = Canonical { rules: rules.version, scores: ensemble.scores, weights: ensemble.weights, performance };
    (!canonical.scores.is_empty()).then_some(canonical)
}
