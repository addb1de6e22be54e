//! From a canonical score to the probability that the alert is confirmed, given that its outcome becomes known.
//!
//! The curve is learned from scores and outcomes of earlier rounds: alerts by score in groups of equal number, the share of
//! illicit ones in each made non-decreasing (pool adjacent violators), straight lines between the groups, and a small part of
//! the score itself, so that it rises everywhere. The order of alerts is never changed by it. Only sums, products and
//! square roots: the same outcomes give the same bits on every machine. `docs/reading_scores.md` has the formulas.

mod fit;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use fit::interval as wilson;
pub use fit::{Known, calibrate};

/// The version of the formulas.
pub const VERSION: u16 = 1;
/// Days before a round whose rounds are learned from.
pub const DAYS: i64 = 60;
/// Outcomes of each class that are needed, an address counting once: as many as rules v2 want before anybody is paid.
pub const LEAST: u64 = 100;
/// Part of the score itself in the probability.
const RISE: f64 = 0.005;

/// What a group of alerts with like scores came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// Mean of their scores.
    pub score: f64,
    /// Share of illicit ones, made non-decreasing.
    pub share: f64,
    /// Lower end of the interval of 90 % around the share.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many outcomes.
    pub outcomes: u64,
}

/// A probability with its interval: `low <= probability <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// The probability.
    pub probability: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The curve of a round, with what it was learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Version of the formulas.
    pub version: u16,
    /// The round that it is for.
    pub round: String,
    /// What counts was known here at this time, in milliseconds since 1970: when the round was opened.
    pub as_of_ms: i64,
    /// How many days are looked back.
    pub days: i64,
    /// Days of the rounds with outcomes that were used, oldest first.
    pub rounds: Vec<String>,
    /// Outcomes.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// Addresses that they are of.
    pub addresses: u64,
    /// Outcomes of the rarer class, an address counting once.
    pub rarer: f64,
    /// How many of each class are needed.
    pub least: u64,
    /// The curve, scores rising; empty while too little is known.
    pub knots: Vec<Knot>,
}

impl Calibration {
    /// Whether enough is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.knots.is_empty()
    }

    /// The probability of an alert with this score, on which miners differ by this standard deviation; `None` while too
    /// little is known.
    ///
    /// The interval is that of the curve at one standard deviation below and above the score.
    #[must_use]
    pub fn told(&self, score: f64, deviation: f64) -> Option<Told> {
        let (below, above) = ((score - deviation).max(0.0), (score + deviation).min(1.0));
        let probability = self.value(score, |knot| knot.share)?;
        let low = self.value(below, |knot| knot.low)?.min(probability);
        let high = self.value(above, |knot| knot.high)?.max(probability);
        Some(Told { probability, low, high })
    }

    /// The curve of one part of the knots, with its rise.
    fn value(&self, score: f64, part: impl Fn(&Knot) -> f64) -> Option<f64> {
        let share = between(&self.knots, score, part)?;
        Some((share * (1.0 - RISE) + score * RISE).clamp(0.0, 1.0))
    }

    /// What is wrong with a calibration that came from elsewhere; `None` when nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let unit = |value: f64| (0.0..=1.0).contains(&value);
        let sound = |knot: &Knot| {
            [knot.score, knot.share, knot.low, knot.high].into_iter().all(unit)
                && knot.low <= knot.share
                && knot.share <= knot.high
        };
        let rises = |two: &[Knot]| {
            matches!(two, [one, two] if one.score < two.score && one.share <= two.share
                && one.low <= two.low && one.high <= two.high)
        };
        match () {
            () if self.version != VERSION => Some("its version is not known here"),
            () if !self.knots.iter().all(sound) => Some("a knot has a number that is none"),
            () if !self.knots.windows(2).all(rises) => Some("its knots do not rise"),
            () => None,
        }
    }
}

