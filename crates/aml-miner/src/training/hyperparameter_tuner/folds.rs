//! Time-series folds before the test period: each validates on later days than it trains on.

use std::collections::HashSet;

use crate::training::config::{SharedAddresses, SplitConfig};
use crate::training::samples::{DAY_MS, Day, Samples};
use crate::training::split::{SplitError, plan};

/// One fold.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Learnt from.
    pub train: Samples,
    /// Measured.
    pub validation: Samples,
}

/// Why there are no folds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The days cannot even be split once.
    #[error("cannot split the days")]
    Split(#[from] SplitError),
    /// No fold has both classes on both sides.
    #[error("none of {asked} folds has rows of both classes to train and to validate on: give more days")]
    None {
        /// Folds asked for.
        asked: u32,
    },
}

/// Up to `count` folds of the days before the test period, oldest first; those that lack a class are left out.
///
/// # Errors
/// When there are too few days.
pub fn folds(samples: &Samples, config: &SplitConfig, count: u32) -> Result<Vec<Fold>, FoldError> {
    let dates: Vec<i32> = samples.days.iter().map(|day| day.date).collect();
    let periods = plan(&dates, config)?;
    let end = i64::from(periods.test.0) - 1 - i64::from(config.embargo_days);
    let usable: Vec<&Day> = samples.days.iter().filter(|day| i64::from(day.date) <= end).collect();
    let width = usable.iter().filter(|day| day.date >= periods.validation.0).count().max(1);
    let mut folds = Vec::new();
    for back in (0..count as usize).rev() {
        let Some(stop) = usable.len().checked_sub(back * width) else { continue };
        let Some(start) = stop.checked_sub(width) else { continue };
        let known_by = i64::from(periods.test.0) * DAY_MS;
        let cut = Cut { before: &usable[..start], window: &usable[start..stop], known_by };
        if let Some(fold) = fold(samples, &cut, config) {
            folds.push(fold);
        }
    }
    if folds.is_empty() { Err(FoldError::None { asked: count }) } else { Ok(folds) }
}

/// Where a fold is cut out of the days.
struct Cut<'a> {
    before: &'a [&'a Day],
    window: &'a [&'a Day],
    /// Labels of the window that become known later do not count, in ms since 1970.
    known_by: i64,
}

fn fold(samples: &Samples, cut: &Cut<'_>, config: &SplitConfig) -> Option<Fold> {
    let Cut { before, window, known_by } = *cut;
    let first = window.first()?.date;
    let last_train = i64::from(first) - 1 - i64::from(config.embargo_days);
    let validation = keep(samples, window, |row| row.known_at < known_by);
    let held: HashSet<u32> = validation.rows().flat_map(|row| row.addresses.iter().copied()).collect();
    let alone = config.shared_addresses == SharedAddresses::Both;
    let days: Vec<&Day> = before.iter().copied().filter(|day| i64::from(day.date) <= last_train).collect();
    let train = keep(samples, &days, |row| {
        row.known_at < i64::from(first) * DAY_MS
            && (alone || !row.addresses.iter().any(|address| held.contains(address)))
    });
    let both = |samples: &Samples| (1..samples.len()).contains(&samples.positives());
    (both(&train) && both(&validation)).then_some(Fold { train, validation })
}

fn keep(samples: &Samples, days: &[&Day], wanted: impl Fn(&crate::training::samples::Row) -> bool) -> Samples {
    let kept = days.iter().map(|day| {
        let mut day = (*day).clone();
        day.retain(&wanted);
        day
    });
    samples.with_days(kept.collect())
}
