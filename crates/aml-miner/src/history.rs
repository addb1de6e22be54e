//! What earlier days say of addresses: a state that is built from batches, one row per address, and its file.
//!
//! A day may use what the days before it said and nothing else: [`History::past`] of a day that the state contains, or of one
//! before it, is nothing. The state is bounded: it keeps [`KEPT_DAYS`] days and at most [`MAX_ADDRESSES`] addresses. A state that runs along with the days ([`Running`]) equals the one that is built from them.

mod build;
mod facts;
mod file;
mod past;
mod running;
mod spec;
mod state;

pub use build::{BuildHistoryError, Built, build};
pub use facts::Facts;
pub use file::HistoryError;
pub use past::{Known, Past};
pub use running::Running;
pub use spec::HISTORY;
pub use state::{History, KEPT_DAYS, MAX_ADDRESSES, SHORT_DAYS, STALE_DAYS, Standing};
