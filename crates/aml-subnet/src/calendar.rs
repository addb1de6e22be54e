//! Days as ledgers, rules and metrics count them, since 1970-01-01, and times as people read them.

use std::time::Duration;

use aml_miner::clock::millis;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 3600 * 1000;
/// Seconds of a day.
const DAY_SECONDS: u64 = 24 * 3600;

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

/// A calendar day as it is written here: `YYYY-MM-DD` and nothing else.
#[must_use]
pub fn date_from(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text)
}

/// The day at a time since 1970.
#[must_use]
pub fn day_at(time: Duration) -> i64 {
    day_at_ms(millis(time))
}

/// The day at a time in milliseconds since 1970.
#[must_use]
pub const fn day_at_ms(millis: i64) -> i64 {
    millis.div_euclid(DAY_MS)
}

/// The beginning of a day in milliseconds since 1970.
#[must_use]
pub fn start_ms(date: NaiveDate) -> i64 {
    day_of(date) * DAY_MS
}

/// Whole days, rounded up.
#[must_use]
pub fn whole_days(span: Duration) -> i64 {
    i64::try_from(span.as_secs().div_ceil(DAY_SECONDS)).unwrap_or(i64::MAX / 2)
}

/// Milliseconds since 1970 as RFC 3339 in UTC, whole seconds.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_say_the_same() {
        let date = date_from("2026-01-05").unwrap();
        assert_eq!(date_of(day_of(date)), date);
        assert_eq!(rfc3339(start_ms(date)), "2026-01-05T00:00:00Z");
        assert_eq!(day_at_ms(start_ms(date)), day_of(date));
        assert_eq!(day_at_ms(start_ms(date) - 1), day_of(date) - 1, "one millisecond earlier is the day before");
        assert_eq!(day_at_ms(-1), -1);
    }

    #[test]
    fn only_the_usual_form_is_a_day() {
        for text in ["2026-1-5", "+2026-01-05", " 2026-01-05", "2026-02-30", ""] {
            assert_eq!(date_from(text), None, "{text}");
        }
    }

    #[test]
    fn begun_days_count() {
        assert_eq!([0, 1, 86_400, 86_401].map(|seconds| whole_days(Duration::from_secs(seconds))), [0, 1, 1, 2]);
    }
}
