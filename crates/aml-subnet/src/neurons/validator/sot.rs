//! The source of truth (SOT): where batches come from, and the outcomes that become known weeks later.
//!
//! A source is a directory of batch directories (or one batch directory), or a base URL (`http(s)://`, `s3://`,
//! `file://`) under which they lie by their usual names. Every batch is copied into a cache, whole or not at all and
//! verified, so that a round that began keeps its batch whatever the source does. The cache is bounded in days and bytes.

mod cache;
mod labels;
mod pool;
mod probe;

use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::data::batch_dir::{BatchDir, ReadBatchError};
use aml_miner::data::download::{DownloadError, DownloadSettings, Outcome, SourceError, download_batch};
use aml_miner::data::listing::{ListBatchesError, directory_name};
use aml_miner::digest::Digest;
use chrono::{DateTime, NaiveDate};

use crate::neurons::validator::traps::ReadPoolError;
use crate::store::StorageError;
use cache::Cache;
use probe::Place;

/// Where batches come from and how long they are kept.
#[derive(Clone, Debug)]
pub struct SotSettings {
    /// A directory, or a base URL.
    pub source: String,
    /// The validator's data folder; the cache lies in it.
    pub data_dir: PathBuf,
    /// Only batches whose features look back so many days; `None` for any.
    pub window_days: Option<u16>,
    /// Days before today that a base URL is asked for: it cannot be listed.
    pub look_back_days: u32,
    /// Batches this many days older than the newest one are dropped from the cache.
    pub keep_days: u32,
    /// No more bytes than this are cached; the oldest batches go first, the newest stays.
    pub keep_bytes: u64,
    /// Retries, deadlines, bounds; the publisher and the network that batches must name.
    pub download: DownloadSettings,
}

impl SotSettings {
    /// Usual settings: fourteen days looked back, thirty-five days and 64 GiB kept.
    #[must_use]
    pub fn new(source: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            data_dir: data_dir.into(),
            window_days: None,
            look_back_days: 14,
            keep_days: 35,
            keep_bytes: 64 << 30,
            download: DownloadSettings::default(),
        }
    }
}

/// A batch that the source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its day.
    pub date: NaiveDate,
    /// Days that its features look back, as its manifest says.
    pub window_days: u16,
}

/// A batch in the cache, verified.
#[derive(Clone, Debug)]
pub struct LocalBatch {
    /// The directory.
    pub dir: BatchDir,
    /// SHA-256 of its manifest: what a round names its batch by.
    pub digest: Digest,
}

/// The source of truth.
#[derive(Clone, Debug)]
pub struct Sot {
    settings: SotSettings,
    place: Place,
    cache: Cache,
}

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
    /// A cached batch is damaged.
    #[error("{path} in the cache is damaged: {source}; remove it, and it is fetched again", path = path.display())]
    Damaged {
        /// The batch.
        path: PathBuf,
        /// What is wrong.
        source: Box<ReadBatchError>,
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
    /// The pool of a round cannot be read.
    #[error("{path}: {source}; remove it, and the round's traps are drawn from a new one", path = path.display())]
    Pool {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ReadPoolError,
    },
}

impl Sot {
    /// The source that `settings` name; makes the cache.
    ///
    /// # Errors
    /// When the source has no known form, is a directory that is not there, or the cache cannot be made.
    pub fn open(settings: SotSettings) -> Result<Self, OpenSotError> {
        let place = Place::open(&settings.source)?;
        let cache = Cache::make(&settings.data_dir)?;
        Ok(Self { settings, place, cache })
    }

    /// The newest batch that the source has by `now` (since 1970), of a day not after tomorrow; `None` without any.
    ///
    /// # Errors
    /// When the source cannot be asked, or its newest manifest is not good.
    pub async fn newest(&self, now: Duration) -> Result<Option<Found>, SotError> {
        let last = day_of(now).succ_opt().unwrap_or(NaiveDate::MAX);
        probe::newest(&self.place, last, &self.settings).await
    }

    /// The batch of a day: from the cache where it is, else from the source. Then drops what the cache need not keep.
    ///
    /// # Errors
    /// When neither has it, it is not good, or the cache cannot be written.
    pub async fn fetch(&self, date: NaiveDate, window_days: u16) -> Result<LocalBatch, SotError> {
        let target = self.cache.batch(date, window_days);
        if target.is_dir() {
            return opened(&target).await;
        }
        let mut last = None;
        // What is left of an interrupted fetch is nobody's batch yet.
        let settings = &DownloadSettings { replace: true, ..self.settings.download.clone() };
        for named in [Some(window_days), None] {
            let name = directory_name(date, named);
            let (source, output) = (self.place.source(), self.cache.incoming());
            let outcome = download_batch(source, (date, named), output, settings, &|_| ()).await;
            match outcome.map_err(|error| SotError::Download { name: name.clone(), source: Box::new(error) }) {
                Ok(Outcome::Absent) => {}
                Ok(Outcome::Fetched(manifest) | Outcome::Present(manifest)) if manifest.window_days == window_days => {
                    self.cache.admit(&output.join(&name), &target)?;
                    self.cache.sweep(self.settings.keep_days, self.settings.keep_bytes)?;
                    return opened(&target).await;
                }
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(SotError::Absent { date, window_days }))
    }
}

/// Verifies a cached batch.
async fn opened(path: &Path) -> Result<LocalBatch, SotError> {
    let path = path.to_path_buf();
    let damaged = |error| SotError::Damaged { path: path.clone(), source: Box::new(error) };
    let dir = BatchDir::open(&path).map_err(damaged)?;
    let dir = blocking(move || dir.verify_files().map(|()| dir)).await.map_err(damaged)?;
    Ok(LocalBatch { digest: dir.manifest_sha256(), dir })
}

/// Runs what takes long off the threads that wait for sockets.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn day_of(now: Duration) -> NaiveDate {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0).map_or(NaiveDate::MAX, |time| time.date_naive())
}
