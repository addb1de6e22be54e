//! Strategy 2: the weighted ensemble that turns submissions into one canonical score an alert.
//!
//! `w_i = p_i^alpha / sum p_j^alpha` over the hotkeys whose submission was accepted; alike submissions share one
//! weight. There is no floor on weights, and nothing is intersected: an alert's score is the mean over those who scored
//! it. No accepted submission means no canonical scores, never zeros.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::validation::rules::Rules;
use crate::validation::score::Score;
use crate::validation::similarity::alike;
use crate::validation::submission::Submission;
use crate::wallet::Hotkey;

/// The merged opinion on one alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanonicalScore {
    /// Weighted mean of the miners' scores.
    pub score: Score,
    /// Weighted standard deviation of the miners' scores.
    pub deviation: f64,
    /// How many hotkeys contributed.
    pub miners: usize,
}

/// The merged opinion on a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// One canonical score an alert, in the order of the submissions.
    pub scores: Vec<CanonicalScore>,
    /// Each contributor's weight; they add up to 1.
    pub weights: BTreeMap<Hotkey, f64>,
}

/// The weight of each submission; empty when nobody's performance is above zero and nobody is known at all.
///
/// A hotkey without performance yet takes the smallest known one, so that a newcomer can be heard; when nobody has any,
/// all are heard alike.
#[must_use]
pub fn compute_weights(
    rules: &Rules,
    performance: &BTreeMap<Hotkey, f64>,
    submissions: &BTreeMap<Hotkey, Submission>,
) -> BTreeMap<Hotkey, f64> {
    let known = |hotkey: &Hotkey| performance.get(hotkey).copied().filter(|worth| worth.is_finite() && *worth > 0.0);
    let least = submissions.keys().filter_map(known).min_by(f64::total_cmp).unwrap_or(1.0);
    let hotkeys: Vec<&Hotkey> = submissions.keys().collect();
    let all: Vec<&Submission> = submissions.values().collect();
    let mut voices = BTreeMap::new();
    for group in alike(&all, rules.alike) {
        let worth = |&member: &usize| known(hotkeys[member]).unwrap_or(least);
        // A group speaks with the voice of its best member, shared among all.
        let best = group.iter().map(worth).fold(0.0, f64::max);
        let share = best.powf(rules.alpha) / group.len() as f64;
        group.iter().for_each(|&member| {
            voices.insert(*hotkeys[member], share);
        });
    }
    let total: f64 = voices.values().sum();
    voices.into_iter().map(|(hotkey, voice)| (hotkey, voice / total)).collect()
}

/// Merges submissions of the same alerts; `None` when there are none.
///
/// # Panics
/// When submissions have different lengths: they are all for the same task.
#[must_use]
pub fn aggregate_scores(
    rules: &Rules,
    performance: &BTreeMap<Hotkey, f64>,
    submissions: &BTreeMap<Hotkey, Submission>,
) -> Option<Ensemble> {
    let length = submissions.values().next()?.scores().len();
    let weights = compute_weights(rules, performance, submissions);
    let given: Vec<(f64, &[Score])> =
        submissions.iter().map(|(hotkey, given)| (weights[hotkey], given.scores())).collect();
    let merge = |place: usize| {
        let mean: f64 = given.iter().map(|(weight, scores)| weight * scores[place].get()).sum();
        let variance: f64 = given.iter().map(|(weight, scores)| weight * (scores[place].get() - mean).powi(2)).sum();
        // Rounding may carry a mean of ones an ulp above one.
        let score = Score::new(mean.clamp(0.0, 1.0))?;
        Some(CanonicalScore { score, deviation: variance.sqrt(), miners: given.len() })
    };
    let scores = (0..length).map(merge).collect::<Option<Vec<_>>>()?;
    Some(Ensemble { scores, weights })
}
