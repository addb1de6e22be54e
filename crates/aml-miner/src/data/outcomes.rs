//! Which outcomes of a batch count: those that became known after the day of the batch. One that was known on the day
//! itself may have been known to whoever raised the alert, so it is neither learnt from nor settled by.

use chrono::NaiveDate;

use crate::table::cells::DAY_MS;
use crate::wire::Table;

/// The rows of `labels`, of a batch of `processing_date`, that became known when that day (UTC) was over.
#[must_use]
pub fn usable_rows(labels: &Table, processing_date: NaiveDate) -> Vec<usize> {
    let day_end = (f64::from(processing_date.to_epoch_days()) + 1.0) * DAY_MS;
    let known = labels.numbers("confirmed_at").unwrap_or_default();
    (0..known.len()).filter(|&row| known[row] >= day_end).collect()
}
