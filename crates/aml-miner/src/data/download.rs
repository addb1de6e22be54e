//! Fetches batch directories over HTTP(S), from S3-compatible storage or from another directory.
//!
//! Files are fetched into a hidden directory that outlives an interruption, continued where they ended, hashed against
//! the manifest, checked as a whole and then renamed into place: what has a batch's name is a good batch.

mod error;
mod fetch;
mod peek;
mod settings;
mod source;

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::data::batch_dir::BatchDir;
use crate::data::listing::BatchDay;
use crate::data::manifest::{MANIFEST_FILE, Manifest};
use crate::data::staging::publish_directory;
use crate::locked_file::LockedFile;
use crate::wire::InOrder;
use fetch::Fetcher;

pub use error::{DownloadError, FetchError};
pub use peek::{Peeked, peek_labels, peek_manifest};
pub use settings::{DownloadSettings, Event, Progress};
pub use source::{Base, Said, Source, SourceError};

/// How a download ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downloaded {
    /// The batch was fetched.
    Fetched(Box<Manifest>),
    /// The same batch is there already.
    Present(Box<Manifest>),
    /// The source has no batch of this name.
    Absent,
}

/// Fetches `batch` from `source` into `output`, under its usual name.
///
/// # Errors
/// When it cannot be fetched, is not good, or cannot be put in place.
pub async fn download_batch(
    source: &Source,
    batch: BatchDay,
    output: &Path,
    settings: &DownloadSettings,
    progress: Progress<'_>,
) -> Result<Downloaded, DownloadError> {
    let name = batch.directory();
    let staging = output.join(format!(".download-{name}"));
    let target = output.join(&name);
    fs::create_dir_all(&staging).map_err(io_error(&staging))?;
    let _lock = lock(&output.join(format!(".download-{name}.lock")))?;
    let fetcher = Fetcher { source, remote: &name, local: &staging, settings, progress };
    let Some(bytes) = fetcher.small_file(MANIFEST_FILE, settings.limits.manifest_bytes).await? else {
        let _ = fs::remove_dir(&staging);
        return Ok(Downloaded::Absent);
    };
    let manifest = checked_manifest(&bytes, batch, settings)?;
    if let Some(outcome) = present(&target, &manifest, settings)? {
        let _ = fs::remove_dir_all(&staging);
        return Ok(outcome);
    }
    prepare(&staging, &manifest, &bytes)?;
    for (file, entry) in &manifest.files {
        fetcher.file(file, entry).await?;
    }
    let arrived = BatchDir::open_within(&staging, settings.limits)?;
    arrived.check(1, &InOrder).map_err(|mut problems| problems.swap_remove(0))?;
    publish_directory(&staging, &target, settings.replace)?;
    Ok(Downloaded::Fetched(Box::new(manifest)))
}

fn checked_manifest(bytes: &[u8], batch: BatchDay, settings: &DownloadSettings) -> Result<Manifest, DownloadError> {
    let manifest = Manifest::parse(bytes, settings.limits.files)?;
    if let Some(publisher) = &settings.publisher {
        manifest.require_publisher(publisher)?;
    }
    let other = |what, found: String, wanted: String| Err(DownloadError::Other { what, found, wanted });
    if manifest.processing_date != batch.date {
        return other("processing_date", manifest.processing_date.to_string(), batch.date.to_string());
    }
    match batch.window_days {
        Some(days) if days != manifest.window_days => {
            return other("window_days", manifest.window_days.to_string(), days.to_string());
        }
        _ => {}
    }
    match &settings.network {
        Some(network) if *network != manifest.network => other("network", manifest.network.clone(), network.clone()),
        _ => Ok(manifest),
    }
}

/// Whether the wanted batch is at `target` already.
fn present(target: &Path, wanted: &Manifest, settings: &DownloadSettings) -> Result<Option<Downloaded>, DownloadError> {
    if fs::symlink_metadata(target).is_err() {
        return Ok(None);
    }
    let same = BatchDir::open_within(target, settings.limits)
        .and_then(|there| if there.manifest() == wanted { there.verify_files().map(|()| true) } else { Ok(false) });
    match same {
        Ok(true) => Ok(Some(Downloaded::Present(Box::new(wanted.clone())))),
        _ if settings.replace => Ok(None),
        _ => Err(DownloadError::Exists(target.to_path_buf())),
    }
}

/// Keeps what an earlier run fetched of the same manifest and removes everything else.
fn prepare(staging: &Path, manifest: &Manifest, bytes: &[u8]) -> Result<(), DownloadError> {
    let stored = staging.join(MANIFEST_FILE);
    let same = fs::read(&stored).is_ok_and(|stored| stored == bytes);
    for entry in fs::read_dir(staging).map_err(io_error(staging))? {
        let entry = entry.map_err(io_error(staging))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = manifest.files.contains_key(fetch::finished_name(&name));
        if entry.file_type().map_err(io_error(staging))?.is_dir() {
            fs::remove_dir_all(entry.path()).map_err(io_error(staging))?;
        } else if !(same && known) {
            fs::remove_file(entry.path()).map_err(io_error(staging))?;
        }
    }
    fs::write(&stored, bytes).map_err(io_error(&stored))?;
    File::open(&stored).and_then(|file| file.sync_all()).map_err(io_error(&stored))
}

fn lock(path: &Path) -> Result<LockedFile, DownloadError> {
    let file = File::options().create(true).append(true).open(path).map_err(io_error(path))?;
    LockedFile::try_lock(file).map_err(|(_, error)| match error {
        fs::TryLockError::WouldBlock => DownloadError::Busy(path.to_path_buf()),
        fs::TryLockError::Error(source) => DownloadError::Io { path: path.to_path_buf(), source },
    })
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DownloadError {
    let path = path.to_path_buf();
    move |source| DownloadError::Io { path, source }
}
