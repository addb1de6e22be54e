//! The source of truth as the validator's core sees it.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::data::Manifest;
use aml_miner::data::batch_dir::file_name;
use aml_miner::data::listing::list_batches;
use aml_miner::wire::Table;
use aml_miner::wire::spec::ALERTS;
use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::cache::{failed, write};
use super::{Found, LocalBatch, Sot, SotError};
use crate::store::records::RoundId;
use crate::validator::traps::TrapPool;
use crate::validator::world::{Fetched, Source};

impl Source for Sot {
    fn newest(&self, now: Duration) -> BoxFuture<'_, Result<Option<Found>, SotError>> {
        Box::pin(Self::newest(self, now))
    }

    fn fetch(&self, found: Found) -> BoxFuture<'_, Result<Fetched, SotError>> {
        Box::pin(async move {
            let LocalBatch { dir, digest } = Self::fetch(self, found.date, found.window_days).await?;
            let alerts = alerts_of(dir.manifest());
            Ok(Fetched { digest, alerts, rows: Arc::new(dir) })
        })
    }

    fn labels(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<Table>, SotError>> {
        Box::pin(Self::labels(self, found.date, found.window_days, now))
    }

    fn settled(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<(Fetched, Table)>, SotError>> {
        Box::pin(async move {
            let Found { date, window_days } = found;
            let Some(labels) = self.kept_labels(date, window_days, now)? else { return Ok(None) };
            let Some(LocalBatch { dir, digest }) = self.kept(date, window_days).await? else { return Ok(None) };
            let alerts = alerts_of(dir.manifest());
            Ok(Some((Fetched { digest, alerts, rows: Arc::new(dir) }, labels)))
        })
    }

    fn look_over(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(Self::look_over(self))
    }

    /// Those in the cache and, where it can be listed, at the source.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<Vec<NaiveDate>, SotError> {
        let mut entries = self.cache.list()?;
        if let Some(directory) = self.place.directory() {
            entries.extend(list_batches(directory, Some(first), Some(last))?);
        }
        let mut days: Vec<NaiveDate> = entries.into_iter().map(|entry| entry.date).collect();
        days.retain(|day| (first..=last).contains(day));
        days.sort_unstable();
        days.dedup();
        days.reverse();
        Ok(days)
    }

    fn days_back(&self) -> u32 {
        self.settings.keep_days
    }

    fn kept_pool(&self, round: RoundId) -> Result<Option<TrapPool>, SotError> {
        let path = self.cache.pool(&round.to_string());
        match std::fs::read(&path) {
            Ok(bytes) => {
                let pool = TrapPool::from_file(&bytes).map_err(|source| SotError::Pool { path, source })?;
                Ok(Some(pool))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    fn keep_pool(&self, round: RoundId, pool: &TrapPool) -> Result<(), SotError> {
        let path = self.cache.pool(&round.to_string());
        let bytes = pool.to_file().map_err(failed(&path))?;
        write(&path, &bytes)
    }
}

/// Rows of the alerts, as the manifest says.
fn alerts_of(manifest: &Manifest) -> u64 {
    manifest.files.get(&file_name(&ALERTS)).map_or(0, |entry| entry.rows)
}
