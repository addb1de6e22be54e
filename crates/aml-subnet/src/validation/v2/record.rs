//! What a miner's newest rounds say of it: tier 1, traps, signs of life. Void and late rounds are no rounds, and rounds in
//! which it was not asked stand nowhere.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::window::Window;

/// A round that a miner was asked in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Asked {
    /// Share of tier 1's checks that were passed; `None` when the submission did not count.
    pub tier1: Option<f64>,
    /// Advantage on the round's traps; `None` when it had none or the submission did not count.
    pub advantage: Option<f64>,
    /// Whether it did not count but is forgiven, because the miner is within its grace.
    pub forgiven: bool,
}

/// A miner's rounds by day; those in which it was not asked are not there.
pub type Record = BTreeMap<i64, Asked>;

/// What the record of a miner comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tiers {
    /// Mean of tier 1 over the last thirty days' rounds, 0 where a submission did not count; 0 without rounds.
    pub tier1: f64,
    /// Mean advantage over those of them with traps in which it counted; `None` without any.
    pub traps: Option<f64>,
    /// Of those of the subnet's newest seven rounds that it was asked in, the share in which it counted and was alive; 0
    /// when it was asked in none.
    pub lately: f64,
}

impl Asked {
    /// Whether it counted and showed a sign of life; a round without traps counts as one.
    #[must_use]
    pub fn is_alive(&self, k: &Constants) -> bool {
        self.tier1.is_some() && is_alive(k, self.advantage)
    }
}

/// Whether an advantage is a sign of life; without traps everybody is taken to be alive.
#[must_use]
pub fn is_alive(k: &Constants, advantage: Option<f64>) -> bool {
    advantage.is_none_or(|advantage| advantage >= k.alive)
}

impl Tiers {
    /// What a record comes to on a day. `rounds`: the days of all rounds of the subnet, today's included, ascending.
    #[must_use]
    pub fn of(k: &Constants, today: i64, rounds: &[i64], record: &Record) -> Self {
        let recent = || record.range(Window::new(k, today).recent()).map(|(_, asked)| asked);
        let tier1 = recent().filter(|asked| !asked.forgiven).map(|asked| asked.tier1.unwrap_or(0.0));
        let traps = recent().filter_map(|asked| asked.advantage);
        let newest = newest(k, today, rounds).into_iter().flat_map(|days| record.range(days));
        let alive = newest.map(|(_, asked)| f64::from(u8::from(asked.is_alive(k))));
        Self { tier1: mean(tier1).unwrap_or(0.0), traps: mean(traps), lately: mean(alive).unwrap_or(0.0) }
    }

    /// `0.2 tier 1 + 0.3 traps + 0.5 calibration`; traps are 0 for who counted in no round with traps.
    #[must_use]
    pub fn quality(&self, k: &Constants, calibration: f64) -> f64 {
        k.tier1 * self.tier1 + k.traps * self.traps.unwrap_or(0.0) + k.calibration * calibration
    }

    /// Whether it may be paid: its mean advantage is enough, or there was none.
    #[must_use]
    pub fn is_worthy(&self, k: &Constants) -> bool {
        self.traps.is_none_or(|traps| traps >= k.worthy)
    }
}

/// The days from the seventh newest round to today; `None` without rounds.
fn newest(k: &Constants, today: i64, rounds: &[i64]) -> Option<RangeInclusive<i64>> {
    let past = &rounds[..rounds.partition_point(|day| *day <= today)];
    past[past.len().saturating_sub(k.lately)..].first().map(|first| *first..=today)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::{Asked, Constants, Record, Tiers};

    const K: Constants = Constants::V2;

    fn counted(tier1: f64, advantage: Option<f64>) -> Asked {
        Asked { tier1: Some(tier1), advantage, forgiven: false }
    }

    fn same(one: Option<f64>, two: Option<f64>) {
        assert!(one.zip(two).map_or(one.is_none() == two.is_none(), |(one, two)| (one - two).abs() < 1e-12));
    }

    #[test]
    fn rounds_it_was_not_asked_in_stand_nowhere() {
        let rounds: Vec<i64> = (60..=100).collect();
        let absent = Asked::default();
        let record =
            Record::from([(60, absent), (95, absent), (99, counted(1.0, Some(0.1))), (100, counted(0.5, Some(0.5)))]);
        let tiers = Tiers::of(&K, 100, &rounds, &record);
        same(Some(tiers.tier1), Some(0.5));
        same(tiers.traps, Some(0.3));
        same(Some(tiers.lately), Some(1.0 / 3.0));
        let forgiven = Record::from([(95, Asked { forgiven: true, ..absent }), (100, counted(1.0, None))]);
        let tiers = Tiers::of(&K, 100, &rounds, &forgiven);
        same(Some(tiers.tier1), Some(1.0));
        same(Some(tiers.lately), Some(0.5));
        same(tiers.traps, None);
        assert!(tiers.is_worthy(&K), "there were no traps");
    }

    #[test]
    fn newest_rounds_are_the_subnets() {
        let rounds: Vec<i64> = (0..10).map(|at| 10 * at).collect();
        let record = Record::from([(20, Asked::default()), (30, counted(1.0, None)), (90, counted(1.0, Some(0.19)))]);
        same(Some(Tiers::of(&K, 90, &rounds, &record).lately), Some(0.5));
        same(Some(Tiers::of(&K, 90, &rounds, &Record::new()).lately), Some(0.0));
    }
}
