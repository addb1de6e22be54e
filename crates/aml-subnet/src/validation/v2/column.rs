//! What a submission says: the worth of each alert's place, with mean 0 and variance 1 over the places, in 2048ths.

use crate::validation::v2::constants::Constants;
use crate::validation::v2::curve::Curve;
use crate::validation::v2::order::Order;

/// What the places of a batch are worth: made once per round, for all its submissions.
#[derive(Clone, Debug, PartialEq)]
pub struct Worths {
    /// From the lowest place to the highest; mean 0, variance 1 (population), or all 0.
    standard: Vec<f64>,
    /// Sums of the first 0, 1, ... of them.
    totals: Vec<f64>,
}

impl Worths {
    /// The worths of `places` places under the curve that is in force; without one, Savage scores.
    #[must_use]
    pub fn new(curve: Option<&Curve>, places: usize) -> Self {
        let raw = curve.map_or_else(|| savage(places), |curve| curve.worths(places));
        let standard = standardised(&raw);
        let mut totals = Vec::with_capacity(places + 1);
        totals.push(0.0);
        let mut total = 0.0;
        for worth in &standard {
            total += worth;
            totals.push(total);
        }
        Self { standard, totals }
    }

    /// The column of a submission, in 2048ths, rounded half to even; equal scores share the mean of their places' worths.
    /// All 0 when all places are worth the same.
    ///
    /// # Panics
    /// When the submission is of another number of alerts.
    #[must_use]
    pub fn column(&self, order: &Order) -> Vec<i16> {
        assert_eq!(order.len(), self.standard.len(), "worths and order are of one batch");
        let worth = |(start, end): (usize, usize)| match end - start {
            1 => self.standard[start],
            tied => (self.totals[end] - self.totals[start]) / tied as f64,
        };
        order.spans().map(|span| grains(worth(span))).collect()
    }
}

/// `1/n + 1/(n-1) + ... + 1/(n-r)` for each place `r` of `n`: what places are worth as long as no outcomes are known.
#[must_use]
pub fn savage(places: usize) -> Vec<f64> {
    let term = |total: &mut f64, left: usize| {
        *total += 1.0 / left as f64;
        Some(*total)
    };
    (1..=places).rev().scan(0.0, term).collect()
}

/// Worths with mean 0 and variance 1; all 0 when there is no difference between them.
fn standardised(raw: &[f64]) -> Vec<f64> {
    let differ = raw.iter().any(|worth| worth.total_cmp(&raw[0]).is_ne());
    if !differ {
        return vec![0.0; raw.len()];
    }
    let count = raw.len() as f64;
    let mean = raw.iter().sum::<f64>() / count;
    let variance = raw.iter().map(|worth| (worth - mean) * (worth - mean)).sum::<f64>() / count;
    let deviation = variance.sqrt();
    raw.iter().map(|worth| (worth - mean) / deviation).collect()
}

fn grains(worth: f64) -> i16 {
    let whole = (Constants::GRAIN * worth).round_ties_even();
    // Savage scores of a million alerts stay below 13 standard deviations; 16 bits hold 16.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let grains = whole as i16;
    grains
}

#[cfg(test)]
mod tests {
    use super::{Worths, savage};
    use crate::validation::v2::curve::Curve;
    use crate::validation::v2::order::Order;

    const SCORES: [f64; 10] = [0.2, 0.9, 0.2, 0.5, 0.1, 0.3, 0.4, 0.6, 0.7, 0.8];

    #[test]
    fn the_example_of_the_rules_is_right() {
        let curve = Curve::rising(&[0.02, 0.05, 0.03, 0.1, 0.4], &[20.0, 10.0, 30.0, 20.0, 20.0]);
        let column = Worths::new(Some(&curve), 10).column(&Order::of(&SCORES));
        assert_eq!(column, [-1417, 4416, -1417, -1045, -1535, -1300, -1300, -536, 893, 3242]);
        let column = Worths::new(None, 10).column(&Order::of(&SCORES));
        assert_eq!(column, [-1769, 4698, -1769, -376, -2192, -1269, -863, 233, 1045, 2263]);
    }

    #[test]
    fn places_that_are_all_worth_the_same_say_nothing() {
        let flat = Curve::rising(&[0.3; 40], &[1.0; 40]);
        assert_eq!(Worths::new(Some(&flat), 4).column(&Order::of(&[0.1, 0.2, 0.3, 0.4])), [0; 4]);
        assert_eq!(Worths::new(None, 3).column(&Order::of(&[0.5; 3])), [0; 3]);
        assert_eq!(Worths::new(None, 1).column(&Order::of(&[0.5])), [0]);
        assert!(Worths::new(None, 0).column(&Order::of(&[])).is_empty());
    }

    #[test]
    fn savage_scores_add_up_from_the_lowest_place() {
        assert_eq!(savage(3), [1.0 / 3.0, 1.0 / 3.0 + 0.5, 1.0 / 3.0 + 0.5 + 1.0]);
    }
}
