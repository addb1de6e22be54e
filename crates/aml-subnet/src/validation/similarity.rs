//! Submissions that are one: the same opinion under several hotkeys shares one voice and one reward.
//!
//! Honest scorers agree with each other because they see the same alerts, so likeness is measured on what is left after
//! the consensus is removed: the correlation of the residuals of ranks. Submissions that put all alerts into the same
//! order are one whatever is left; they count once in the consensus, so that nobody moves it by repeating himself.
//!
//! All pairs are compared, block by block, on as many threads as there are; the result does not depend on their number.

mod blocks;
mod ranks;

use std::collections::BTreeMap;

use crate::validation::submission::Submission;
use blocks::{on_threads, product, products, rows_on_threads};
use ranks::doubled_ranks;

/// Of fewer alerts an order says too little: only equal scores are alike.
pub const LEAST_ALERTS: usize = 30;

/// How alike submissions of the same alerts are, pair by pair: from -1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// One row per submission, with the likeness to each before it.
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
        let (kind_of, between) = if alerts < LEAST_ALERTS {
            let exact: Vec<Vec<u64>> = submissions.iter().map(|submission| bits(submission).collect()).collect();
            let (kind_of, kinds) = distinct(&exact);
            (kind_of, (0..kinds.len()).map(|kind| vec![0.0; kind]).collect())
        } else {
            let orders = on_threads(submissions.len(), |place| doubled_ranks(bits(submissions[place])));
            let (kind_of, kinds) = distinct(&orders);
            (kind_of, products(&residuals(&kinds, alerts), alerts))
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
        let ranks = doubled_ranks(values.iter().map(|value| ordered(*value)));
        ranks.into_iter().map(|rank| f64::from(rank) - mean).collect::<Vec<f64>>()
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

/// Which of the distinct orders each is, and those, in order of appearance.
fn distinct<T: Ord>(orders: &[Vec<T>]) -> (Vec<usize>, Vec<&Vec<T>>) {
    let mut known: BTreeMap<&Vec<T>, usize> = BTreeMap::new();
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
fn residuals(kinds: &[&Vec<u32>], alerts: usize) -> Vec<f32> {
    let mut sums = vec![0_u64; alerts];
    kinds.iter().for_each(|ranks| sums.iter_mut().zip(*ranks).for_each(|(sum, rank)| *sum += u64::from(*rank)));
    let count = kinds.len() as f64;
    rows_on_threads(kinds.len(), alerts, |kind, short| {
        let apart = |(rank, sum): (&u32, &u64)| f64::from(*rank) * count - *sum as f64;
        let values: Vec<f64> = kinds[kind].iter().zip(&sums).map(apart).collect();
        let length = product(&values, &values).sqrt();
        let scale = if length > 0.0 { length.recip() } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seven digits are enough to compare with a limit of three"
        )]
        short.iter_mut().zip(values).for_each(|(short, value)| *short = (value * scale) as f32);
    })
}
