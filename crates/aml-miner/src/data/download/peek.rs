//! Looks at a batch without fetching it: its manifest, and the outcomes that became known after it was made.

use std::path::Path;

use super::checked_manifest;
use super::error::{DownloadError, FetchError};
use super::fetch::Fetcher;
use super::settings::{DownloadSettings, Progress};
use super::source::Source;
use crate::data::batch_dir::file_name;
use crate::data::listing::BatchDay;
use crate::data::manifest::{MANIFEST_FILE, Manifest};
use crate::digest::Digest;
use crate::table::spec::LABELS;

/// Bytes that a file of outcomes may have: one of a million rows has 30 MB.
const LABELS_BYTES: u64 = 256 << 20;

/// A manifest as the source has it.
#[derive(Clone, Debug)]
pub struct Peeked {
    /// What it says.
    pub manifest: Manifest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The manifest of `batch`; `None` where the source has none.
///
/// # Errors
/// When it cannot be fetched, is not good, or is of something else.
pub async fn peek_manifest(
    source: &Source,
    batch: BatchDay,
    settings: &DownloadSettings,
    progress: Progress<'_>,
) -> Result<Option<Peeked>, DownloadError> {
    let name = batch.directory();
    let fetcher = Fetcher { source, remote: &name, local: Path::new(""), settings, progress };
    let Some(bytes) = fetcher.small_file(MANIFEST_FILE, settings.limits.manifest_bytes).await? else {
        return Ok(None);
    };
    let manifest = checked_manifest(&bytes, batch, settings)?;
    Ok(Some(Peeked { manifest, bytes }))
}

/// The bytes of the outcomes that the `manifest` of `batch` names, verified against it; `None` where it names none.
///
/// # Errors
/// When they cannot be fetched, or are not what the manifest says.
pub async fn peek_labels(
    source: &Source,
    batch: BatchDay,
    manifest: &Manifest,
    settings: &DownloadSettings,
) -> Result<Option<Vec<u8>>, DownloadError> {
    let file = file_name(&LABELS);
    let Some(entry) = manifest.files.get(&file) else { return Ok(None) };
    let failed = |source| DownloadError::Fetch { name: file_name(&LABELS), source };
    let limit = LABELS_BYTES.min(settings.limits.file_bytes);
    if entry.bytes > limit {
        return Err(failed(FetchError::TooLarge { found: entry.bytes, limit }));
    }
    let name = batch.directory();
    let fetcher = Fetcher { source, remote: &name, local: Path::new(""), settings, progress: &|_| () };
    let bytes = fetcher.small_file(&file, entry.bytes).await?.ok_or_else(|| failed(FetchError::Absent))?;
    if (bytes.len() as u64) < entry.bytes {
        return Err(failed(FetchError::Short { found: bytes.len() as u64, expected: entry.bytes }));
    }
    let actual = Digest::of(&bytes);
    if actual != entry.sha256 {
        return Err(failed(FetchError::Hash { actual, expected: entry.sha256 }));
    }
    Ok(Some(bytes))
}
