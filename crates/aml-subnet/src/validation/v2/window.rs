//! Which rounds are looked back on, and which of their outcomes count.

use std::ops::RangeInclusive;

use crate::validation::v2::constants::Constants;

/// What counts on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    today: i64,
    days: i64,
    earliest: i64,
    latest: i64,
}

impl Window {
    /// The window of `today`.
    #[must_use]
    pub const fn new(k: &Constants, today: i64) -> Self {
        Self { today, days: k.days, earliest: k.earliest, latest: k.latest }
    }

    /// The days of the rounds that are looked back on: thirty of them, the youngest seven days old. Those of them with at
    /// least one outcome that counts are the window's rounds.
    #[must_use]
    pub const fn rounds(&self) -> RangeInclusive<i64> {
        self.today - self.earliest - self.days + 1..=self.today - self.earliest
    }

    /// Whether an outcome of the round of `day` counts that became known on the day `known`: by `day + 21` and by today.
    #[must_use]
    pub const fn counts(&self, day: i64, known: i64) -> bool {
        known <= self.today && known <= day + self.latest
    }

    /// The first of the days whose rounds make up tier 1 and the mean advantage on traps; today is the last.
    #[must_use]
    pub const fn recent(&self) -> RangeInclusive<i64> {
        self.today - self.days + 1..=self.today
    }

    /// Whether who was first asked on the day `first` can still be a newcomer: no outcome of the window is older.
    #[must_use]
    pub const fn is_new(&self, first: i64) -> bool {
        first > self.today - self.days - self.earliest
    }

    /// Whether no outcome of the round of `day` can come any more: its last day is over.
    #[must_use]
    pub const fn is_settled(&self, day: i64) -> bool {
        self.today > day + self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::{Constants, Window};

    #[test]
    fn days_are_those_of_the_rules() {
        let window = Window::new(&Constants::V2, 100);
        assert_eq!(window.rounds(), 64..=93);
        assert_eq!(window.recent(), 71..=100);
        assert!(window.counts(79, 100) && !window.counts(80, 101), "not before it is known");
        assert!(window.counts(70, 91) && !window.counts(70, 92), "not after 21 days");
        assert!(window.is_new(64) && !window.is_new(63), "first asked 36 days ago or less");
        assert!(window.is_settled(78) && !window.is_settled(79));
    }
}
