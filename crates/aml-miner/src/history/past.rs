//! What is known of one address, and the figures that features are made of.

use super::state::KEPT_DAYS;

/// Alerts of one address on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlertDay {
    /// Days since 1970-01-01.
    pub(super) day: i32,
    /// How many.
    pub(super) count: u32,
    /// The worst severity, from 1 (low) to 4 (critical); 0 where none is known.
    pub(super) severity: u8,
}

/// A row of `features` on one day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    /// Days since 1970-01-01.
    pub(super) day: i32,
    /// USD that the address moved within the window of that day; NaN where that is not known.
    pub(super) volume_usd: f64,
}

/// What is kept of one address: oldest first.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub(super) alerts: Vec<AlertDay>,
    pub(super) seen: Vec<Sighting>,
}

impl Past {
    /// The last day that says something of the address, in days since 1970-01-01.
    pub(super) fn last_day(&self) -> Option<i32> {
        let alert = self.alerts.last().map(|one| one.day);
        alert.max(self.seen.last().map(|one| one.day))
    }

    /// Forgets what was before the day `from`; says whether something is left.
    pub(super) fn forget(&mut self, from: i32) -> bool {
        self.alerts.drain(..self.alerts.partition_point(|one| one.day < from));
        self.seen.drain(..self.seen.partition_point(|one| one.day < from));
        self.last_day().is_some()
    }
}

/// What the days before a day say of an address: of the [`KEPT_DAYS`] before it, as far as the state reaches back.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub(super) past: &'a Past,
    pub(super) day: i32,
}

impl Known<'_> {
    /// Alerts within the `days` days before the day.
    #[must_use]
    pub fn alerts_within(&self, days: i32) -> f64 {
        let from = self.day.saturating_sub(days);
        self.kept_alerts().iter().filter(|one| one.day >= from).map(|one| f64::from(one.count)).sum()
    }

    /// All alerts.
    #[must_use]
    pub fn alerts(&self) -> f64 {
        self.alerts_within(KEPT_DAYS)
    }

    /// Days from the last alert to the day; NaN where there was none.
    #[must_use]
    pub fn days_since_alert(&self) -> f64 {
        self.since(self.kept_alerts().last().map(|last| last.day))
    }

    /// Days from the first alert to the day; NaN where there was none.
    #[must_use]
    pub fn days_since_first_alert(&self) -> f64 {
        self.since(self.kept_alerts().first().map(|first| first.day))
    }

    /// The worst severity of all alerts, from 1 (low) to 4 (critical); 0 where there was none.
    #[must_use]
    pub fn worst_severity(&self) -> f64 {
        f64::from(self.kept_alerts().iter().map(|one| one.severity).max().unwrap_or(0))
    }

    /// Days from the first sign of the address, an alert or a row of `features`, to the day.
    #[must_use]
    pub fn days_since_first_seen(&self) -> f64 {
        let alert = self.kept_alerts().first().map(|one| one.day);
        let seen = self.kept_seen().first().map(|one| one.day);
        self.since(alert.into_iter().chain(seen).min())
    }

    /// Days on which the address had a row of `features`.
    #[must_use]
    pub fn days_seen(&self) -> f64 {
        self.kept_seen().iter().map(|_| 1.0).sum()
    }

    /// Mean USD moved within a window, over the days on which it is known; NaN where it never is.
    #[must_use]
    pub fn mean_volume_usd(&self) -> f64 {
        let known = self.kept_seen().iter().map(|one| one.volume_usd).filter(|value| !value.is_nan());
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        if count > 0.0 { sum / count } else { f64::NAN }
    }

    fn since(&self, day: Option<i32>) -> f64 {
        day.map_or(f64::NAN, |day| f64::from(self.day.saturating_sub(day)))
    }

    /// The alerts of the days that count.
    fn kept_alerts(&self) -> &[AlertDay] {
        let from = self.day.saturating_sub(KEPT_DAYS);
        &self.past.alerts[self.past.alerts.partition_point(|one| one.day < from)..]
    }

    /// The sightings of the days that count.
    fn kept_seen(&self) -> &[Sighting] {
        let from = self.day.saturating_sub(KEPT_DAYS);
        &self.past.seen[self.past.seen.partition_point(|one| one.day < from)..]
    }
}
