//! Batch directories: read, verify, write, download, synthesise, import.
//!
//! A batch is a directory of Parquet files and a manifest, `META.json`; `docs/data.md` describes the format. Every file
//! is hashed before a row of it is used, and nothing a file claims decides how much memory is taken.

pub mod arrow_stream;
pub mod batch_dir;
pub mod canonical;
mod cells;
pub mod check;
mod columns;
pub mod download;
pub mod encode;
pub mod import;
pub mod inspect;
pub mod limits;
pub mod listing;
pub mod manifest;
mod page_guard;
pub mod parquet;
pub mod staging;
pub mod synth;
pub mod table_error;
pub mod write;

pub use arrow_stream::read_stream;
pub use batch_dir::{BatchDir, LoadedBatch, ReadBatchError};
pub use columns::column_from_series;
pub use encode::{EncodeError, to_parquet};
pub use limits::Limits;
pub use listing::{BatchEntry, list_batches};
pub use manifest::{Manifest, ManifestError};
pub use parquet::read_table;
pub use staging::{Staging, remove_abandoned};
pub use table_error::{CellProblem, ColumnProblem, FileProblem, Flaw, TableError};
pub use write::{WriteBatchError, WriteOptions, write_batch};
