//! An address counts once in a window, however often it alerts: alerts of one address are not independent.
//!
//! Without this, noise that is fixed for an address passes for knowledge six times too often.

use std::collections::HashMap;
use std::hash::Hash;

/// A known outcome of a round's alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome<A> {
    /// The alert's place in its batch without traps: the row of the columns.
    pub place: u32,
    /// What the alert is about.
    pub address: A,
    /// Whether it was illicit.
    pub illicit: bool,
}

/// An outcome that weighs `1 / times`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weighed {
    /// Outcomes of its address in the window, this one included: 1 or more.
    pub times: u32,
    /// The alert's place in its batch.
    pub place: u32,
    /// Whether it was illicit.
    pub illicit: bool,
}

/// Weighs the outcomes of a window's rounds, in the same order. Rounds in which only one class is known count here, though
/// they are left out of the moments.
#[must_use]
pub fn weigh<A: Copy + Eq + Hash>(rounds: &[Vec<Outcome<A>>]) -> Vec<Vec<Weighed>> {
    let mut times: HashMap<A, u32> = HashMap::new();
    for outcome in rounds.iter().flatten() {
        *times.entry(outcome.address).or_default() += 1;
    }
    let weighed = |outcome: &Outcome<A>| Weighed {
        times: times[&outcome.address],
        place: outcome.place,
        illicit: outcome.illicit,
    };
    rounds.iter().map(|round| round.iter().map(weighed).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, weigh};

    #[test]
    fn an_address_counts_once_over_all_rounds() {
        let of = |place, address| Outcome { place, address, illicit: false };
        let weighed = weigh(&[vec![of(0, "a"), of(1, "b")], vec![], vec![of(2, "a"), of(0, "a")]]);
        let times: Vec<Vec<u32>> = weighed.iter().map(|round| round.iter().map(|one| one.times).collect()).collect();
        assert_eq!(times, [vec![3, 1], vec![], vec![3, 3]]);
    }
}
