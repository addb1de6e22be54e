//! The split by time: training, validation and test, an embargo between them, and no address on two sides.
//!
//! Nothing is learnt from a label that was not yet known when the next period began.

use std::collections::HashSet;

use crate::training::config::{SharedAddresses, SplitConfig};
use crate::training::samples::{DAY_MS, Day, Samples};

/// First and last day of each period, both included, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Learnt from.
    pub train: (i32, i32),
    /// Stops boosting and calibrates.
    pub validation: (i32, i32),
    /// Only measured.
    pub test: (i32, i32),
}

/// Why days cannot be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The range of days is too short.
    #[error(
        "{days} day(s) with labelled rows are too few: test takes {test}, validation {validation}, each after an \
         embargo of {embargo} day(s), and nothing is left to train on; give more days, or lower split.embargo_days, \
         split.test_share or split.validation_share"
    )]
    TooShort {
        /// Days with labelled rows.
        days: usize,
        /// Days that test takes.
        test: usize,
        /// Days that validation takes.
        validation: usize,
        /// Days left out before each.
        embargo: u32,
    },
    /// A period lacks a class.
    #[error(
        "the {period} period has {rows} usable rows, {positives} of them illicit: both classes are needed \
         ({late} rows were left out because their label was not known yet, {shared} because their address is in \
         another period); give more days, a longer split.embargo_days or larger shares"
    )]
    OneClass {
        /// Which period.
        period: &'static str,
        /// Rows in it.
        rows: usize,
        /// Illicit rows in it.
        positives: usize,
        /// Rows whose label came too late.
        late: usize,
        /// Rows whose address is in another period.
        shared: usize,
    },
}

/// Rows left out of one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// Because their label was not known when the next period began.
    pub label_too_late: usize,
    /// Because their address has rows in another period.
    pub shared_address: usize,
}

/// The three periods' rows.
#[derive(Clone, Debug)]
pub struct Split {
    /// Where the periods begin and end.
    pub periods: Periods,
    /// Learnt from.
    pub train: Samples,
    /// Stops boosting and calibrates.
    pub validation: Samples,
    /// Only measured.
    pub test: Samples,
    /// Rows left out of training, validation and test.
    pub left_out: [LeftOut; 3],
}

/// Chooses the periods for sorted, distinct `dates`.
///
/// # Errors
/// When no day is left to train on.
pub fn plan(dates: &[i32], config: &SplitConfig) -> Result<Periods, SplitError> {
    let (test_days, validation_days) =
        (share_of(dates.len(), config.test_share), share_of(dates.len(), config.validation_share));
    let too_short = || SplitError::TooShort {
        days: dates.len(),
        test: test_days,
        validation: validation_days,
        embargo: config.embargo_days,
    };
    let (before_test, test) = take_last(dates, test_days).ok_or_else(too_short)?;
    let before_test = before(before_test, test.0, config.embargo_days);
    let (before_validation, validation) = take_last(before_test, validation_days).ok_or_else(too_short)?;
    let train_days = before(before_validation, validation.0, config.embargo_days);
    match (train_days.first(), train_days.last()) {
        (Some(&first), Some(&last)) => Ok(Periods { train: (first, last), validation, test }),
        _ => Err(too_short()),
    }
}

/// Splits `samples`; every period has rows of both classes.
///
/// # Errors
/// When the days are too few, or a period lacks a class.
pub fn split(samples: Samples, config: &SplitConfig) -> Result<Split, SplitError> {
    let dates: Vec<i32> = samples.days.iter().map(|day| day.date).collect();
    let periods = plan(&dates, config)?;
    let empty = samples.with_days(Vec::new());
    let mut parts: [Vec<Day>; 3] = Default::default();
    for day in samples.days {
        let within = |(first, last): (i32, i32)| (first..=last).contains(&day.date);
        if let Some(part) = [periods.train, periods.validation, periods.test].into_iter().position(within) {
            parts[part].push(day);
        }
    }
    let mut left_out = [LeftOut::default(); 3];
    let known_by = [periods.validation.0, periods.test.0];
    for (part, &start) in known_by.iter().enumerate() {
        left_out[part].label_too_late = drop_rows(&mut parts[part], |row| row.known_at >= i64::from(start) * DAY_MS);
    }
    separate_addresses(&mut parts, config.shared_addresses, &mut left_out);
    let [train, validation, test] = parts.map(|days| empty.with_days(days));
    for ((period, samples), left) in
        [("training", &train), ("validation", &validation), ("test", &test)].into_iter().zip(&left_out)
    {
        must_have_both(period, samples, left)?;
    }
    Ok(Split { periods, train, validation, test, left_out })
}

fn must_have_both(period: &'static str, samples: &Samples, left: &LeftOut) -> Result<(), SplitError> {
    let (rows, positives) = (samples.len(), samples.positives());
    if positives > 0 && positives < rows {
        return Ok(());
    }
    Err(SplitError::OneClass { period, rows, positives, late: left.label_too_late, shared: left.shared_address })
}

fn separate_addresses(parts: &mut [Vec<Day>; 3], policy: SharedAddresses, left_out: &mut [LeftOut; 3]) {
    let order: [usize; 3] = match policy {
        SharedAddresses::Both => return,
        SharedAddresses::Later => [2, 1, 0],
        SharedAddresses::Earlier => [0, 1, 2],
    };
    let mut taken: HashSet<u32> = HashSet::new();
    for part in order {
        let shared = |row: &super::samples::Row| row.addresses.iter().any(|address| taken.contains(address));
        left_out[part].shared_address = drop_rows(&mut parts[part], shared);
        taken.extend(parts[part].iter().flat_map(|day| &day.rows).flat_map(|row| row.addresses.iter().copied()));
    }
}

/// Drops the rows for which `wrong` holds; how many those were.
fn drop_rows(days: &mut [Day], wrong: impl Fn(&super::samples::Row) -> bool) -> usize {
    let mut dropped = 0;
    for day in days {
        let before = day.rows.len();
        day.retain(|row| !wrong(row));
        dropped += before - day.rows.len();
    }
    dropped
}

/// The last `count` of `dates` as a period, and the dates before it.
fn take_last(dates: &[i32], count: usize) -> Option<(&[i32], (i32, i32))> {
    let cut = dates.len().checked_sub(count)?;
    let (rest, period) = dates.split_at(cut);
    Some((rest, (*period.first()?, *period.last()?)))
}

/// Those of `dates` that are more than `embargo` days before `start`.
fn before(dates: &[i32], start: i32, embargo: u32) -> &[i32] {
    let last = i64::from(start) - 1 - i64::from(embargo);
    &dates[..dates.partition_point(|&date| i64::from(date) <= last)]
}

/// At least one day.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most 1 of a number of days"
)]
fn share_of(days: usize, share: f64) -> usize {
    ((days as f64 * share).round() as usize).max(1)
}
