//! References: what everybody can know of a round's alerts. Their columns compete with the miners', and nobody is paid for
//! them. Computed from the ledger alone, for the round's own column curve.

use std::collections::HashMap;
use std::hash::Hash;

use crate::validation::v2::calibration::{mean, whole};
use crate::validation::v2::constants::Constants;

/// An earlier round, as far as the references of a later one see it.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a, A> {
    /// Its day.
    pub day: i64,
    /// The address of each alert, in the order of the batch.
    pub addresses: &'a [A],
    /// The canonical score of each alert, published or not; `None` for a round that has none.
    pub canonical: Option<&'a [f64]>,
    /// Outcomes by place: whether illicit, and the day on which it became known, however late.
    pub outcomes: &'a [(u32, Known)],
}

/// An outcome and when it became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether the alert was illicit.
    pub illicit: bool,
    /// The day on which that became known.
    pub day: i64,
}

/// The newest canonical score of each alert's address in rounds of the thirty days before `today`; the last alert's, where
/// a round has several. Without one, the mean canonical score of the newest earlier round that has any; `None` (column 0)
/// without such a round. `earlier`: rounds by ascending day.
#[must_use]
pub fn canonical<A: Copy + Eq + Hash>(
    k: &Constants,
    today: i64,
    earlier: &[Earlier<'_, A>],
    addresses: &[A],
) -> Option<Vec<f64>> {
    let mut newest: HashMap<A, f64> = HashMap::new();
    let mut usual = None;
    for round in earlier.iter().filter(|round| round.day < today) {
        let Some(scores) = round.canonical.filter(|scores| !scores.is_empty()) else { continue };
        usual = Some(mean(scores.iter().map(|score| whole(*score)).sum(), scores.len() as u64));
        if round.day >= today - k.days {
            newest.extend(round.addresses.iter().copied().zip(scores.iter().copied()));
        }
    }
    let usual = usual?;
    Some(addresses.iter().map(|address| newest.get(address).copied().unwrap_or(usual)).collect())
}

/// The outcome (1 or 0) of the newest alert of each alert's address whose outcome was known before `today`; without one, the
/// share of illicit ones among all outcomes known before. `None` (column 0) when none is. `earlier`: rounds by ascending day.
#[must_use]
pub fn outcomes<A: Copy + Eq + Hash>(today: i64, earlier: &[Earlier<'_, A>], addresses: &[A]) -> Option<Vec<f64>> {
    let mut newest: HashMap<A, f64> = HashMap::new();
    let (mut known, mut illicit) = (0_u64, 0_u64);
    for round in earlier.iter().filter(|round| round.day < today) {
        let mut given: Vec<_> = round.outcomes.iter().filter(|(_, outcome)| outcome.day < today).collect();
        given.sort_unstable_by_key(|(place, _)| *place);
        for (place, outcome) in given {
            newest.insert(round.addresses[*place as usize], f64::from(u8::from(outcome.illicit)));
            known += 1;
            illicit += u64::from(outcome.illicit);
        }
    }
    let share = illicit as f64 / known as f64;
    (known > 0).then(|| addresses.iter().map(|address| newest.get(address).copied().unwrap_or(share)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Constants, Earlier, Known, canonical, outcomes};

    const K: Constants = Constants::V2;

    #[test]
    fn canonical_scores_are_the_newest_of_thirty_days() {
        let round = |day, addresses, canonical| Earlier { day, addresses, canonical, outcomes: &[] };
        let old = [0.9, 0.1];
        let rounds = [
            round(69, &["f", "g"], Some(&old[..])),
            round(70, &["a", "a"], Some(&old[..])),
            round(80, &["b", "c"], Some(&[0.25, 0.75])),
            round(81, &["b", "c"], None),
        ];
        let given = canonical(&K, 100, &rounds, &["a", "b", "f", "new"]).expect("there are scores");
        assert_eq!(given, [0.1, 0.25, 0.5, 0.5]);
        assert_eq!(canonical(&K, 69, &rounds, &["a"]), None, "no earlier round");
    }

    #[test]
    fn outcomes_are_those_known_before_the_day() {
        let known = |illicit, day| Known { illicit, day };
        let late = [(1, known(true, 99)), (0, known(false, 100))];
        let rounds = [
            Earlier {
                day: 50,
                addresses: &["a", "b"],
                canonical: None,
                outcomes: &[(0, known(true, 60)), (1, known(false, 98))],
            },
            Earlier { day: 90, addresses: &["a", "b"], canonical: None, outcomes: &late },
        ];
        let given = outcomes(100, &rounds, &["a", "b", "c"]).expect("some are known");
        assert_eq!(given, [1.0, 1.0, 2.0 / 3.0], "a's newer outcome is not known before the day");
        assert_eq!(outcomes(60, &rounds, &["a"]), None);
    }
}
