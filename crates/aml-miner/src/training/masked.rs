//! Rows that learn without earlier days, so that an address that nobody knows is missing and not new.
//!
//! Addresses that a state does not know are few where a model learns, and most of them are new: it would take what is missing for a sign of
//! that. Traps have invented addresses. So the features of earlier days are made missing in a share of the rows, whichever outcome they have.

use std::borrow::Cow;

use crate::digest::Digest;
use crate::training::samples::{Row, Samples};

/// `samples` with the features of earlier days missing in about `share` of the rows, which follow from `seed` and their ids.
#[must_use]
pub fn masked(samples: Cow<'_, Samples>, share: f64, seed: u64) -> Cow<'_, Samples> {
    let columns = samples.schema.history();
    if columns.is_empty() || share <= 0.0 {
        return samples;
    }
    let mut samples = samples.into_owned();
    for day in &mut samples.days {
        for row in (0..day.rows.len()).filter(|&row| drawn(&day.rows[row], seed) < share) {
            let values = day.matrix.row_mut(row);
            columns.iter().for_each(|&column| values[column] = f64::NAN);
        }
    }
    Cow::Owned(samples)
}

/// A number from 0 to 1 that a row has under a seed.
fn drawn(row: &Row, seed: u64) -> f64 {
    let digest = Digest::of(format!("aml-masked/1\n{seed}\n{}", row.id).as_bytes());
    let first: [u8; 4] = std::array::from_fn(|place| digest.as_bytes()[place]);
    f64::from(u32::from_be_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}
