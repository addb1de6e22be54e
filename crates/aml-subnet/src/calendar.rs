//! Days as ledgers, rules and metrics count them, since 1970-01-01, and times as people read them.

use std::time::Duration;

use aml_miner::clock::millis;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};

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
    TimeDelta::try_days(day).and_then(|days| NaiveDate::default().checked_add_signed(days)).unwrap_or_default()
}

/// The day at a time since 1970.
#[must_use]
pub fn day_at(time: Duration) -> i64 {
    millis(time) / DAY_MS
}

/// Milliseconds since 1970 as RFC 3339 in UTC, whole seconds.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
