//! Shares of a day's pay, and what nobody earned.

use crate::validation::v2::constants::Constants;
use crate::validation::v2::record::Tiers;

/// What a miner is paid for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Earner {
    /// What its column tells ([`Priced::points`](super::price::Priced::points)).
    pub points: f64,
    /// Whether its scores are probabilities.
    pub calibration: f64,
    /// What its newest rounds say.
    pub tiers: Tiers,
    /// Its part of the newcomers' pool ([`parts`](super::newcomers::parts)).
    pub newcomer: f64,
}

impl Earner {
    /// `lately * (points * quality)^gamma`; 0 for who is not worthy.
    #[must_use]
    pub fn worth(&self, k: &Constants) -> f64 {
        if !self.tiers.is_worthy(k) {
            return 0.0;
        }
        let informed = self.points * self.tiers.quality(k, self.calibration);
        self.tiers.lately * libm::pow(informed.max(0.0), k.gamma)
    }
}

/// How a day's pay is shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Paid {
    /// Shares from 0 to 1, in the order of the miners. They and `unearned` add up to 1.
    pub shares: Vec<f64>,
    /// What newcomers have of it together.
    pub pool: f64,
    /// What nobody earned, because nobody has worth: before enough outcomes are known, or when all is worth 0.
    pub unearned: f64,
}

/// Shares in proportion to worth, after the newcomers' pool.
#[must_use]
pub fn pay(k: &Constants, earners: &[Earner]) -> Paid {
    let worths: Vec<f64> = earners.iter().map(|earner| earner.worth(k)).collect();
    let (worth, new) = (worths.iter().sum::<f64>(), earners.iter().map(|earner| earner.newcomer).sum::<f64>());
    let pool = k.newcomers.min(k.newcomer * new);
    let part = |of: f64, all: f64| if all > 0.0 { of / all } else { 0.0 };
    let share = |(earner, own): (&Earner, &f64)| (1.0 - pool) * part(*own, worth) + pool * part(earner.newcomer, new);
    let shares = earners.iter().zip(&worths).map(share).collect();
    Paid { shares, pool, unearned: if worth > 0.0 { 0.0 } else { 1.0 - pool } }
}

impl Paid {
    /// Divides the shares of those that are not registered any more among the others, in proportion to what these have;
    /// unearned when nobody is left to take them.
    ///
    /// # Panics
    /// When `registered` is not one a miner.
    #[must_use]
    pub fn among(&self, registered: &[bool]) -> Self {
        assert_eq!(registered.len(), self.shares.len(), "known of each miner");
        let left = |share: &f64, here: &bool| if *here { *share } else { 0.0 };
        let kept: Vec<f64> = self.shares.iter().zip(registered).map(|(share, here)| left(share, here)).collect();
        let (all, left) = (self.shares.iter().sum::<f64>(), kept.iter().sum::<f64>());
        if left <= 0.0 {
            return Self { shares: kept, pool: 0.0, unearned: 1.0 };
        }
        Self { shares: kept.iter().map(|share| share * (all / left)).collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Constants, Earner, Paid, Tiers, pay};

    const K: Constants = Constants::V2;

    fn earner(points: f64, newcomer: f64) -> Earner {
        let tiers = Tiers { tier1: 1.0, traps: Some(0.5), lately: 1.0 };
        Earner { points, calibration: 0.8, tiers, newcomer }
    }

    fn near(one: f64, two: f64) -> bool {
        (one - two).abs() < 1e-12
    }

    #[test]
    fn what_nobody_earned_is_nobodys() {
        let paid = pay(&K, &[earner(0.0, 1.0), earner(0.0, 0.0)]);
        assert!(near(paid.shares[0], 0.001) && near(paid.shares[1], 0.0) && near(paid.unearned, 0.999));
        assert_eq!(pay(&K, &[]), Paid { shares: Vec::new(), pool: 0.0, unearned: 1.0 });
    }

    #[test]
    fn the_pool_is_bounded_and_pay_follows_worth() {
        let mut earners = vec![earner(0.02, 0.0), earner(0.01, 0.0)];
        earners.extend(vec![earner(0.0, 1.0); 50]);
        let paid = pay(&K, &earners);
        assert!(near(paid.pool, 0.01) && near(paid.unearned, 0.0));
        assert!(near(paid.shares[0] / paid.shares[1], 2.0_f64.powf(1.5)));
        assert!(near(paid.shares.iter().sum(), 1.0) && near(paid.shares[2], 0.0002));
    }

    #[test]
    fn who_does_not_answer_traps_is_not_paid() {
        let unworthy = Earner { tiers: Tiers { traps: Some(0.2499), ..earner(1.0, 0.0).tiers }, ..earner(1.0, 0.0) };
        let paid = pay(&K, &[unworthy, earner(1e-6, 0.0)]);
        assert!(near(paid.shares[0], 0.0) && near(paid.shares[1], 1.0));
    }

    #[test]
    fn shares_of_who_left_are_divided_among_the_others() {
        let paid = pay(&K, &[earner(0.02, 0.0), earner(0.01, 0.0), earner(0.01, 1.0)]);
        let left = paid.among(&[false, true, true]);
        assert!(near(left.shares.iter().sum(), 1.0) && near(left.shares[0], 0.0));
        assert!(near(left.shares[2] / left.shares[1], paid.shares[2] / paid.shares[1]));
        assert!(near(paid.among(&[false; 3]).unearned, 1.0));
    }
}
