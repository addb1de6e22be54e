//! Days as ledgers, rules and metrics count them: since 1970-01-01.

use chrono::{Duration, NaiveDate};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 3600 * 1000;

/// Days since 1970-01-01.
#[must_use]
pub fn day_of(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

/// The calendar day, from days since 1970-01-01; the first day for what no calendar has.
#[must_use]
pub fn date_of(day: i64) -> NaiveDate {
    Duration::try_days(day).and_then(|days| NaiveDate::default().checked_add_signed(days)).unwrap_or_default()
}
