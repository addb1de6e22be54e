//! Where outcomes come from: a journal of who said what about which alert, and when; `labels.parquet` follows from it.
//!
//! The journal only grows. Each entry holds the hash of the one before it and is signed by who wrote it, so that a line that
//! was changed, taken out or put in is found. A source corrects itself by saying something else, and takes back by
//! withdrawing; two sources that disagree leave the alert without an outcome until one of them does either.

pub mod book;
pub mod journal;
pub mod standing;

pub use book::{Book, BookError, Change};
pub use journal::{Action, Entry, Journal, JournalError, Outcome};
pub use standing::{Standing, Verdict, standings, table};
