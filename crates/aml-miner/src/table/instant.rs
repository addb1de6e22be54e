//! Instants: as text in the form of ISO 8601, and whether a number of milliseconds can mean one.
//!
//! A time without a zone is UTC. A number that lies decades from the day it is told with was counted in another unit.

use super::date::{date_of_days, days_of_date};
use crate::table::cells::DAY_MS;
use crate::table::excerpt;
use crate::table::flaw::CellProblem;

/// Days from the day of a batch within which an instant can lie: the oldest chain is younger than this.
const FARTHEST_DAYS: f64 = 30.0 * 365.25;
/// Where instants lie when no day is known: 2001-09-09 to 2099-12-04.
const USUAL: std::ops::RangeInclusive<f64> = 1e12..=4.1e12;
/// Units in which people count, and how many milliseconds one has.
const UNITS: [(&str, f64); 3] = [("seconds", 1e3), ("microseconds", 1e-3), ("nanoseconds", 1e-6)];

/// A number of milliseconds that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The unit in which it would lie near.
    pub unit: Option<&'static str>,
}

/// Whether `ms` cannot be an instant of a batch of `day` (days since 1970-01-01). Without a day only numbers that are
/// usual in another unit are doubted.
#[must_use]
pub fn doubt(ms: f64, day: Option<f64>) -> Option<Doubt> {
    let near = |ms: f64| match day {
        Some(day) => (ms / DAY_MS - day).abs() <= FARTHEST_DAYS,
        None => USUAL.contains(&ms),
    };
    if ms.is_nan() || near(ms) {
        return None;
    }
    let unit = UNITS.iter().find(|(_, factor)| near(ms * factor)).map(|(name, _)| *name);
    (day.is_some() || unit.is_some()).then_some(Doubt { unit })
}

/// Milliseconds since the epoch of a text such as `2025-10-26T08:30:00Z`, `2025-10-26 08:30:00.123+02:00` or
/// `2025-10-26`, or of a number of milliseconds.
///
/// # Errors
/// When it is neither, or finer than a millisecond.
pub fn ms_from_text(text: &str) -> Result<f64, CellProblem> {
    let wrong = || CellProblem::NotATime(excerpt(text));
    let Some(day) = text.get(..10).and_then(days_of_date) else {
        return super::cells::from_text(text).map_err(|problem| match problem {
            CellProblem::NotANumber(_) => wrong(),
            other => other,
        });
    };
    let day_ms = f64::from(day) * DAY_MS;
    let rest = text.get(10..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(day_ms);
    }
    let clock = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wrong)?;
    let (clock, zone) = split_zone(clock).ok_or_else(wrong)?;
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let seconds = seconds_of(clock).ok_or_else(wrong)?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    if !nanos.is_multiple_of(1_000_000) {
        return Err(CellProblem::TooFine(excerpt(text)));
    }
    Ok(day_ms + f64::from(seconds - zone * 60) * 1e3 + f64::from(nanos / 1_000_000))
}

/// The time of day, and the minutes by which its zone is ahead of UTC.
fn split_zone(clock: &str) -> Option<(&str, i32)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0)) };
    let (clock, zone) = clock.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.chars().skip(1).filter(|letter| *letter != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (two(&digits)?, 0),
        4 => (two(digits.get(..2)?)?, two(digits.get(2..)?)?),
        _ => return None,
    };
    (hours <= 15 && minutes < 60).then_some((clock.trim_end(), sign * (hours * 60 + minutes)))
}

/// Seconds since midnight of `HH:MM` or `HH:MM:SS`.
fn seconds_of(clock: &str) -> Option<i32> {
    let mut parts = clock.split(':');
    let (hours, minutes) = (two(parts.next()?)?, two(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), two)?;
    let fits = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    fits.then_some(hours * 3600 + minutes * 60 + seconds)
}

fn two(text: &str) -> Option<i32> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// An instant for a message: the day it lies on; where there is no such day, the number.
#[must_use]
pub(crate) fn day_of_ms(ms: f64) -> String {
    let days = (ms / DAY_MS).floor();
    format!("{days:.0}").parse().ok().and_then(date_of_days).unwrap_or_else(|| "no date".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_of_one_instant_are_the_same() {
        let ms = 1_761_467_400_000.0;
        for text in [
            "2025-10-26T08:30:00Z",
            "2025-10-26 08:30",
            "2025-10-26T08:30:00.000",
            "2025-10-26T10:30:00+02:00",
            "2025-10-26T03:00:00-0530",
            "2025-10-26T10:30:00.000000000+02",
            "1761467400000",
            "1.7614674e12",
        ] {
            assert_eq!(ms_from_text(text), Ok(ms), "{text}");
        }
        assert_eq!(ms_from_text("1970-01-02"), Ok(DAY_MS));
        assert_eq!(ms_from_text("1969-12-31T23:59:59.999Z"), Ok(-1.0));
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "yesterday",
            "26.10.2025",
            "2025-10-26T",
            "2025-10-26T25:00",
            "2025-02-29T00:00",
            "2025-10-26T08",
            "2025-10-26T08:30:00+2",
            "2025-10-26T08:30:00.",
            "2025-10-26x08:30",
            "2025-10-26T08:30:60",
            "2025-10-26T08:30:00.0001",
            "2025-10-26T+1:30",
            "ab",
            "é2025-10-26",
        ] {
            assert!(ms_from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_in_another_unit_is_doubted_by_its_name() {
        let day = Some(20_387.0);
        let unit = |ms, day| doubt(ms, day).map(|doubt| doubt.unit);
        assert_eq!(unit(1_761_467_400_000.0, day), None);
        assert_eq!(unit(1_761_467_400.0, day), Some(Some("seconds")));
        assert_eq!(unit(1_761_467_400.0, None), Some(Some("seconds")));
        assert_eq!(unit(1_761_467_400_000_000.0, day), Some(Some("microseconds")));
        assert_eq!(unit(1_761_467_400_000_000_000.0, None), Some(Some("nanoseconds")));
        assert_eq!(unit(0.0, day), Some(None));
        assert_eq!(unit(0.0, None), None);
        assert_eq!(unit(f64::NAN, day), None);
    }
}
