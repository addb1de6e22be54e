//! Whether scores are probabilities: of the alerts scored near 0.3, are three in ten illicit?

use serde::{Deserialize, Serialize};

use crate::validation::v2::constants::Constants;

/// Smallest resolution that reliability is divided by.
const TINY: f64 = 1e-12;

/// Known outcomes by the submission's score, in ten bins `(k/10, (k+1)/10]`, 0 in the first: one a miner and round.
/// Integers, so that the order in which outcomes arrive does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bins {
    /// Outcomes of alerts in each bin, an alert counting once.
    pub outcomes: [u64; Constants::BINS],
    /// Sum of their scores, in whole 2^-32.
    pub told: [u64; Constants::BINS],
    /// Illicit ones among them.
    pub illicit: [u64; Constants::BINS],
}

/// A score in whole 2^-32, rounded half to even.
///
/// Anything below 0 is 0.
#[must_use]
pub fn whole(score: f64) -> u64 {
    let whole = (Constants::SCORE_GRAIN * score).round_ties_even();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let whole = whole as u64;
    whole
}

/// The mean of scores, of which `total` is the sum in whole 2^-32; 0 without scores.
#[must_use]
pub fn mean(total: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { total as f64 / Constants::SCORE_GRAIN / count as f64 }
}

/// The mean score of a batch, to 2^-32, the same for any order of its alerts; 0 for an empty one.
#[must_use]
pub fn mean_score(scores: &[f64]) -> f64 {
    mean(scores.iter().map(|score| whole(*score)).sum(), scores.len() as u64)
}

impl Bins {
    /// Counts an alert with this score.
    pub fn count(&mut self, score: f64, illicit: bool) {
        let told = whole(score);
        let bins = Constants::BINS as u64;
        let above = (bins * told).div_ceil(whole(1.0));
        let bin = usize::try_from(above.saturating_sub(1)).map_or(Constants::BINS, |bin| bin).min(Constants::BINS - 1);
        self.outcomes[bin] += 1;
        self.told[bin] += told;
        self.illicit[bin] += u64::from(illicit);
    }

    /// Adds another round's counts.
    pub fn add(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(&other.outcomes).for_each(|(sum, more)| *sum += more);
        self.told.iter_mut().zip(&other.told).for_each(|(sum, more)| *sum += more);
        self.illicit.iter_mut().zip(&other.illicit).for_each(|(sum, more)| *sum += more);
    }

    /// Mean score over all outcomes; `None` without outcomes.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let outcomes: u64 = self.outcomes.iter().sum();
        (outcomes > 0).then(|| mean(self.told.iter().sum(), outcomes))
    }

    /// `1 - REL / RES` from 0 to 1, Murphy's parts of the Brier score over the bins: `REL = sum (told - came)^2 / n`,
    /// `RES = sum n (came / n - mean)^2`. 0 without resolution or without outcomes.
    #[must_use]
    pub fn calibration(&self) -> f64 {
        let (outcomes, illicit): (u64, u64) = (self.outcomes.iter().sum(), self.illicit.iter().sum());
        let mean = illicit as f64 / outcomes.max(1) as f64;
        let (mut off, mut apart) = ([0.0; Constants::BINS], [0.0; Constants::BINS]);
        for bin in 0..Constants::BINS {
            let number = self.outcomes[bin] as f64;
            let full = number.max(1.0);
            let (told, came) = (self.told[bin] as f64 / Constants::SCORE_GRAIN, self.illicit[bin] as f64);
            off[bin] = (told - came) * (told - came) / full;
            let above = came / full - mean;
            apart[bin] = number * (above * above);
        }
        let (off, apart) = (sum(off), sum(apart));
        if apart > 0.0 { (1.0 - off / apart.max(TINY)).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The sum of all bins in the order of the reference code (numpy's pairs): where REL and RES are the same number, rounding
/// must not make a difference of them.
fn sum(bins: [f64; Constants::BINS]) -> f64 {
    let [a, b, c, d, e, f, g, h, i, j] = bins;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + i + j
}

#[cfg(test)]
mod tests {
    use super::{Bins, mean_score};

    fn bin_of(score: f64) -> Option<usize> {
        let mut bins = Bins::default();
        bins.count(score, false);
        bins.outcomes.iter().position(|count| *count == 1)
    }

    #[test]
    fn bins_end_with_their_upper_end() {
        let scores = [0.0, 1e-12, 0.1 - 1e-9, 0.1 + 1e-9, 0.5, 0.5 + 1e-9, 1.0];
        assert_eq!(scores.map(bin_of), [0, 0, 0, 1, 4, 5, 9].map(Some));
    }

    #[test]
    fn probabilities_are_calibrated_and_constants_tell_nothing() {
        let mut bins = Bins::default();
        assert!(bins.calibration() < f64::MIN_POSITIVE && bins.mean().is_none(), "nothing is known");
        for (score, illicit, of) in [(0.25, 1, 4), (0.75, 3, 4)] {
            (0..of).for_each(|at| bins.count(score, at < illicit));
        }
        assert!((bins.calibration() - 1.0).abs() < 1e-12);
        assert_eq!(bins.mean(), Some(0.5));
        let mut flat = Bins::default();
        (0..8).for_each(|at| flat.count(0.5, at < 4));
        assert!(flat.calibration() < f64::MIN_POSITIVE);
    }

    #[test]
    fn reliability_is_measured_against_resolution() {
        let mut bins = Bins::default();
        for (score, illicit, of) in [(0.125, 2, 4), (0.75, 3, 4)] {
            (0..of).for_each(|at| bins.count(score, at < illicit));
        }
        // REL = (0.5 - 2)^2 / 4 = 0.5625; RES = 4 (0.5 - 0.625)^2 + 4 (0.75 - 0.625)^2 = 0.125.
        assert!(bins.calibration() < f64::MIN_POSITIVE);
        let mut better = Bins::default();
        for (score, illicit, of) in [(0.25, 1, 4), (0.625, 3, 4)] {
            (0..of).for_each(|at| better.count(score, at < illicit));
        }
        // REL = (2.5 - 3)^2 / 4 = 0.0625; RES = 4 (0.25)^2 + 4 (0.25)^2 = 0.5.
        assert!((better.calibration() - 0.875).abs() < 1e-12);
    }

    #[test]
    fn a_mean_does_not_depend_on_the_order() {
        let scores = [0.1, 0.7, 1e-9, 0.3, 0.9];
        let turned: Vec<f64> = scores.iter().rev().copied().collect();
        assert_eq!(mean_score(&scores).to_bits(), mean_score(&turned).to_bits());
        assert!((mean_score(&scores) - 0.4).abs() < 1e-9);
    }
}
