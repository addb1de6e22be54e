//! Labelled rows from batch directories: read, verified, joined with labels, turned into features.
//!
//! One block of a batch is in memory at a time; what stays are the labelled rows' features. A label counts only when it became
//! known after the day of the batch. Where features ask for earlier days, a state of addresses runs along: a day sees what the
//! days before it said, those before the range among them. For that each day is read as a whole, too.

mod alerts;
mod clusters;
mod labels;
mod past;
mod reader;
mod source;

pub use alerts::alerts;
pub use clusters::{AlertScores, clusters};
pub use reader::{AssembleError, Assembled, Range, Summary};

#[cfg(feature = "training")]
pub(in crate::training) use past::{Earlier, on_day};
