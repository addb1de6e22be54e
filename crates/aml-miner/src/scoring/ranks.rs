//! The order in which alerts should be looked at.

use std::cmp::Ordering;

/// The ranks of scored rows, 1 for the most urgent, in the order of the rows.
///
/// Higher scores come first, equal ones by id; every rank from 1 to the number of rows is given once.
///
/// # Panics
/// When there is not one id a score.
#[must_use]
pub fn ranks<Id: Ord>(scores: &[f64], ids: &[Id]) -> Vec<u32> {
    assert_eq!(scores.len(), ids.len(), "one id a score");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| urgency(scores[a], scores[b]).then_with(|| ids[a].cmp(&ids[b])));
    let mut ranks = vec![0; order.len()];
    for (rank, row) in (1..).zip(order) {
        ranks[row] = rank;
    }
    ranks
}

/// Higher first; the two zeros are equal.
fn urgency(a: f64, b: f64) -> Ordering {
    (b + 0.0).total_cmp(&(a + 0.0))
}