/// The value at `x` of straight lines between knots of ascending scores; flat outside. `None` without knots.
fn between(knots: &[Knot], x: f64, part: impl Fn(&Knot) -> f64) -> Option<f64> {
    let next = knots.partition_point(|knot| knot.score <= x);
    let before = next.checked_sub(1).and_then(|before| knots.get(before));
    match (before, knots.get(next)) {
        (Some(one), Some(two)) => {
            let (from, to) = (part(one), part(two));
            let line = from + (to - from) * ((x - one.score) / (two.score - one.score));
            // Rounding never carries it past the next knot.
            Some(line.clamp(from, to.max(from)))
        }
        (Some(only), None) | (None, Some(only)) => Some(part(only)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Calibration, Knot, Known, VERSION, calibrate};

    /// Scores from 0 to 1, with the squared score as the share of illicit ones, in a fixed pattern.
    fn seen(count: u32) -> Vec<Known> {
        let one = |at: u32| {
            let score = f64::from(at) / f64::from(count);
            let turn = f64::from(at.wrapping_mul(2_654_435_761) % 1000) / 1000.0;
            Known { score, illicit: turn < score * score, address: at }
        };
        (0..count).map(one).collect()
    }

    fn learned(count: u32) -> Calibration {
        calibrate("1-2026-01-05-30", 7, Vec::new(), seen(count))
    }

    #[test]
    fn it_rises_everywhere_and_follows_what_came() {
        let curve = learned(20_000);
        assert_eq!((curve.version, curve.problem(), curve.outcomes), (VERSION, None, 20_000));
        let mut before = -1.0;
        for at in 0..=100_000 {
            let score = f64::from(at) / 1e5;
            let told = curve.told(score, 0.02).expect("enough is known");
            assert!(told.probability > before, "{score}: {} is not above {before}", told.probability);
            assert!(told.low <= told.probability && told.probability <= told.high);
            assert!((told.probability - score * score).abs() < 0.06, "{score}: {}", told.probability);
            before = told.probability;
        }
    }

    #[test]
    fn too_little_is_said_and_not_filled_in() {
        let curve = learned(250);
        assert!(curve.rarer < 100.0 && !curve.is_known(), "{curve:?}");
        assert_eq!((curve.told(0.5, 0.1), curve.outcomes, curve.least), (None, 250, 100));
        // Many outcomes of a few addresses are few.
        let mut crowd = seen(20_000);
        crowd.iter_mut().for_each(|one| one.address %= 150);
        assert!(!calibrate("r", 0, Vec::new(), crowd).is_known());
        assert!(!calibrate("r", 0, Vec::new(), Vec::new()).is_known());
    }

    #[test]
    fn the_order_in_which_outcomes_come_changes_no_bit() {
        let mut turned = seen(5_000);
        turned.reverse();
        // Addresses are numbered as they come: other numbers, the same addresses.
        turned.iter_mut().for_each(|one| one.address = 4_999 - one.address);
        assert_eq!(calibrate("1-2026-01-05-30", 7, Vec::new(), turned), learned(5_000));
    }

    #[test]
    fn disagreement_and_few_addresses_widen_the_interval() {
        let curve = learned(20_000);
        let width = |deviation| curve.told(0.6, deviation).map(|told| told.high - told.low).expect("known");
        assert!(width(0.2) > width(0.05) && width(0.05) > width(0.0));
        let mut shared = seen(20_000);
        shared.iter_mut().for_each(|one| one.address /= 20);
        let shared = calibrate("r", 0, Vec::new(), shared);
        let wider = shared.told(0.6, 0.0).map(|told| told.high - told.low).expect("known");
        assert!(wider > 2.0 * width(0.0), "{wider} {}", width(0.0));
    }

    #[test]
    fn equal_scores_and_one_class_do_no_harm() {
        let flat: Vec<Known> = (0..2_000).map(|at| Known { score: 0.3, illicit: at % 4 == 0, address: at }).collect();
        let curve = calibrate("r", 0, Vec::new(), flat);
        assert_eq!(curve.knots.len(), 1);
        assert!((curve.told(0.3, 0.0).expect("known").probability - 0.25).abs() < 0.01);
        let clean: Vec<Known> = (0..2_000).map(|at| Known { score: 0.3, illicit: false, address: at }).collect();
        assert!(!calibrate("r", 0, Vec::new(), clean).is_known());
    }

    #[test]
    fn what_does_not_rise_is_refused() {
        let mut curve = learned(5_000);
        curve.knots[3] = Knot { share: 0.9, high: 0.95, ..curve.knots[3] };
        assert_eq!(curve.problem(), Some("its knots do not rise"));
        curve.knots[3].share = f64::NAN;
        assert_eq!(curve.problem(), Some("a knot has a number that is none"));
        curve.version = 2;
        assert_eq!(curve.problem(), Some("its version is not known here"));
    }
}
