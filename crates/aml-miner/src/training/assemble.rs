//! Labelled rows from batch directories: read, verified, joined with labels, turned into features.
//!
//! One batch is in memory at a time; what stays are the labelled rows' features. A label counts only when it became
//! known after the day of the batch. Where features ask for earlier days, a state of addresses runs along: a day sees what the days before
//! it said, those before the range among them.

mod alerts;
mod clusters;
mod labels;
mod past;
mod reader;

pub use alerts::alerts;
pub use clusters::{AlertScores, clusters};
pub use reader::{AssembleError, Assembled, OneDay, Range, Summary};

pub(in crate::training) use past::{Earlier, on_day};
