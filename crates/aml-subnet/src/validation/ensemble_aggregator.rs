//! Strategy 2: the weighted ensemble that turns submissions into one canonical score per alert.
//!
//! `w_i = p_i^alpha / sum p_j^alpha` over the hotkeys whose submission was accepted; alike submissions share one
//! weight. There is no floor on weights, and nothing is intersected: an alert's score is the mean over those who scored
//! it. No accepted submission means no canonical scores, never zeros.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::validation::rules::Rules;
use crate::validation::score::{CanonicalScore, Score};
use crate::validation::similarity::alike;
use crate::validation::submission::Submission;
use crate::wallet::Hotkey;

/// Alerts that are merged at once: their sums fit into the fastest cache.
const BLOCK: usize = 1024;

/// The merged opinion on a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// One canonical score per alert, in the order of the submissions.
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
    weigh(rules, performance, &groups_of(rules, submissions))
}

/// Hotkeys whose submissions are one, together.
fn groups_of(rules: &Rules, submissions: &BTreeMap<Hotkey, Submission>) -> Vec<Vec<Hotkey>> {
    let hotkeys: Vec<&Hotkey> = submissions.keys().collect();
    let all: Vec<&Submission> = submissions.values().collect();
    let name = |group: Vec<usize>| group.into_iter().map(|member| *hotkeys[member]).collect();
    alike(&all, rules.alike).into_iter().map(name).collect()
}

fn weigh(rules: &Rules, performance: &BTreeMap<Hotkey, f64>, groups: &[Vec<Hotkey>]) -> BTreeMap<Hotkey, f64> {
    let known = |hotkey: &Hotkey| performance.get(hotkey).copied().filter(|worth| worth.is_finite() && *worth > 0.0);
    let least = groups.iter().flatten().filter_map(known).min_by(f64::total_cmp).unwrap_or(1.0);
    let mut voices = BTreeMap::new();
    for group in groups {
        let worth = |member: &Hotkey| known(member).unwrap_or(least);
        // A group speaks with the voice of its best member, shared among all.
        let best = group.iter().map(worth).fold(0.0, f64::max);
        let share = best.powf(rules.alpha) / group.len() as f64;
        group.iter().for_each(|&member| {
            voices.insert(member, share);
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
    aggregate_groups(rules, performance, submissions, &groups_of(rules, submissions))
}

/// As [`aggregate_scores`], when it is known already whose submissions are one: every hotkey is in exactly one of
/// `groups`.
///
/// # Panics
/// When submissions have different lengths, or one is in no group.
#[must_use]
pub fn aggregate_groups<S: Borrow<Submission>>(
    rules: &Rules,
    performance: &BTreeMap<Hotkey, f64>,
    submissions: &BTreeMap<Hotkey, S>,
    groups: &[Vec<Hotkey>],
) -> Option<Ensemble> {
    let length = submissions.values().next()?.borrow().scores().len();
    let weights = weigh(rules, performance, groups);
    let given: Vec<(f64, &[Score])> =
        submissions.iter().map(|(hotkey, given)| (weights[hotkey], given.borrow().scores())).collect();
    assert!(given.iter().all(|(_, scores)| scores.len() == length), "submissions are for the same alerts");
    let mut scores = Vec::with_capacity(length);
    for start in (0..length).step_by(BLOCK) {
        merge_block(&given, start..length.min(start + BLOCK), &mut scores)?;
    }
    Some(Ensemble { scores, weights })
}

/// Merges the scores at `places`: submission by submission, so that memory is read in order. Each sum runs over the
/// submissions in the same order as if it were alone.
fn merge_block(given: &[(f64, &[Score])], places: Range<usize>, merged: &mut Vec<CanonicalScore>) -> Option<()> {
    let (mut means, mut variances) = ([-0.0; BLOCK], [-0.0; BLOCK]);
    for (weight, scores) in given {
        for (mean, score) in means.iter_mut().zip(&scores[places.clone()]) {
            *mean += weight * score.get();
        }
    }
    for (weight, scores) in given {
        for ((variance, mean), score) in variances.iter_mut().zip(&means).zip(&scores[places.clone()]) {
            let apart: f64 = score.get() - mean;
            *variance += weight * (apart * apart);
        }
    }
    for (mean, variance) in means.iter().zip(&variances).take(places.len()) {
        // Rounding may carry a mean of ones an ulp above one.
        let score = Score::new(mean.clamp(0.0, 1.0))?;
        merged.push(CanonicalScore { score, deviation: variance.sqrt(), miners: given.len() });
    }
    Some(())
}
