//! Times as the API writes them.

use chrono::{DateTime, SecondsFormat};

/// Milliseconds since 1970 as RFC 3339 in UTC.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
