//! A request body: from JSON bytes to the columns of a batch, without a map per row.
//!
//! Broken JSON is told with line and column; values that a column cannot hold are told all at once, up to
//! [`BodyLimits::problems`]. Whether a body is accepted does not depend on which columns are kept ([`Needs`]), nor on how
//! the work is spread. A large body is cut where rows seem to begin; a cut counts only when the reader before it
//! arrives there at a row of the same table, so no text can make two readings of one body.

mod columns;
mod document;
mod join;
mod names;
mod reading;
mod rows;
mod split;
mod values;
mod write;

use crate::table::Batch;

pub use crate::table::date::{date_of_days, days_of_date};
pub use reading::{BodyLimits, Needs, ReadBodyError, Reading, TABLES};
pub use write::{Rows, write_body, write_rows};

/// Runs independent pieces of work, on this thread or on others.
pub trait Spread {
    /// What `work` gives for each of `0..count`, in order.
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T>;

    /// Whether what is not yet begun is no longer wanted.
    fn stopped(&self) -> bool {
        false
    }
}

/// One piece after the other, on this thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct InOrder;

impl Spread for InOrder {
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        (0..count).map(work).collect()
    }
}

/// Reads a body.
///
/// # Errors
/// When it is not JSON, or not a batch; see [`ReadBodyError`].
pub fn read_body(bytes: &[u8], reading: &Reading, spread: &(impl Spread + Sync)) -> Result<Batch, ReadBodyError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        join::broken(bytes, crate::wire::json::SyntaxError { at, what: "not valid UTF-8" })
    })?;
    let starts = split::starts(text, &reading.limits);
    let parts = spread.map(starts.len(), |index| {
        let until = starts.get(index + 1).map_or(text.len(), |next| next.at());
        (!spread.stopped()).then(|| document::Part::read(text, reading, starts[index], until))
    });
    let parts: Option<Vec<_>> = parts.into_iter().collect();
    join::join(text, reading, parts.ok_or(ReadBodyError::Stopped)?)
}
