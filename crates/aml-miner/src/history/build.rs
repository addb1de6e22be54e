//! From batch directories to a state.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use super::running::Running;
use super::state::{History, KEPT_DAYS};
use crate::data::{BatchDir, BatchEntry, ReadBatchError, list_batches};

/// Why no state was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildHistoryError {
    /// A data directory cannot be listed.
    #[error("cannot list {path}", path = path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A batch cannot be used.
    #[error("batch {path}", path = path.display())]
    Batch {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<ReadBatchError>,
    },
}

/// A state, and what became of the batches.
#[derive(Clone, Debug)]
pub struct Built {
    /// The state.
    pub history: Arc<History>,
    /// Batches that were read.
    pub batches: usize,
    /// Batches that were passed over: too old to be kept, contained already, or another one of the same day.
    pub passed_over: usize,
}

/// Adds the batches of the data directories `directories` with days up to `until` to `from`, in the order of their days. Each batch is
/// verified as `aml-miner-batch verify` does, and one is in memory at a time.
///
/// # Errors
/// When a directory cannot be listed, or a batch is not good.
pub fn build(from: History, directories: &[PathBuf], until: Option<NaiveDate>) -> Result<Built, BuildHistoryError> {
    let mut entries: Vec<BatchEntry> = Vec::new();
    for directory in directories {
        entries.extend(list(directory, until)?);
    }
    entries.sort_by(|one, other| {
        (one.date, one.window_days, &one.path).cmp(&(other.date, other.window_days, &other.path))
    });
    let last = entries.last().map_or(i32::MIN, |entry| entry.date.to_epoch_days());
    let (given, contained) = (entries.len(), from.last_day());
    // What would be forgotten at the end is not read.
    entries.retain(|entry| {
        let day = entry.date.to_epoch_days();
        day > last.saturating_sub(KEPT_DAYS) && contained.is_none_or(|contained| day > contained)
    });
    entries.dedup_by_key(|entry| entry.date);
    let mut running = Running::from(Arc::new(from));
    for entry in &entries {
        let failed = |source| BuildHistoryError::Batch { path: entry.path.clone(), source: Box::new(source) };
        let loaded = BatchDir::open(&entry.path).and_then(|directory| directory.load()).map_err(failed)?;
        running.then(loaded.meta.processing_date.to_epoch_days(), &loaded.batch);
    }
    let batches = entries.len();
    Ok(Built { history: running.finish(), batches, passed_over: given - batches })
}

fn list(directory: &Path, until: Option<NaiveDate>) -> Result<Vec<BatchEntry>, BuildHistoryError> {
    list_batches(directory, None, until)
        .map_err(|error| BuildHistoryError::List { path: directory.to_owned(), source: error.source })
}
