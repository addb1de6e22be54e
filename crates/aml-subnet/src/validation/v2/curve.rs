//! What a place in an order is worth: the share of illicit alerts that such places had, learned in forty equal parts.

use serde::{Deserialize, Serialize};

use crate::validation::v2::constants::Constants;

/// Weight of a part without outcomes when the curve is made non-decreasing.
const EMPTY: f64 = 1e-9;

/// Known outcomes by the part of a submission's order that the alert was in: one a miner and round. Integers, so that the
/// order in which outcomes arrive does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Outcomes of alerts in each part, an alert counting once; from the lowest scores to the highest.
    #[serde(with = "array")]
    pub outcomes: [u64; Constants::PARTS],
    /// Illicit ones among them.
    #[serde(with = "array")]
    pub illicit: [u64; Constants::PARTS],
}

impl Default for Parts {
    fn default() -> Self {
        Self { outcomes: [0; Constants::PARTS], illicit: [0; Constants::PARTS] }
    }
}

impl Parts {
    /// Counts an alert that was in `part` ([`Order::parts`](super::order::Order::parts)).
    pub fn count(&mut self, part: u8, illicit: bool) {
        self.outcomes[usize::from(part)] += 1;
        self.illicit[usize::from(part)] += u64::from(illicit);
    }

    /// Adds another round's counts.
    pub fn add(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(&other.outcomes).for_each(|(sum, more)| *sum += more);
        self.illicit.iter_mut().zip(&other.illicit).for_each(|(sum, more)| *sum += more);
    }
}

/// The worth of places, never falling: the share of illicit alerts in equal parts of an order, from the lowest scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// One share a part, from 0 to 1.
    pub shares: Vec<f64>,
}

impl Curve {
    /// Learns the curve of all miners' counts over the window, each weighted by the miner's weight of the day before (all
    /// alike when nobody has one). `None` when the weighted miners have no outcome.
    ///
    /// # Panics
    /// When counts and weights are not one a miner.
    #[must_use]
    pub fn learned(counts: &[Parts], weights: &[f64]) -> Option<Self> {
        assert_eq!(counts.len(), weights.len(), "a weight for each miner");
        let alike = weights.iter().all(|weight| *weight <= 0.0);
        let (mut outcomes, mut illicit) = ([0.0; Constants::PARTS], [0.0; Constants::PARTS]);
        for (counts, weight) in counts.iter().zip(weights) {
            let weight = if alike { 1.0 } else { *weight };
            outcomes.iter_mut().zip(&counts.outcomes).for_each(|(sum, more)| *sum += weight * *more as f64);
            illicit.iter_mut().zip(&counts.illicit).for_each(|(sum, more)| *sum += weight * *more as f64);
        }
        let known: Vec<usize> = (0..Constants::PARTS).filter(|part| outcomes[*part] > 0.0).collect();
        let points: Vec<(f64, f64)> =
            known.iter().map(|part| (*part as f64, illicit[*part] / outcomes[*part])).collect();
        (!points.is_empty()).then(|| {
            let shares: Vec<f64> = (0..Constants::PARTS).map(|part| between(&points, part as f64)).collect();
            Self::rising(&shares, &outcomes.map(|outcomes| outcomes.max(EMPTY)))
        })
    }

    /// The non-decreasing shares nearest to `shares` in weighted squares: neighbours that fall are pooled.
    #[must_use]
    pub fn rising(shares: &[f64], weights: &[f64]) -> Self {
        let mut pools: Vec<Pool> = Vec::with_capacity(shares.len());
        for (share, weight) in shares.iter().zip(weights) {
            let mut newest = Pool { share: *share, weight: *weight, parts: 1 };
            while let Some(before) = pools.pop_if(|before| before.share >= newest.share) {
                newest = before.with(&newest);
            }
            pools.push(newest);
        }
        Self { shares: pools.iter().flat_map(|pool| std::iter::repeat_n(pool.share, pool.parts)).collect() }
    }

