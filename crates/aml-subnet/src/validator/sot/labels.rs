//! Outcomes: read again from the source whenever they are asked for, because they come and grow after the batch.
//!
//! New ones count only when their manifest still describes the same alerts. The last good ones are kept, so that a
//! source that forgets a batch, or is down, costs nothing that was known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::data::batch_dir::{BatchDir, file_name};
use aml_miner::data::download::{DownloadError, Peeked, peek_labels, peek_manifest};
use aml_miner::data::listing::{BatchDay, directory_name};
use aml_miner::data::manifest::{MANIFEST_FILE, Manifest};
use aml_miner::data::outcomes::usable_rows;
use aml_miner::data::read_table;
use aml_miner::digest::Digest;
use aml_miner::wire::Table;
use aml_miner::wire::spec::{ALERTS, LABELS};
use chrono::NaiveDate;

use super::cache::{failed, write};
use super::{Sot, SotError};

impl Sot {
    /// The outcomes of a batch that are known by `now` (since 1970); `None` when there are none yet. Only those count
    /// that became known after the day of the batch.
    ///
    /// # Errors
    /// When what the source or the cache has is not good, or the source cannot be asked and nothing is kept.
    pub async fn labels(&self, date: NaiveDate, window_days: u16, now: Duration) -> Result<Option<Table>, SotError> {
        let refreshed = self.refresh(date, window_days).await;
        if self.place_of_labels(date, window_days).is_none() {
            return refreshed.map(|()| None);
        }
        if let Err(error) = refreshed {
            tracing::warn!(batch = %directory_name(date, Some(window_days)), %error, "outcomes kept from before are used");
        }
        self.kept_labels(date, window_days, now)
    }

    /// The same of those that are kept here; asks nobody.
    pub(super) fn kept_labels(
        &self,
        date: NaiveDate,
        window_days: u16,
        now: Duration,
    ) -> Result<Option<Table>, SotError> {
        let Some(place) = self.place_of_labels(date, window_days) else { return Ok(None) };
        let read = BatchDir::open(&place).and_then(|dir| dir.load_labels());
        let table = read.map_err(|error| SotError::Damaged { path: place.clone(), source: Box::new(error) })?;
        Ok(table.map(|table| usable(&table, date, now)).filter(|table| table.rows() > 0))
    }

    /// Where outcomes of a batch are kept: those that came later before those that came with it.
    fn place_of_labels(&self, date: NaiveDate, window_days: u16) -> Option<PathBuf> {
        let places = [self.cache.labels(date, window_days), self.cache.batch(date, window_days)];
        places.into_iter().find(|path| has_labels(path))
    }

    /// Keeps the source's outcomes where they are new.
    async fn refresh(&self, date: NaiveDate, window_days: u16) -> Result<(), SotError> {
        for named in [Some(window_days), None] {
            let name = directory_name(date, named);
            let problem = |error| SotError::Download { name: name.clone(), source: Box::new(error) };
            let settings = &self.settings.download;
            let peeked = peek_manifest(self.place.source(), BatchDay { date, window_days: named }, settings, &|_| ())
                .await
                .map_err(problem)?;
            let Some(peeked) = peeked.filter(|peeked| peeked.manifest.window_days == window_days) else { continue };
            let kept = self.cache.labels(date, window_days);
            if entry(&peeked.manifest).is_none() || entry_of(&kept) == entry(&peeked.manifest) {
                return Ok(());
            }
            self.same_alerts(&name, &peeked.manifest, &self.cache.batch(date, window_days))?;
            let fetched =
                peek_labels(self.place.source(), BatchDay { date, window_days: named }, &peeked.manifest, settings)
                    .await;
            return match fetched.map_err(problem)? {
                Some(bytes) => self.keep(&name, &peeked, &bytes),
                None => Ok(()),
            };
        }
        Ok(())
    }

    /// Outcomes of other alerts than those that were asked about are worthless.
    fn same_alerts(&self, name: &str, manifest: &Manifest, cached: &Path) -> Result<(), SotError> {
        let digest = |manifest: &Manifest| manifest.digest_of(ALERTS.name);
        let Ok(cached) = BatchDir::open(cached) else { return Ok(()) };
        match (digest(cached.manifest()), digest(manifest)) {
            (Some(expected), Some(actual)) if expected != actual => {
                Err(SotError::OtherAlerts { name: name.to_owned(), expected, actual })
            }
            _ => Ok(()),
        }
    }

    fn keep(&self, name: &str, peeked: &Peeked, bytes: &[u8]) -> Result<(), SotError> {
        let file = file_name(&LABELS);
        read_table(bytes, &LABELS, &file, &self.settings.download.limits).map_err(|error| {
            let source = Box::new(DownloadError::Batch(error.into()));
            SotError::Download { name: name.to_owned(), source }
        })?;
        let directory = self.cache.labels(peeked.manifest.processing_date, peeked.manifest.window_days);
        // A manifest beside other outcomes would be damage: without it, there are none.
        match std::fs::remove_file(directory.join(MANIFEST_FILE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&directory)(error)),
            _ => {}
        }
        write(&directory.join(file), bytes)?;
        write(&directory.join(MANIFEST_FILE), &peeked.bytes)
    }
}

fn entry(manifest: &Manifest) -> Option<Digest> {
    manifest.files.get(&file_name(&LABELS)).map(|entry| entry.sha256)
}

fn entry_of(directory: &Path) -> Option<Digest> {
    entry(BatchDir::open(directory).ok()?.manifest())
}

fn has_labels(directory: &Path) -> bool {
    entry_of(directory).is_some()
}

/// Outcomes that became known after the day of the batch, and by now.
fn usable(labels: &Table, date: NaiveDate, now: Duration) -> Table {
    let now = now.as_secs_f64() * 1000.0;
    let known = labels.numbers("confirmed_at").unwrap_or_default();
    let rows: Vec<usize> = usable_rows(labels, date).into_iter().filter(|&row| known[row] <= now).collect();
    labels.take(&rows)
}
