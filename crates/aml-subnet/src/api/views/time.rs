//! Times and days as the API writes them.

use chrono::{DateTime, NaiveDate, SecondsFormat};

/// Milliseconds since 1970 as RFC 3339 in UTC.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Days since 1970-01-01.
#[must_use]
pub fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// The calendar day, from days since 1970-01-01.
#[must_use]
pub fn date(days: i64) -> NaiveDate {
    chrono::Duration::try_days(days).and_then(|days| NaiveDate::default().checked_add_signed(days)).unwrap_or_default()
}