    /// What each of `places` places is worth, from the lowest: place `r` is worth the curve at `(r + 0.5) / places`, in
    /// straight lines between the middles of the parts, flat outside of them.
    #[must_use]
    pub fn worths(&self, places: usize) -> Vec<f64> {
        let middle = |at: usize, of: usize| (at as f64 + 0.5) / of as f64;
        let parts = self.shares.len();
        let points: Vec<(f64, f64)> =
            self.shares.iter().enumerate().map(|(part, share)| (middle(part, parts), *share)).collect();
        (0..places).map(|place| between(&points, middle(place, places))).collect()
    }
}

/// Neighbouring parts with one share.
struct Pool {
    share: f64,
    weight: f64,
    parts: usize,
}

impl Pool {
    fn with(&self, next: &Self) -> Self {
        let weight = self.weight + next.weight;
        let share = (self.share * self.weight + next.share * next.weight) / weight;
        Self { share, weight, parts: self.parts + next.parts }
    }
}

/// The value at `x` of straight lines between ascending points; flat outside. 0 without points.
fn between(points: &[(f64, f64)], x: f64) -> f64 {
    let next = points.partition_point(|point| point.0 <= x);
    match (next.checked_sub(1).map(|before| points[before]), points.get(next)) {
        (Some((x0, y0)), Some((x1, y1))) => (y1 - y0) / (x1 - x0) * (x - x0) + y0,
        (Some((_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => 0.0,
    }
}

/// Arrays of forty, which serde does not know by itself, as lists.
mod array {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Constants;

    pub(super) fn serialize<S: Serializer>(counts: &[u64; Constants::PARTS], to: S) -> Result<S::Ok, S::Error> {
        counts.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u64; Constants::PARTS], D::Error> {
        let list = Vec::<u64>::deserialize(from)?;
        list.try_into().map_err(|list: Vec<u64>| D::Error::invalid_length(list.len(), &"one count a part"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, Parts};

    fn near(given: &[f64], wanted: &[f64]) {
        assert_eq!(given.len(), wanted.len());
        assert!(given.iter().zip(wanted).all(|(one, two)| (one - two).abs() < 1e-12), "{given:?} {wanted:?}");
    }

    #[test]
    fn the_example_of_the_rules_is_right() {
        let curve = Curve::rising(&[0.02, 0.05, 0.03, 0.1, 0.4], &[20.0, 10.0, 30.0, 20.0, 20.0]);
        near(&curve.shares, &[0.02, 0.035, 0.035, 0.1, 0.4]);
        let worths = [0.02, 0.02375, 0.03125, 0.035, 0.035, 0.05125, 0.08375, 0.175, 0.325, 0.4];
        near(&curve.worths(10), &worths);
    }

    #[test]
    fn a_part_without_outcomes_lies_between_its_neighbours() {
        let mut counts = Parts::default();
        for (part, illicit, of) in [(3, 1, 10), (5, 3, 10), (30, 8, 10)] {
            (0..of).for_each(|at| counts.count(part, at < illicit));
        }
        let curve = Curve::learned(&[counts], &[0.0]).expect("outcomes");
        near(&curve.shares[..6], &[0.1, 0.1, 0.1, 0.1, 0.2, 0.3]);
        near(&curve.shares[6..8], &[0.32, 0.34]);
        near(&curve.shares[30..], &[0.8; 10]);
        assert_eq!(Curve::learned(&[counts, Parts::default()], &[0.0, 0.5]), None, "who has weight has no outcome");
    }

    #[test]
    fn counts_survive_storing() {
        let mut counts = Parts::default();
        counts.count(39, true);
        let stored = serde_json::to_string(&counts).expect("numbers");
        assert_eq!(serde_json::from_str::<Parts>(&stored).expect("the same form"), counts);
        assert!(serde_json::from_str::<Parts>(r#"{"outcomes":[1],"illicit":[0]}"#).is_err());
    }
}
