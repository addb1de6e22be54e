//! The days of a season: when each begins, when its batch comes, and until when its round must be published.

use std::time::Duration;

use chrono::{Days, NaiveDate};

use super::cast::NETUID;
use super::plan::Plan;
use crate::calendar::{DAY_MS, start_ms};
use crate::store::records::RoundId;

/// A day.
pub(super) const DAY: Duration = Duration::from_millis(DAY_MS.unsigned_abs());
/// The source has the batch of a day so long after its midnight, when nothing is wrong.
pub(super) const BATCH_AT: Duration = Duration::from_secs(6 * 3600);
/// Days that features look back.
pub(super) const WINDOW_DAYS: u16 = 7;
/// Days between the batch that was there before and the first day: its outcomes are known.
pub(super) const APART: u64 = 21;
/// A sealed round is opened 30 hours after its day begins, and published within six more.
const OPENED: Duration = Duration::from_secs(36 * 3600);

/// The day of the batch that was there before.
pub(super) fn past() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 9, 1).unwrap_or_default()
}

/// The date of a day, counted from 0.
pub(super) fn date_of(day: u32) -> NaiveDate {
    past().checked_add_days(Days::new(APART + u64::from(day))).unwrap_or_default()
}

/// The day of a date; `None` before the first one.
pub(super) fn day_of(date: NaiveDate) -> Option<u32> {
    u32::try_from((date - date_of(0)).num_days()).ok()
}

/// The round of a day.
pub(super) fn round_of(day: u32) -> RoundId {
    RoundId { netuid: NETUID, date: date_of(day), window_days: WINDOW_DAYS }
}

/// When a simulation begins, since 1970: with the midnight of the first day.
pub(super) fn begins() -> Duration {
    Duration::from_millis(start_ms(date_of(0)).unsigned_abs())
}

/// The midnight of a day, since the simulation began.
pub(super) fn day_begins(day: u32) -> Duration {
    DAY * day
}

/// Until when the round of a day must be published.
pub(super) fn due(plan: &Plan, day: u32) -> Duration {
    day_begins(day) + if plan.sealed { OPENED } else { DAY }
}
