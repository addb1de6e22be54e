//! The source of batches and outcomes of a simulation: a batch each morning, one of three weeks before whose outcomes are
//! known, and a cache of what was fetched, as on a machine's disk.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::data::ReadBatchError;
use aml_miner::data::outcomes::usable_rows;
use aml_miner::digest::Digest;
use aml_miner::wire::{Batch, Column, Table};
use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::batches::{self, Stored};
use super::days::{BATCH_AT, WINDOW_DAYS, date_of, day_begins, day_of, past};
use super::stage::Stage;
use super::troubles::Trouble;
use crate::store::records::RoundId;
use crate::validator::sot::{Found, SotError};
use crate::validator::traps::TrapPool;
use crate::validator::world::{BatchRows, Fetched, Source, Time as _};

/// How long the source takes for an answer at most.
const TAKES: Duration = Duration::from_secs(20);
/// How long the cache takes at most.
const CACHED: Duration = Duration::from_millis(50);
/// Of so many outcomes one changes with each change, and one is withdrawn.
const CHANGED: u8 = 8;

/// A source of batches.
pub(super) struct SimSource {
    stage: Arc<Stage>,
    cache: Mutex<Cache>,
}

/// What is kept of the source.
#[derive(Default)]
struct Cache {
    pools: BTreeMap<String, TrapPool>,
    /// Outcomes that were heard, and by which version.
    heard: BTreeMap<NaiveDate, usize>,
    fetched: BTreeMap<NaiveDate, Arc<Stored>>,
}

impl SimSource {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, cache: Mutex::default() }
    }

    /// Another machine has no batches, and has heard nothing.
    pub(super) fn forget(&self) {
        let mut cache = self.cache();
        cache.fetched.clear();
        cache.heard.clear();
    }

    /// The version of the outcomes that the source has now: how often they changed.
    fn version(&self) -> usize {
        let now = self.stage.time.uptime();
        let changed = |trouble: &&Trouble| matches!(trouble, Trouble::OutcomesChange(at) if *at <= now);
        self.stage.plan.troubles.iter().filter(changed).count()
    }

    async fn asked(&self, what: String) -> Result<(), SotError> {
        let stage = &self.stage;
        stage.instant().await;
        stage.note("source", &what);
        stage.pause(TAKES).await;
        stage.instant().await;
        let down = |trouble: &Trouble| if let Trouble::SourceDown(span) = trouble { Some(*span) } else { None };
        if !stage.is_cut() && !stage.suffers(down) {
            return Ok(());
        }
        stage.note("source", format_args!("{what}: no answer"));
        let source = io::Error::from(io::ErrorKind::ConnectionRefused);
        Err(SotError::Io { path: PathBuf::from("source"), source })
    }

    /// What the source has of a day now.
    fn has(&self, date: NaiveDate) -> Option<Arc<Stored>> {
        let plan = &self.stage.plan;
        if date == past() {
            return Some(batches::before(plan.alerts));
        }
        let day = day_of(date).filter(|day| *day < plan.days && self.comes(*day) <= self.stage.time.uptime())?;
        Some(batches::of_day(plan.alerts, day))
    }

    /// A batch with the version of its outcomes that was heard last, where both are kept.
    fn kept(&self, date: NaiveDate) -> Option<(Arc<Stored>, usize)> {
        let cache = self.cache();
        Some((cache.fetched.get(&date).cloned()?, cache.heard.get(&date).copied()?))
    }

    /// When the batch of a day comes.
    fn comes(&self, day: u32) -> Duration {
        let late = |trouble: &Trouble| match trouble {
            Trouble::BatchLate { day: of, by } if *of == day => Some(*by),
            _ => None,
        };
        let by = self.stage.plan.troubles.iter().filter_map(late).sum::<Duration>();
        day_begins(day) + BATCH_AT + by
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Outcomes of a batch in a version, as they are known at `now`; `None` when there are none yet.
    fn outcomes(&self, stored: &Stored, version: usize, now: Duration) -> Option<Table> {
        let at = |trouble: &Trouble| if let Trouble::OutcomesChange(at) = trouble { Some(*at) } else { None };
        let mut changes: Vec<Duration> = self.stage.plan.troubles.iter().filter_map(at).collect();
        changes.sort_unstable();
        let began = self.stage.time.real().saturating_sub(self.stage.time.uptime());
        let changes = changes.into_iter().take(version).map(|at| (began + at).as_secs_f64() * 1000.0);
        let table = changes.enumerate().fold(stored.labels.clone(), |table, (number, at)| changed(&table, number, at));
        let now = now.as_secs_f64() * 1000.0;
        let known = table.numbers("confirmed_at").unwrap_or_default();
        let rows: Vec<usize> = usable_rows(&table, stored.date).into_iter().filter(|&row| known[row] <= now).collect();
        (!rows.is_empty()).then(|| table.take(&rows))
    }
}

