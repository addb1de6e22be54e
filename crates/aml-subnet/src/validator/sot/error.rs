//! Why a source cannot be used, or something of it could not be had.

use std::path::PathBuf;
use std::time::Duration;

use aml_miner::data::batch_dir::ReadBatchError;
use aml_miner::data::download::{DownloadError, SourceError};
use aml_miner::data::listing::ListBatchesError;
use aml_miner::digest::Digest;
use chrono::NaiveDate;

use crate::store::StorageError;
use crate::validator::traps::ReadPoolError;
use crate::validator::world::BrokeOff;

/// A source that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenSotError {
    /// No place of any known form.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The directory is not there.
    #[error("cannot use the directory {path} as a source of batches: {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The cache cannot be made.
    #[error("cannot make {path} for the cache of batches: {source}", path = path.display())]
    Cache {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A batch or its outcomes that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SotError {
    /// The directory cannot be listed.
    #[error(transparent)]
    List(#[from] ListBatchesError),
    /// A batch cannot be fetched, or is not good.
    #[error("batch {name}: {source}")]
    Download {
        /// Its name.
        name: String,
        /// Why not.
        source: Box<DownloadError>,
    },
    /// The source has no such batch.
    #[error("the source has no batch of {date} with a window of {window_days} days, and the cache neither")]
    Absent {
        /// The day.
        date: NaiveDate,
        /// The window.
        window_days: u16,
    },
    /// It was erased here, and the source still has the same.
    #[error(
        "the batch of {date} with a window of {window_days} days was erased here (aml-subnet erase), and the source still has \
         the same: it is not fetched again"
    )]
    Erased {
        /// The day.
        date: NaiveDate,
        /// The window.
        window_days: u16,
    },
    /// All that there is lies ahead.
    #[error(
        "the only batches that the source has are of days to come, the next of {next}: batches up to {last} are taken"
    )]
    Ahead {
        /// The day of the earliest of them.
        next: NaiveDate,
        /// The last day whose batch is taken.
        last: NaiveDate,
    },
    /// Outcomes that do not come.
    #[error("the source did not answer within {} s when asked for outcomes of {date}", .after.as_secs())]
    Late {
        /// The day.
        date: NaiveDate,
        /// How long was waited.
        after: Duration,
    },
    /// A cached batch is damaged.
    #[error("{path} in the cache is damaged: {source}; the source cannot replace it by the same batch", path = path.display())]
    Damaged {
        /// The batch.
        path: PathBuf,
        /// What is wrong.
        source: Box<ReadBatchError>,
    },
    /// Another batch under the name of a damaged one.
    #[error(
        "batch {name}: the source now has another batch under this name (SHA-256 of its manifest {actual}, the damaged \
         one has {expected})"
    )]
    OtherBatch {
        /// Its name.
        name: String,
        /// Manifest of the damaged one.
        expected: Digest,
        /// The source's.
        actual: Digest,
    },
    /// Outcomes of something else.
    #[error(
        "batch {name}: the source now has other alerts under this name (SHA-256 {actual}, cached are {expected}): \
         its outcomes are not for the round that was run"
    )]
    OtherAlerts {
        /// Its name.
        name: String,
        /// Digest of the cached alerts.
        expected: Digest,
        /// Digest of the source's.
        actual: Digest,
    },
    /// The file system refuses.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What miners said of past batches cannot be read.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A defect of ours.
    #[error("gathering traps broke off")]
    Broken(#[from] BrokeOff),
    /// The pool of a round cannot be read.
    #[error("{path}: {source}; remove it, and the round's traps are drawn from a new one", path = path.display())]
    Pool {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ReadPoolError,
    },
}
