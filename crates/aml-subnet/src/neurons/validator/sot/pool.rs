//! The pool of traps of a round: gathered once from settled batches, then read from its file.

use std::time::Duration;

use aml_miner::data::listing::list_batches;
use chrono::{Days, NaiveDate};

use super::cache::{failed, write};
use super::{LocalBatch, Sot, SotError, blocking};
use crate::neurons::validator::traps::{Consensus, Draw, SettledBatch, TrapPool, seeded};
use crate::store::Ledger;
use crate::store::records::RoundId;

/// Outcomes of a younger batch are hardly ever known.
const YOUNGEST_DAYS: u64 = 7;
/// Settled batches that a pool is gathered from: enough that no two miners need the same alerts.
const MOST_BATCHES: usize = 6;

impl Sot {
    /// The pool of traps of `round`: what was gathered for it before, else alerts of settled batches of the same window
    /// that are known by `now`, chosen by the round's salt among those that the canonical scores of their rounds, as far
    /// as `ledger` has any, had right. A batch that cannot be used is passed over.
    ///
    /// # Errors
    /// When the pool's file cannot be read or written.
    pub async fn pool(
        &self,
        ledger: &Ledger,
        round: RoundId,
        salt: &[u8; 32],
        now: Duration,
    ) -> Result<TrapPool, SotError> {
        let path = self.cache.pool(&round.to_string());
        match std::fs::read(&path) {
            Ok(bytes) => return TrapPool::from_file(&bytes).map_err(|source| SotError::Pool { path, source }),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&path)(error)),
            Err(_) => {}
        }
        let mut pool = TrapPool::empty();
        let mut used = 0;
        for date in self.past_days(round)? {
            if used == MOST_BATCHES {
                break;
            }
            let past = RoundId { date, ..round };
            let draw = seeded(salt, round, date.to_string().as_bytes());
            match self.settled(ledger, past, now, (pool.clone(), draw)).await {
                Ok(Some(more)) => {
                    pool = more;
                    used += 1;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%date, %error, "a past batch is not used for traps"),
            }
        }
        let bytes = pool.to_file().map_err(failed(&path))?;
        write(&path, &bytes)?;
        Ok(pool)
    }

    /// Days whose batches may be settled, newest first: those in the cache and, where it can be listed, at the source.
    fn past_days(&self, round: RoundId) -> Result<Vec<NaiveDate>, SotError> {
        let last = round.date.checked_sub_days(Days::new(YOUNGEST_DAYS)).unwrap_or(NaiveDate::MIN);
        let first = round.date.checked_sub_days(Days::new(self.settings.keep_days.into())).unwrap_or(NaiveDate::MIN);
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

    /// The pool with alerts of the batch of `past`; `None` when nothing is known of it.
    async fn settled(
        &self,
        ledger: &Ledger,
        past: RoundId,
        now: Duration,
        (pool, mut draw): (TrapPool, Draw),
    ) -> Result<Option<TrapPool>, SotError> {
        let RoundId { date, window_days, .. } = past;
        let Some(labels) = self.labels(date, window_days, now).await? else { return Ok(None) };
        let LocalBatch { dir, .. } = self.fetch(date, window_days).await?;
        let consensus = consensus(ledger, past).await?;
        let (path, before) = (dir.path().to_path_buf(), pool.len());
        let cut = move || {
            let loaded = dir.load()?;
            let batch = SettledBatch { date, batch: &loaded.batch, labels: &labels, consensus: consensus.as_ref() };
            Ok(pool.with(&batch, &mut draw))
        };
        let more = blocking(cut).await.map_err(|error| SotError::Damaged { path, source: Box::new(error) })?;
        Ok((more.len() > before).then_some(more))
    }
}

/// Where all miners together put the alerts of a round; `None` when they were never asked.
async fn consensus(ledger: &Ledger, round: RoundId) -> Result<Option<Consensus>, SotError> {
    let Some(canonical) = ledger.canonical(round).await? else { return Ok(None) };
    let task = ledger.task(round).await?;
    Ok(task.map(|task| Consensus::of(&task.roster, &canonical)))
}
