//! Labelled rows from batch directories: read, verified, joined with labels, turned into features.
//!
//! One block of a batch is in memory at a time; what stays are the labelled rows' features. A label counts only when it became
//! known after the day of the batch.

mod alerts;
mod clusters;
mod reader;
mod source;

pub use alerts::alerts;
pub use clusters::{AlertScores, clusters};
pub use reader::{AssembleError, Assembled, Range, Summary};
