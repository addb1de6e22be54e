//! The cache of batches: `batches/` holds verified ones, `labels/` outcomes that came later, and a folder of its own the pools of traps.
//!
//! What is dropped is decided by the newest batch, not by the clock, so that a wrong clock empties nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::data::listing::{BatchEntry, directory_name, list_batches};
use aml_miner::data::manifest::MANIFEST_FILE;
use aml_miner::digest::Digest;
use aml_miner::whole_file::{self, Readers};
use chrono::{Days, NaiveDate};

use super::erased;
use super::error::{OpenSotError, SotError};

/// The directories of the cache.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    batches: PathBuf,
    labels: PathBuf,
    pools: PathBuf,
    incoming: PathBuf,
}

impl Cache {
    pub(super) fn make(data_dir: &Path, pools: PathBuf) -> Result<Self, OpenSotError> {
        let at = |name: &str| data_dir.join(name);
        let cache = Self { batches: at("batches"), labels: at("labels"), pools, incoming: at("batches/.incoming") };
        for path in [&cache.batches, &cache.labels, &cache.pools, &cache.incoming] {
            fs::create_dir_all(path).map_err(|source| OpenSotError::Cache { path: path.clone(), source })?;
        }
        Ok(cache)
    }

    /// Where downloads arrive: on the same file system, under the source's names.
    pub(super) fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Where a verified batch lies.
    pub(super) fn batch(&self, date: NaiveDate, window_days: u16) -> PathBuf {
        self.batches.join(directory_name(date, Some(window_days)))
    }

    /// The manifest that a cached batch has, whatever its files are worth; `None` where that is gone too.
    pub(super) fn named(&self, date: NaiveDate, window_days: u16) -> Option<Digest> {
        fs::read(self.batch(date, window_days).join(MANIFEST_FILE)).ok().map(|bytes| Digest::of(&bytes))
    }

    /// The manifest of the batch that was erased here.
    pub(super) fn erased(&self, date: NaiveDate, window_days: u16) -> Option<Digest> {
        erased::of(&self.batches, date, window_days)
    }

    /// Where outcomes lie that came later than their batch.
    pub(super) fn labels(&self, date: NaiveDate, window_days: u16) -> PathBuf {
        self.labels.join(directory_name(date, Some(window_days)))
    }

    /// Where the pool of a round lies.
    pub(super) fn pool(&self, name: &str) -> PathBuf {
        self.pools.join(format!("{name}.zst"))
    }

    /// Moves a batch that arrived to its place.
    pub(super) fn admit(&self, arrived: &Path, target: &Path) -> Result<(), SotError> {
        // One that is damaged makes room.
        remove(target)?;
        fs::rename(arrived, target).map_err(failed(target))
    }

    /// The cached batches, by day.
    pub(super) fn list(&self) -> Result<Vec<BatchEntry>, SotError> {
        Ok(list_batches(&self.batches, None, None)?)
    }

    /// Drops what is older than the newest batch by more than `days`, and the oldest batches above `bytes`.
    pub(super) fn sweep(&self, days: u32, bytes: u64) -> Result<(), SotError> {
        let entries = self.list()?;
        let Some(newest) = entries.last().map(|entry| entry.date) else { return Ok(()) };
        let first = newest.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN);
        let mut kept = 0_u64;
        for entry in entries.iter().rev() {
            let size = size_of(&entry.path)?;
            let full = entry.date < newest && kept.saturating_add(size) > bytes;
            if entry.date < first || full {
                remove(&entry.path)?;
                remove(&self.labels.join(entry.path.file_name().unwrap_or_default()))?;
            } else {
                kept += size;
            }
        }
        self.sweep_pools(first)?;
        erased::sweep(&self.batches, first)?;
        self.sweep_incoming(first)
    }

    /// Fetches of days before `first` that were interrupted are never taken up again.
    fn sweep_incoming(&self, first: NaiveDate) -> Result<(), SotError> {
        for entry in fs::read_dir(&self.incoming).map_err(failed(&self.incoming))? {
            let path = entry.map_err(failed(&self.incoming))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // `DATE_wWINDOW`, or `.download-DATE_wWINDOW`, or the lock of that.
            let day = name.strip_prefix(".download-").unwrap_or(name).get(..10);
            if day.and_then(|day| day.parse().ok()).is_some_and(|day: NaiveDate| day < first) {
                if path.is_dir() {
                    remove(&path)?;
                } else {
                    fs::remove_file(&path).map_err(failed(&path))?;
                }
            }
        }
        Ok(())
    }

    fn sweep_pools(&self, first: NaiveDate) -> Result<(), SotError> {
        for entry in fs::read_dir(&self.pools).map_err(failed(&self.pools))? {
            let path = entry.map_err(failed(&self.pools))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // `NETUID-YYYY-MM-DD-WINDOW.zst`
            let day = name.split_once('-').and_then(|(_, rest)| rest.get(..10));
            if day.and_then(|day| day.parse().ok()).is_none_or(|day: NaiveDate| day < first) {
                fs::remove_file(&path).map_err(failed(&path))?;
            }
        }
        Ok(())
    }
}

/// Writes a file of the cache whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), SotError> {
    whole_file::write(path, bytes, Readers::Owner).map_err(failed(path))
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> SotError {
    let path = path.to_path_buf();
    move |source| SotError::Io { path, source }
}

fn size_of(directory: &Path) -> Result<u64, SotError> {
    let mut size = 0;
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        size += entry.and_then(|entry| entry.metadata()).map_err(failed(directory))?.len();
    }
    Ok(size)
}

fn remove(directory: &Path) -> Result<(), SotError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(directory)(error)),
        _ => Ok(()),
    }
}