/// Outcomes after a change that came at `at`: of those that were known some say otherwise, some are gone.
fn changed(table: &Table, number: usize, at: f64) -> Table {
    let (Some(ids), Some(illicit), Some(known)) =
        (table.texts("alert_id"), table.numbers("confirmed_illicit"), table.numbers("confirmed_at"))
    else {
        return table.clone();
    };
    let lot = |row: usize| Digest::of(format!("{number} {}", ids.get(row)).as_bytes()).as_bytes()[0] % CHANGED;
    let flips = |row: usize| lot(row) == 0 && known[row] < at && !illicit[row].is_nan();
    let rows: Vec<usize> = (0..table.rows()).filter(|row| lot(*row) != 1 || known[*row] >= at).collect();
    let said: Vec<f64> = rows.iter().map(|row| if flips(*row) { 1.0 - illicit[*row] } else { illicit[*row] }).collect();
    let when: Vec<f64> = rows.iter().map(|row| if flips(*row) { at } else { known[*row] }).collect();
    let mut left = table.take(&rows);
    for (name, values) in [("confirmed_illicit", said), ("confirmed_at", when)] {
        if let Some(place) = left.spec().position(name) {
            left.set_column(place, Some(Column::Numbers(values)));
        }
    }
    left
}

struct InMemory(Arc<Batch>);

impl BatchRows for InMemory {
    fn read(&self) -> Result<Batch, ReadBatchError> {
        Ok(Batch::clone(&self.0))
    }
}

fn fetched(stored: &Stored) -> Fetched {
    let digest = Digest::of(format!("{} {}", stored.date, stored.batch.alerts.rows()).as_bytes());
    let alerts = stored.batch.alerts.rows() as u64;
    Fetched { digest, alerts, rows: Arc::new(InMemory(Arc::clone(&stored.batch))) }
}

impl Source for SimSource {
    fn newest(&self, _now: Duration) -> BoxFuture<'_, Result<Option<Found>, SotError>> {
        Box::pin(async {
            self.asked("newest".to_owned()).await?;
            let newest = (0..self.stage.plan.days).rev().map(date_of).find(|date| self.has(*date).is_some());
            Ok(newest.map(|date| Found { date, window_days: WINDOW_DAYS }))
        })
    }

    fn fetch(&self, found: Found) -> BoxFuture<'_, Result<Fetched, SotError>> {
        Box::pin(async move {
            let kept = self.cache().fetched.get(&found.date).cloned();
            if let Some(kept) = kept {
                self.stage.instant().await;
                self.stage.pause(CACHED).await;
                return Ok(fetched(&kept));
            }
            self.asked(format!("batch of {}", found.date)).await?;
            let absent = || SotError::Absent { date: found.date, window_days: found.window_days };
            let stored = self.has(found.date).ok_or_else(absent)?;
            self.cache().fetched.insert(found.date, Arc::clone(&stored));
            Ok(fetched(&stored))
        })
    }

    fn labels(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<Table>, SotError>> {
        Box::pin(async move {
            if let Err(error) = self.asked(format!("outcomes of {}", found.date)).await {
                let kept = self.kept(found.date).ok_or(error)?;
                return Ok(self.outcomes(&kept.0, kept.1, now));
            }
            if self.stage.plan.troubles.contains(&Trouble::OutcomesHang) {
                std::future::pending::<()>().await;
            }
            let Some(stored) = self.has(found.date) else { return Ok(None) };
            let version = self.version();
            let known = self.outcomes(&stored, version, now);
            if known.is_some() {
                self.cache().heard.insert(found.date, version);
            }
            Ok(known)
        })
    }

    /// What outcomes were heard of is kept.
    fn settled(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<(Fetched, Table)>, SotError>> {
        Box::pin(async move {
            let Some((stored, version)) = self.kept(found.date) else { return Ok(None) };
            Ok(self.outcomes(&stored, version, now).map(|known| (fetched(&stored), known)))
        })
    }

    /// Those in the cache, and the one of before.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<Vec<NaiveDate>, SotError> {
        let mut days: Vec<NaiveDate> = self.cache().fetched.keys().copied().collect();
        if !days.contains(&past()) {
            days.insert(0, past());
        }
        days.retain(|day| (first..=last).contains(day));
        days.reverse();
        Ok(days)
    }

    fn days_back(&self) -> u32 {
        35
    }

    fn kept_pool(&self, round: RoundId) -> Result<Option<TrapPool>, SotError> {
        Ok(self.cache().pools.get(&round.to_string()).cloned())
    }

    fn keep_pool(&self, round: RoundId, pool: &TrapPool) -> Result<(), SotError> {
        if self.stage.is_full() {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(SotError::Io { path: PathBuf::from("pools"), source });
        }
        self.stage.note("source", format_args!("{} traps are kept", pool.len()));
        self.cache().pools.insert(round.to_string(), pool.clone());
        Ok(())
    }
}
