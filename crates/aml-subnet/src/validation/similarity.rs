//! Submissions that are one: the same opinion under several hotkeys shares one voice and one reward.
//!
//! Honest scorers agree with each other because they see the same alerts, so likeness is measured on what is left after
//! the consensus is removed: the correlation of the residuals of ranks. Submissions that put all alerts into the same
//! order are one whatever is left; they count once in the consensus, so that nobody moves it by repeating himself.
//!
//! All pairs are compared, block by block, on as many threads as there are; the result does not depend on their number.

mod blocks;

use std::collections::BTreeMap;

use crate::validation::submission::Submission;
use blocks::{on_threads, product, products};

/// Of fewer alerts an order says too little: only equal scores are alike.
pub const LEAST_ALERTS: usize = 30;

/// How alike submissions of the same alerts are, pair by pair: from -1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// One row a submission, with the likeness to each before it.
    rows: Vec<Vec<f64>>,
}

impl Likeness {
    /// Compares every pair.
    ///
    /// # Panics
    /// When submissions have different lengths.
    #[must_use]
    pub fn of(submissions: &[&Submission]) -> Self {
        let alerts = submissions.first().map_or(0, |first| first.scores().len());
        assert!(submissions.iter().all(|other| other.scores().len() == alerts), "submissions are for the same alerts");
        let orders: Vec<Vec<u64>> = if alerts < LEAST_ALERTS {
            submissions.iter().map(|submission| bits(submission).collect()).collect()
        } else {
            on_threads(submissions.len(), |place| ranks(submissions[place]))
        };
        let (kind_of, kinds) = distinct(&orders);
        let between = if alerts < LEAST_ALERTS {
            (0..kinds.len()).map(|kind| vec![0.0; kind]).collect()
        } else {
            products(&residuals(&kinds, alerts), alerts)
        };
        let likeness = |later: usize, earlier: usize| match (kind_of[later], kind_of[earlier]) {
            (a, b) if a == b => 1.0,
            (a, b) => between[a.max(b)][a.min(b)],
        };
        let row = |later| (0..later).map(|earlier| likeness(later, earlier)).collect();
        Self { rows: (0..submissions.len()).map(row).collect() }
    }

    /// The likeness of a submission to the one that is most like it; `None` when it is the only one.
    #[must_use]
    pub fn nearest(&self, place: usize) -> Option<f64> {
        let later = self.rows[place + 1..].iter().map(|row| row[place]);
        self.rows[place].iter().copied().chain(later).max_by(f64::total_cmp)
    }

    /// Groups of submissions that are linked by likenesses above `limit`, each by ascending position; every submission
    /// is in exactly one group. In whatever order the submissions come, the same are together.
    #[must_use]
    pub fn groups(&self, limit: f64) -> Vec<Vec<usize>> {
        let mut group_of: Vec<usize> = (0..self.rows.len()).collect();
        for (later, row) in self.rows.iter().enumerate() {
            for (earlier, _) in row.iter().enumerate().filter(|(_, likeness)| **likeness > limit) {
                let (keep, lose) = (group_of[later].min(group_of[earlier]), group_of[later].max(group_of[earlier]));
                group_of.iter_mut().filter(|group| **group == lose).for_each(|group| *group = keep);
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        group_of.into_iter().enumerate().for_each(|(member, group)| groups.entry(group).or_default().push(member));
        groups.into_values().collect()
    }
}

/// Groups of alike submissions, each by ascending position; every submission is in exactly one group.
///
/// # Panics
/// When submissions have different lengths.
#[must_use]
pub fn alike(submissions: &[&Submission], limit: f64) -> Vec<Vec<usize>> {
    Likeness::of(submissions).groups(limit)
}

/// Rank correlation of two lists of values of the same things; `None` where one does not vary.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let centred = |values: &[f64]| {
        let mean = (values.len() + 1) as f64;
        let keys = values.iter().map(|value| ordered(*value));
        doubled_ranks(keys.collect()).into_iter().map(|rank| rank as f64 - mean).collect::<Vec<f64>>()
    };
    let (a, b) = (centred(a), centred(b));
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| (product(&a, &b) / scale).clamp(-1.0, 1.0))
}

/// A key that orders as the number does.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Scores have no sign, so their bits order as they do.
fn bits(submission: &Submission) -> impl Iterator<Item = u64> {
    submission.scores().iter().map(|score| score.get().to_bits())
}

fn ranks(submission: &Submission) -> Vec<u64> {
    doubled_ranks(bits(submission).collect())
}

/// Twice the ranks from 1, equal values sharing their mean rank: whole numbers, so that sums of them are exact.
fn doubled_ranks(keys: Vec<u64>) -> Vec<u64> {
    let mut order: Vec<(u64, usize)> = keys.into_iter().zip(0..).collect();
    order.sort_unstable();
    let mut ranks = vec![0; order.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = (2 * start + tied.len() + 1) as u64;
        tied.iter().for_each(|(_, place)| ranks[*place] = rank);
        start += tied.len();
    }
    ranks
}

/// Which of the distinct orders each is, and those, in order of appearance.
fn distinct(orders: &[Vec<u64>]) -> (Vec<usize>, Vec<&Vec<u64>>) {
    let mut known: BTreeMap<&Vec<u64>, usize> = BTreeMap::new();
    let mut kinds = Vec::new();
    let kind_of = orders.iter().map(|order| {
        *known.entry(order).or_insert_with(|| {
            kinds.push(order);
            kinds.len() - 1
        })
    });
    (kind_of.collect(), kinds)
}

/// Ranks less their mean over all, of length one, one after the other. Ranks of ties shared add up to the same for
/// everybody, so that residuals are centred.
fn residuals(kinds: &[&Vec<u64>], alerts: usize) -> Vec<f32> {
    let mut sums = vec![0_u64; alerts];
    kinds.iter().for_each(|ranks| sums.iter_mut().zip(*ranks).for_each(|(sum, rank)| *sum += rank));
    let count = kinds.len() as f64;
    let rows = on_threads(kinds.len(), |kind| {
        let values: Vec<f64> =
            kinds[kind].iter().zip(&sums).map(|(rank, sum)| *rank as f64 * count - *sum as f64).collect();
        let length = product(&values, &values).sqrt();
        let scale = if length > 0.0 { length.recip() } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to compare with a limit of three")]
        let short: Vec<f32> = values.into_iter().map(|value| (value * scale) as f32).collect();
        short
    });
    rows.concat()
}
