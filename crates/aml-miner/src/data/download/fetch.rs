//! One file from a source to disk: continued, bounded, hashed, tried again.

use std::io;
use std::path::Path;

use futures_util::StreamExt as _;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore as _};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::error::{DownloadError, FetchError};
use super::settings::{DownloadSettings, Event, Progress};
use super::source::Source;
use crate::data::manifest::FileEntry;
use crate::digest::Digest;

/// Ending of a file that is not complete.
const PARTIAL: &str = ".part";
/// A try that brought this much does not count as a retry: on a poor line a large file arrives in many pieces.
const GOOD_TRY: u64 = 1 << 20;

/// The name a partial file will have, or the name itself.
pub(super) fn finished_name(name: &str) -> &str {
    name.strip_suffix(PARTIAL).unwrap_or(name)
}

/// Fetches the files of one batch.
pub(super) struct Fetcher<'a> {
    pub(super) source: &'a Source,
    pub(super) remote: &'a str,
    pub(super) local: &'a Path,
    pub(super) settings: &'a DownloadSettings,
    pub(super) progress: Progress<'a>,
}

impl Fetcher<'_> {
    /// A file of at most `limit` bytes into memory; `None` where the source does not have it.
    pub(super) async fn small_file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, DownloadError> {
        let deadline = self.settings.deadline;
        let all = self.retried(name, || self.small_try(name, limit));
        match timeout(deadline, all).await.unwrap_or(Err(FetchError::Deadline(deadline))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FetchError::Absent) => Ok(None),
            Err(source) => Err(DownloadError::Fetch { name: name.to_owned(), source }),
        }
    }

    /// A file of the manifest into the local directory.
    pub(super) async fn file(&self, name: &str, entry: &FileEntry) -> Result<(), DownloadError> {
        let deadline = self.settings.deadline;
        let failed = |source| DownloadError::Fetch { name: name.to_owned(), source };
        let limit = self.settings.limits.file_bytes;
        if entry.bytes > limit {
            return Err(failed(FetchError::TooLarge { found: entry.bytes, limit }));
        }
        let all = self.retried(name, || self.file_try(name, entry));
        timeout(deadline, all).await.unwrap_or(Err(FetchError::Deadline(deadline))).map_err(failed)
    }

    async fn retried<T, F>(&self, name: &str, attempt: impl Fn() -> F) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, (u64, FetchError)>>,
    {
        let mut failures = 0;
        loop {
            let (brought, error) = match attempt().await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            failures = if brought >= GOOD_TRY { 0 } else { failures + 1 };
            if !error.is_retryable() || failures > self.settings.retries {
                return Err(error);
            }
            let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
            let pause = self.settings.first_pause.saturating_mul(doubled).min(self.settings.longest_pause);
            (self.progress)(Event::Retry { name, error: &error, pause });
            tokio::time::sleep(pause).await;
        }
    }

    async fn small_try(&self, name: &str, limit: u64) -> Result<Vec<u8>, (u64, FetchError)> {
        let mut bytes = Vec::new();
        let read = async {
            let mut stream = self.get(name, None).await?.into_stream();
            while let Some(chunk) = self.in_time(stream.next()).await? {
                let chunk = chunk?;
                if (bytes.len() + chunk.len()) as u64 > limit {
                    return Err(FetchError::Long(limit));
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(())
        };
        read.await.map_err(|error| (0, error))?;
        Ok(bytes)
    }

    /// One try: continues the partial file; on success the finished file is in place.
    async fn file_try(&self, name: &str, entry: &FileEntry) -> Result<(), (u64, FetchError)> {
        let partial = self.local.join(format!("{name}{PARTIAL}"));
        let finished = self.local.join(name);
        if fs::try_exists(&finished).await.unwrap_or(false) {
            fs::rename(&finished, &partial).await.map_err(|source| (0, io_failure(&partial, source)))?;
        }
        let before = fs::metadata(&partial).await.map_or(0, |about| about.len());
        let received = self.receive(name, &partial, before, entry.bytes).await;
        let after = fs::metadata(&partial).await.map_or(0, |about| about.len());
        let result = match received {
            Ok(()) => settle(&partial, &finished, entry).await,
            Err(error) => Err(error),
        };
        if matches!(result, Err(FetchError::Hash { .. } | FetchError::Long(_))) {
            let _ = fs::remove_file(&partial).await;
            return result.map_err(|error| (0, error));
        }
        result.map_err(|error| (after.saturating_sub(before), error))
    }

    async fn receive(&self, name: &str, partial: &Path, before: u64, total: u64) -> Result<(), FetchError> {
        let mut done = if before > total { 0 } else { before };
        let opened = File::options().create(true).truncate(false).write(true).open(partial).await;
        let mut file = opened.map_err(|source| io_failure(partial, source))?;
        (self.progress)(Event::File { name, done, total });
        let answer = if done == total && total > 0 { None } else { Some(self.get_from(name, &mut done, total).await?) };
        file.set_len(done).await.map_err(|source| io_failure(partial, source))?;
        tokio::io::AsyncSeekExt::seek(&mut file, io::SeekFrom::Start(done))
            .await
            .map_err(|source| io_failure(partial, source))?;
        if let Some(answer) = answer {
            let mut stream = answer.into_stream();
            while let Some(chunk) = self.in_time(stream.next()).await? {
                let chunk = chunk?;
                done += chunk.len() as u64;
                if done > total {
                    return Err(FetchError::Long(total));
                }
                file.write_all(&chunk).await.map_err(|source| io_failure(partial, source))?;
                // Flushed at once, so that what a broken connection brought is on disk for the next try.
                file.flush().await.map_err(|source| io_failure(partial, source))?;
                (self.progress)(Event::Bytes(done));
            }
        }
        file.sync_all().await.map_err(|source| io_failure(partial, source))?;
        if done == total { Ok(()) } else { Err(FetchError::Short { found: done, expected: total }) }
    }

    /// The answer for the bytes after `done`, which becomes 0 where the source cannot continue.
    async fn get_from(&self, name: &str, done: &mut u64, total: u64) -> Result<GetResult, FetchError> {
        if *done == 0 {
            return self.get(name, None).await;
        }
        match self.get(name, Some(GetRange::Bounded(*done..total))).await {
            Err(FetchError::Transfer(said)) if said.unsupported => {
                *done = 0;
                self.get(name, None).await
            }
            answer => answer,
        }
    }

    async fn get(&self, name: &str, range: Option<GetRange>) -> Result<GetResult, FetchError> {
        let path = self.source.root.clone().join(self.remote).join(name);
        let options = GetOptions { range, ..GetOptions::default() };
        Ok(self.in_time(self.source.store.get_opts(&path, options)).await??)
    }

    async fn in_time<T>(&self, step: impl Future<Output = T>) -> Result<T, FetchError> {
        timeout(self.settings.stall, step).await.map_err(|_| FetchError::Stalled(self.settings.stall))
    }
}

/// Hashes a complete partial file and gives it its name.
async fn settle(partial: &Path, finished: &Path, entry: &FileEntry) -> Result<(), FetchError> {
    let path = partial.to_path_buf();
    let hashed = tokio::task::spawn_blocking(move || Digest::of_reader(std::fs::File::open(path)?)).await;
    let (actual, _) =
        hashed.unwrap_or_else(|panic| Err(io::Error::other(panic))).map_err(|e| io_failure(partial, e))?;
    if actual != entry.sha256 {
        return Err(FetchError::Hash { actual, expected: entry.sha256 });
    }
    fs::rename(partial, finished).await.map_err(|source| io_failure(finished, source))
}

fn io_failure(path: &Path, source: io::Error) -> FetchError {
    FetchError::Io { path: path.to_path_buf(), source }
}
