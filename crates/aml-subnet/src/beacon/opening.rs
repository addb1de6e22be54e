//! When the answers of a round are opened: by rule from the task alone, never by vote.

use serde::{Deserialize, Serialize};

use super::{Beacon, BeaconRound};

/// Clocks may be off by so much.
const SKEW_S: u64 = 30;
/// Without a usual opening no opening is further away.
const FURTHEST_S: u64 = 3600;

/// The rule. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRule {
    /// After the beginning of the day that the batch is of; without it the grid alone decides, as on development chains.
    pub after_day_s: Option<u64>,
    /// An opening is at least so far away when the task is made.
    pub least_s: u64,
    /// Later openings are whole multiples of this.
    pub grid_s: u64,
    /// Nobody is asked any more so shortly before an opening, and an answer that arrives then came too late: no clock is off
    /// by more.
    pub margin_s: u64,
}

impl OpeningRule {
    /// The subnet's: 30 hours after the day begins if that is an hour away, else the next multiple of six hours that is.
    pub const SUBNET: Self = Self { after_day_s: Some(30 * 3600), least_s: 3600, grid_s: 6 * 3600, margin_s: SKEW_S };

    /// A development chain's: the next multiple of `seconds` that is as far away.
    #[must_use]
    pub const fn development(seconds: u64) -> Self {
        let seconds = if seconds == 0 { 1 } else { seconds };
        Self { after_day_s: None, least_s: seconds, grid_s: seconds, margin_s: 0 }
    }

    /// The opening of a round about the day that begins at `day_s`, whose task is made at `now_s`.
    #[must_use]
    pub fn opening_s(&self, day_s: u64, now_s: u64) -> u64 {
        let soonest = now_s.saturating_add(self.least_s);
        let usual = self.after_day_s.map(|after| day_s.saturating_add(after)).filter(|usual| *usual >= soonest);
        usual.unwrap_or_else(|| soonest.div_ceil(self.grid_s.max(1)).saturating_mul(self.grid_s.max(1)))
    }

    /// Whether a task of that day can have this opening at all, whenever it was made.
    #[must_use]
    pub fn allows(&self, day_s: u64, opening_s: u64) -> bool {
        let usual = self.after_day_s.map_or(0, |after| day_s.saturating_add(after));
        opening_s == usual || (opening_s > usual && opening_s.is_multiple_of(self.grid_s.max(1)))
    }

    /// The opening that an answer locked to `round` has, where a task of that day can have it.
    #[must_use]
    pub fn opening_of(&self, day_s: u64, round: BeaconRound) -> Option<u64> {
        // Rounds and openings are not at the same seconds: the opening is the last one that the round is the first after.
        let period = round.beacon.period_s();
        let due = round.time_s();
        (due.saturating_sub(period - 1)..=due)
            .rev()
            .find(|opening| self.allows(day_s, *opening) && BeaconRound::opening_at(round.beacon, *opening) == round)
    }

    /// Whether a miner that was never asked about the round takes this opening at `now_s`: not in the past, not far away, and
    /// the usual one as long as that is far enough away.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn first_is_good(&self, day_s: u64, opening_s: u64, now_s: u64) -> Result<(), &'static str> {
        if !self.allows(day_s, opening_s) {
            return Err("no opening by the rule");
        }
        if opening_s < now_s.saturating_add(self.least_s / 4) {
            return Err("too soon");
        }
        // What a task can be made for now, by a clock that is off.
        let latest = match self.after_day_s {
            None => now_s.saturating_add(FURTHEST_S),
            Some(_) => self.opening_s(day_s, now_s.saturating_add(SKEW_S)),
        };
        if opening_s > latest.max(self.opening_s(day_s, now_s)) {
            return Err("too far away");
        }
        let usual = self.after_day_s.map(|after| day_s.saturating_add(after));
        let due = usual.filter(|usual| *usual >= now_s.saturating_add(self.least_s + SKEW_S));
        if due.is_some_and(|usual| usual != opening_s) { Err("not the usual opening of its day") } else { Ok(()) }
    }
}

impl Beacon {
    /// The rule that miners hold openings against; on a development chain the grid is a second.
    #[must_use]
    pub const fn rule(self) -> OpeningRule {
        match self {
            Self::Quicknet => OpeningRule::SUBNET,
            Self::Development => OpeningRule::development(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beacon, BeaconRound, OpeningRule};

    const DAY: u64 = 1_767_571_200; // 2026-01-05
    const HOUR: u64 = 3600;

    #[test]
    fn the_usual_opening_is_thirty_hours_after_the_day_begins() {
        let rule = OpeningRule::SUBNET;
        assert_eq!(rule.opening_s(DAY, DAY), DAY + 30 * HOUR);
        assert_eq!(rule.opening_s(DAY, DAY + 29 * HOUR), DAY + 30 * HOUR);
        assert_eq!(rule.opening_s(DAY, DAY + 29 * HOUR + 1), DAY + 36 * HOUR);
        assert_eq!(rule.opening_s(DAY, DAY + 35 * HOUR), DAY + 36 * HOUR);
        assert_eq!(rule.opening_s(DAY, DAY + 35 * HOUR + 1), DAY + 42 * HOUR);
        assert_eq!(OpeningRule::development(5).opening_s(DAY, DAY + 1), DAY + 10);
    }

    #[test]
    fn a_miner_takes_what_a_validator_with_a_good_clock_names_and_nothing_else() {
        let rule = OpeningRule::SUBNET;
        for now in (DAY..DAY + 60 * HOUR).step_by(311) {
            for skew in [-30_i64, 0, 30] {
                let theirs = now.checked_add_signed(skew).unwrap();
                assert_eq!(rule.first_is_good(DAY, rule.opening_s(DAY, theirs), now), Ok(()), "{now} {skew}");
            }
        }
        assert!(rule.first_is_good(DAY, DAY + 12 * HOUR, DAY + 8 * HOUR).is_err(), "before the usual one");
        assert!(rule.first_is_good(DAY, DAY + 48 * HOUR, DAY + 8 * HOUR).is_err(), "after it");
        assert!(rule.first_is_good(DAY, DAY + 36 * HOUR, DAY + 36 * HOUR - 60).is_err(), "too soon");
        assert!(rule.first_is_good(DAY, DAY + 30 * HOUR + 1, DAY).is_err(), "at no multiple of six hours");
    }

    #[test]
    fn the_opening_follows_from_the_round() {
        for beacon in [Beacon::Quicknet, Beacon::Development] {
            for opening in [DAY + 30 * HOUR, DAY + 36 * HOUR, DAY + 42 * HOUR, DAY + 48 * HOUR] {
                let round = BeaconRound::opening_at(beacon, opening);
                assert_eq!(OpeningRule::SUBNET.opening_of(DAY, round), Some(opening));
                let next = BeaconRound { round: round.round + 1, ..round };
                assert_eq!(OpeningRule::SUBNET.opening_of(DAY, next), None);
            }
        }
    }
}
