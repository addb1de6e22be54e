//! Submissions that are one: the same scores under several hotkeys share one voice.
//!
//! Honest scorers agree with each other because they see the same alerts, so likeness is measured on what is left after
//! the consensus is removed: the correlation of the ranks' residuals. Equal submissions are alike whatever is left.

use crate::validation::submission::Submission;

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
        let residuals = residuals(submissions);
        let likeness = |later: usize, earlier: usize| {
            if submissions[earlier] == submissions[later] {
                1.0
            } else {
                product(&residuals[earlier], &residuals[later])
            }
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

    /// Groups of submissions that are more alike than `limit`, each by ascending position; every submission is in
    /// exactly one group.
    #[must_use]
    pub fn groups(&self, limit: f64) -> Vec<Vec<usize>> {
        let mut group_of: Vec<usize> = Vec::with_capacity(self.rows.len());
        for (later, row) in self.rows.iter().enumerate() {
            let first = row.iter().position(|likeness| *likeness > limit);
            group_of.push(first.map_or(later, |earlier| group_of[earlier]));
        }
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.rows.len()];
        group_of.into_iter().enumerate().for_each(|(member, group)| groups[group].push(member));
        groups.retain(|group| !group.is_empty());
        groups
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
#[must_use]
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (unit(ranks(a)), unit(ranks(b)));
    let varies = |side: &[f64]| side.iter().any(|value| *value != 0.0);
    (varies(&a) && varies(&b)).then(|| product(&a, &b).clamp(-1.0, 1.0))
}

/// Ranks of each submission less the mean over all, centred and of length one.
fn residuals(submissions: &[&Submission]) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = submissions.iter().map(|submission| ranks(&submission.values())).collect();
    let Some(length) = all.first().map(Vec::len) else { return all };
    // Ranks are halves of whole numbers: their sum is exact, in whatever order.
    let mut consensus = vec![0.0; length];
    all.iter().for_each(|ranks| consensus.iter_mut().zip(ranks).for_each(|(sum, rank)| *sum += rank));
    let count = all.len() as f64;
    for ranks in &mut all {
        ranks.iter_mut().zip(&consensus).for_each(|(rank, sum)| *rank -= sum / count);
    }
    all.into_iter().map(unit).collect()
}

/// Centres `values` and scales them to length one; all zero where they do not vary.
fn unit(mut values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    let length = product(&values, &values).sqrt();
    let scale = if length > 0.0 { length.recip() } else { 0.0 };
    values.iter_mut().for_each(|value| *value *= scale);
    values
}

/// Ranks from 1, equal values sharing their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let mean = start as f64 + f64::midpoint(1.0, tied.len() as f64);
        tied.iter().for_each(|&place| ranks[place] = mean);
        start += tied.len();
    }
    ranks
}

/// Scalar product, in eight lanes: the same sum in the same order on every machine, and as fast as memory is.
///
/// # Panics
/// When the lengths differ.
fn product(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    assert_eq!(a.len(), b.len(), "submissions are for the same alerts");
    let (mut lanes, tail) = ([0.0; LANES], a.len() / LANES * LANES);
    for (x, y) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(lane, (x, y))| *lane += x * y);
    }
    let rest: f64 = a[tail..].iter().zip(&b[tail..]).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + rest
}
