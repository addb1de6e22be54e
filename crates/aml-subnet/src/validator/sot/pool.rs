//! The pool of traps of a round: gathered once from settled batches that are kept here, then as it was kept. What has
//! become known of past days is asked for beside that, within bounds.

use std::time::Duration;

use aml_miner::data::download::DownloadError;
use aml_miner::data::listing::directory_name;
use chrono::{Days, NaiveDate};
use futures_util::{StreamExt as _, stream};

use super::{Found, SotError};
use crate::store::records::RoundId;
use crate::validator::traps::{Consensus, Draw, PoolPart, SettledBatch, TrapPool, seeded};
use crate::validator::world::{Fetched, RoundLog, Source, Time, Workers, within};

/// Outcomes of a younger batch are hardly ever known.
const YOUNGEST_DAYS: u64 = 7;
/// Settled batches that a pool is gathered from: enough that no two miners need the same alerts.
const MOST_BATCHES: usize = 6;
/// How long the source may take over one past day.
const PATIENCE: Duration = Duration::from_secs(10);
/// Past days that the source is asked for at a time, so that one that hangs holds up no other.
const AT_ONCE: usize = 4;

/// What a pool is gathered with.
#[derive(Clone, Copy)]
pub struct Gathering<'a> {
    /// Where past batches and their outcomes are.
    pub source: &'a dyn Source,
    /// What miners said of them.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
    /// Since 1970.
    pub now: Duration,
}

impl Gathering<'_> {
    /// Asks the source for what has become known of past days, as far as a pool for `round` may want it. A day that
    /// cannot be had, or not soon, is passed over: what is kept of it stays.
    ///
    /// # Errors
    /// When the days cannot be listed, or the round's pool cannot be read.
    pub async fn refresh(&self, round: RoundId, time: &dyn Time) -> Result<(), SotError> {
        if self.source.kept_pool(round)?.is_some() {
            return Ok(());
        }
        let one = |date| async move {
            let end = time.uptime() + PATIENCE;
            let looked = within(time, end, self.look(Found { date, window_days: round.window_days })).await;
            let known = looked.unwrap_or_else(|| Err(SotError::Late { date, after: PATIENCE }));
            known.unwrap_or_else(|error| {
                tracing::warn!(%date, %error, "outcomes of a past day cannot be asked for; those that are kept are used");
                false
            })
        };
        let mut looks = stream::iter(self.past_days(round.date)?).map(one).buffered(AT_ONCE);
        let mut known = 0;
        while known < MOST_BATCHES
            && let Some(one) = looks.next().await
        {
            known += usize::from(one);
        }
        Ok(())
    }

    /// Whether outcomes of a past batch are known; then the batch is here too.
    async fn look(&self, found: Found) -> Result<bool, SotError> {
        let known = self.source.labels(found, self.now).await?.is_some();
        if known && let Err(error) = self.source.fetch(found).await {
            // Outcomes of what was erased draw no traps.
            return if matches!(error, SotError::Erased { .. }) { Ok(false) } else { Err(error) };
        }
        Ok(known)
    }

    /// The pool of traps of `round`: what was gathered for it before, else alerts of settled batches of the same window
    /// that are kept here, chosen by the round's salt among those that the canonical scores of their rounds, as far
    /// as the ledger has any, had right. A batch that cannot be used is passed over, and nobody is asked.
    ///
    /// # Errors
    /// When the pool cannot be read or kept.
    pub async fn pool(&self, round: RoundId, salt: &[u8; 32]) -> Result<TrapPool, SotError> {
        if let Some(kept) = self.source.kept_pool(round)? {
            return Ok(kept);
        }
        let mut pool = TrapPool::empty();
        let mut used = 0;
        for date in self.past_days(round.date)? {
            if used == MOST_BATCHES {
                break;
            }
            let past = RoundId { date, ..round };
            let draw = seeded(salt, round, date.to_string().as_bytes());
            match self.settled(past, draw).await {
                Ok(Some(part)) => {
                    pool.add(part);
                    used += 1;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%date, %error, "a past batch is not used for traps"),
            }
        }
        self.source.keep_pool(round, &pool)?;
        Ok(pool)
    }

    /// Days whose batches may be settled, newest first.
    fn past_days(&self, date: NaiveDate) -> Result<Vec<NaiveDate>, SotError> {
        let last = date.checked_sub_days(Days::new(YOUNGEST_DAYS)).unwrap_or(NaiveDate::MIN);
        let first = date.checked_sub_days(Days::new(self.source.days_back().into())).unwrap_or(NaiveDate::MIN);
        self.source.days(first, last)
    }

    /// Alerts of the batch of `past`; `None` when nothing is known of it.
    async fn settled(&self, past: RoundId, mut draw: Draw) -> Result<Option<PoolPart>, SotError> {
        let RoundId { date, window_days, .. } = past;
        let found = Found { date, window_days };
        let Some((Fetched { rows, .. }, labels)) = self.source.settled(found, self.now).await? else {
            return Ok(None);
        };
        let consensus = self.consensus(past).await?;
        let cut = move || {
            let batch = rows.read()?;
            let settled = SettledBatch { date, batch: &batch, labels: &labels, consensus: consensus.as_ref() };
            Ok(PoolPart::cut(&settled, &mut draw))
        };
        let damaged = |error| SotError::Download {
            name: directory_name(date, Some(window_days)),
            source: Box::new(DownloadError::Batch(error)),
        };
        self.workers.compute(cut).await?.map_err(damaged)
    }

    /// Where all miners together put the alerts of a round; `None` when they were never asked.
    async fn consensus(&self, round: RoundId) -> Result<Option<Consensus>, SotError> {
        let Some(canonical) = self.ledger.canonical(round).await? else { return Ok(None) };
        let task = self.ledger.task(round).await?;
        Ok(task.map(|task| Consensus::of(&task.roster, &canonical)))
    }
}
