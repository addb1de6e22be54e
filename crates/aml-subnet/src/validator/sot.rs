//! The source of truth (SOT): where batches come from, and the outcomes that become known weeks later.
//!
//! A source is a directory of batch directories (or one batch directory), or a base URL (`http(s)://`, `s3://`,
//! `file://`) under which they lie by their usual names. Every batch is copied into a cache, whole or not at all and
//! verified, so that a round that began keeps its batch whatever the source does. The cache is bounded in days and bytes.

mod cache;
mod edge;
mod erased;
mod error;
mod labels;
mod observe;
mod pool;
mod probe;
mod settings;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::download::{DownloadSettings, Downloaded, download_batch};
use aml_miner::data::listing::{BatchDay, directory_name};
use aml_miner::digest::Digest;
use chrono::{DateTime, NaiveDate};

use cache::Cache;
use probe::Place;

pub use erased::{erase_batch, is_erased};
pub use error::{OpenSotError, SotError};
pub use pool::Gathering;
pub use probe::Found;
pub use settings::SotSettings;

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
    /// How often the cache was looked over.
    looked: Arc<AtomicUsize>,
}

impl Sot {
    /// The source that `settings` name; makes the cache.
    ///
    /// # Errors
    /// When the source has no known form, is a directory that is not there, or the cache cannot be made.
    pub fn open(settings: SotSettings) -> Result<Self, OpenSotError> {
        let place = Place::open(&settings.source)?;
        let cache = Cache::make(&settings.data_dir, settings.pools.clone())?;
        Ok(Self { settings, place, cache, looked: Arc::default() })
    }

    /// The newest batch that the source has by `now` (since 1970), of a day not after tomorrow; `None` without any.
    ///
    /// # Errors
    /// When the source cannot be asked, its newest manifest is not good, or all that there is lies ahead.
    pub async fn newest(&self, now: Duration) -> Result<Option<Found>, SotError> {
        let last = day_of(now).succ_opt().unwrap_or(NaiveDate::MAX);
        let found = probe::newest(&self.place, last, &self.settings).await?;
        // With an earlier one beside them, batches of days to come simply wait.
        if let (None, Some(directory)) = (found, self.place.directory())
            && let Some(next) = probe::ahead(directory, last)?
        {
            return Err(SotError::Ahead { next, last });
        }
        Ok(found)
    }

    /// The batch that the source has of a day; `None` without one.
    ///
    /// # Errors
    /// When the source cannot be asked, or the manifest is not good.
    pub async fn on(&self, day: NaiveDate) -> Result<Option<Found>, SotError> {
        let settings = SotSettings { look_back_days: 0, ..self.settings.clone() };
        let found = probe::newest(&self.place, day, &settings).await?;
        Ok(found.filter(|found| found.date == day))
    }

    /// The batch of a day: from the cache where it is, else from the source. Then drops what the cache need not keep.
    ///
    /// # Errors
    /// When neither has it, it is not good, or the cache cannot be written.
    pub async fn fetch(&self, date: NaiveDate, window_days: u16) -> Result<LocalBatch, SotError> {
        match self.kept(date, window_days).await {
            Ok(Some(kept)) => Ok(kept),
            Ok(None) => self.download(date, window_days, None).await,
            Err(damage) => {
                tracing::warn!(error = %damage, "a cached batch is fetched again");
                observe::damaged();
                let was = self.cache.named(date, window_days);
                let healed = self.download(date, window_days, was).await.map_err(|error| {
                    tracing::warn!(%error, "a damaged batch of the cache cannot be fetched again");
                    damage
                })?;
                observe::healed();
                Ok(healed)
            }
        }
    }

    /// The batch of a day where it is in the cache; asks nobody.
    pub(super) async fn kept(&self, date: NaiveDate, window_days: u16) -> Result<Option<LocalBatch>, SotError> {
        let target = self.cache.batch(date, window_days);
        if target.is_dir() { opened(&target).await.map(Some) } else { Ok(None) }
    }

    /// Takes the batch of a day into the cache; where one of manifest `was` is to be replaced, no other.
    async fn download(&self, date: NaiveDate, window_days: u16, was: Option<Digest>) -> Result<LocalBatch, SotError> {
        self.refuse_erased(date, window_days).await?;
        let target = self.cache.batch(date, window_days);
        let mut last = None;
        // What is left of an interrupted fetch is nobody's batch yet.
        let settings = &DownloadSettings { replace: true, ..self.settings.download.clone() };
        for named in [Some(window_days), None] {
            let name = directory_name(date, named);
            let (source, output) = (self.place.source(), self.cache.incoming());
            let outcome =
                download_batch(source, BatchDay { date, window_days: named }, output, settings, &|_| ()).await;
            match outcome.map_err(|error| SotError::Download { name: name.clone(), source: Box::new(error) }) {
                Ok(Downloaded::Absent) => {}
                Ok(Downloaded::Fetched(manifest) | Downloaded::Present(manifest))
                    if manifest.window_days == window_days =>
                {
                    let arrived = opened(&output.join(&name)).await?.digest;
                    if let Some(expected) = was.filter(|was| *was != arrived) {
                        return Err(SotError::OtherBatch { name, expected, actual: arrived });
                    }
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
