//! Addresses that come again: what becomes of their rows where a model learns from them.
//!
//! The split keeps an address on one side, so that a model is judged on addresses that it has not seen. Here it is about the
//! rows that are learnt from: whether an address with many rows counts more than one with a single row.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::training::config::Returning;
use crate::training::samples::{Day, Samples};

/// The rows of `samples` that are learnt from.
#[must_use]
pub fn learnt(samples: &Samples, how: Returning) -> Cow<'_, Samples> {
    match how {
        Returning::Keep | Returning::Weight => Cow::Borrowed(samples),
        Returning::Last => Cow::Owned(of_last_days(samples)),
    }
}

/// The rows none of whose addresses has a row on a later day.
fn of_last_days(samples: &Samples) -> Samples {
    let mut later: HashSet<u32> = HashSet::new();
    let mut days: Vec<Day> = Vec::with_capacity(samples.days.len());
    for day in samples.days.iter().rev() {
        let here = day.rows.iter().flat_map(|row| row.addresses.iter().copied());
        let mut kept = day.clone();
        kept.retain(|row| !row.addresses.iter().any(|address| later.contains(address)));
        days.push(kept);
        later.extend(here);
    }
    days.reverse();
    samples.with_days(days)
}

/// One weight per row, 1 on average: the rows of an address weigh as much together as those of any other. A row about several
/// addresses goes by the one with most rows.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a weight needs no more precision")]
pub fn weights(samples: &Samples) -> Vec<f32> {
    let mut rows_of: HashMap<u32, usize> = HashMap::new();
    samples.rows().flat_map(|row| &row.addresses).for_each(|address| *rows_of.entry(*address).or_default() += 1);
    let most = |addresses: &[u32]| addresses.iter().filter_map(|one| rows_of.get(one)).max().copied().unwrap_or(1);
    let shares: Vec<f64> = samples.rows().map(|row| 1.0 / most(&row.addresses) as f64).collect();
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    shares.into_iter().map(|share| (share / mean) as f32).collect()
}
