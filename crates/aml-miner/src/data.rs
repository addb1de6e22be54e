//! Batch directories: read, verify, write, download, import.
//!
//! A batch is a directory of Parquet files and a manifest, `META.json`; `docs/data.md` describes the format. Every file
//! is hashed before a row of it is used, and nothing a file claims decides how much memory is taken.

pub mod arrow_stream;
pub mod batch_dir;
pub mod canonical;
pub mod check;
mod columns;
mod content;
pub mod csv;
pub mod csv_table;
pub mod download;
pub mod encode;
pub mod examine;
pub mod frame;
pub mod import;
pub mod inspect;
mod keys;
pub mod labels;
pub mod limits;
pub mod listing;
pub mod manifest;
pub mod outcomes;
mod page_guard;
pub mod parquet;
pub mod parts;
pub mod seal;
pub mod staging;
mod stated_types;
mod stored_type;
pub mod table_error;
pub(crate) mod walk;
pub mod write;
pub mod write_error;
pub mod write_options;
pub mod write_parts;

pub use arrow_stream::read_stream;
pub use batch_dir::{BatchDir, LoadedBatch, ReadBatchError};
pub use columns::column_from_arrays;
pub use encode::{EncodeError, to_parquet};
pub use examine::{PROBLEMS_AT_ONCE, TableRows};
pub use frame::{Frame, FrameColumn};
pub use limits::FileLimits;
pub use listing::{BatchDay, BatchEntry, list_batches};
pub use manifest::{Manifest, ManifestError};
pub use parquet::{ParquetFile, read_table};
pub use parts::TableParts;
pub use seal::{SealError, SealOptions, Sealed, seal};
pub use staging::{Staging, remove_abandoned};
pub use table_error::{FileProblem, TableError};
pub use write::write_batch;
pub use write_error::WriteBatchError;
pub use write_options::WriteOptions;
pub use write_parts::{PartsWriter, content_sha256, write_batch_in_parts};

use chrono::NaiveDate;

pub use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};

/// Days since 1970-01-01.
fn days_of(day: NaiveDate) -> f64 {
    f64::from(day.to_epoch_days())
}
