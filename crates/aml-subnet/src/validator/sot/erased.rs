//! Batches that were erased: each leaves the digest of its manifest behind, so that the same batch is not fetched again. One that the
//! publisher has issued anew has another digest, and is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::data::batch_dir::{BatchDir, file_name};
use aml_miner::data::download::peek_manifest;
use aml_miner::data::listing::{BatchDay, directory_name};
use aml_miner::data::manifest::MANIFEST_FILE;
use aml_miner::digest::Digest;
use aml_miner::table::spec::LABELS;
use aml_miner::whole_file::{self, Readers};
use chrono::NaiveDate;

use super::cache::failed;
use super::{Sot, SotError};

/// A folder beside the batches: its name is no day.
const FOLDER: &str = ".erased";

impl Sot {
    /// Refuses a batch that was erased here, while the source still has the same.
    pub(super) async fn refuse_erased(&self, date: NaiveDate, window_days: u16) -> Result<(), SotError> {
        let Some(erased) = self.cache.erased(date, window_days) else { return Ok(()) };
        for named in [Some(window_days), None] {
            let batch = BatchDay { date, window_days: named };
            let problem = |error| SotError::Download { name: batch.directory(), source: Box::new(error) };
            let peeked = peek_manifest(self.place.source(), batch, &self.settings.download, &|_| ()).await;
            if peeked.map_err(problem)?.is_some_and(|peeked| peeked.manifest.name_of(&peeked.bytes) == erased) {
                return Err(SotError::Erased { date, window_days });
            }
        }
        Ok(())
    }
}

/// Whether the batch of a round was erased from the folder of `batches`.
#[must_use]
pub fn is_erased(batches: &Path, date: NaiveDate, window_days: u16, batch: Digest) -> bool {
    of(batches, date, window_days) == Some(batch)
}

/// Takes a batch out of the cache below `data_dir`, for good. Outcomes that came with it stay: they name alerts, not addresses, and
/// rounds may still be settled by them.
///
/// # Errors
/// The file system's. Repeated, it goes on.
pub fn erase_batch(data_dir: &Path, dir: &BatchDir) -> io::Result<()> {
    let manifest = dir.manifest();
    let name = directory_name(manifest.processing_date, Some(manifest.window_days));
    let labels = data_dir.join("labels").join(&name);
    if !labels.join(MANIFEST_FILE).is_file() && manifest.files.contains_key(&file_name(&LABELS)) {
        fs::create_dir_all(&labels)?;
        for file in [file_name(&LABELS), MANIFEST_FILE.to_owned()] {
            let bytes = fs::read(dir.path().join(&file))?;
            whole_file::write(&labels.join(&file), &bytes, Readers::Owner)?;
        }
    }
    let place = place(&data_dir.join("batches"), manifest.processing_date, manifest.window_days);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    whole_file::write(&place, dir.manifest_sha256().to_string().as_bytes(), Readers::Owner)?;
    fs::remove_dir_all(dir.path())
}

/// The manifest of the batch that was erased.
pub(super) fn of(batches: &Path, date: NaiveDate, window_days: u16) -> Option<Digest> {
    fs::read_to_string(place(batches, date, window_days)).ok()?.trim().parse().ok()
}

/// Forgets erasures of days before `first`: the cache keeps no batch of them.
pub(super) fn sweep(batches: &Path, first: NaiveDate) -> Result<(), SotError> {
    let folder = batches.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed(&folder))?,
    };
    for entry in entries {
        let path = entry.map_err(failed(&folder))?.path();
        let day = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.get(..10));
        if day.and_then(|day| day.parse().ok()).is_some_and(|day: NaiveDate| day < first) {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    Ok(())
}

fn place(batches: &Path, date: NaiveDate, window_days: u16) -> PathBuf {
    batches.join(FOLDER).join(directory_name(date, Some(window_days)))
}
