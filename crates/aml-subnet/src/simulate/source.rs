//! Batches and outcomes of a simulation: one batch for the day, and one of three weeks before whose outcomes are known.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aml_miner::data::ReadBatchError;
use aml_miner::digest::Digest;
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::spec::MONEY_FLOWS;
use aml_miner::wire::{Batch, Table};
use chrono::{Days, NaiveDate};
use futures_util::future::BoxFuture;

use super::plan::Trouble;
use super::stage::Stage;
use crate::store::records::RoundId;
use crate::validator::sot::{Found, SotError};
use crate::validator::traps::TrapPool;
use crate::validator::world::{BatchRows, Fetched, Source, Time as _};

/// Days that features look back.
pub(super) const WINDOW_DAYS: u16 = 7;
/// Alerts of a batch.
const ALERTS: usize = 64;
/// Days between the two batches: outcomes are known by then.
const APART: u64 = 21;
/// How long the source takes for an answer at most.
const TAKES: Duration = Duration::from_secs(20);

/// The two batches, the same in every simulation: what is simulated is the validator, not the data.
struct Data {
    past: Stored,
    today: Stored,
}

struct Stored {
    date: NaiveDate,
    batch: Arc<Batch>,
    labels: Table,
}

fn data() -> &'static Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| {
        let config = SynthConfig { days: 2, alerts: ALERTS, addresses: 400, ..SynthConfig::default() };
        let mut days = generate(&config).expect("a configuration in bounds");
        let mut next = |later: u64| {
            let Day { date, batch, labels } = days.next().expect("two days");
            let batch = lean(batch);
            let date = date.checked_add_days(Days::new(later)).expect("no end of time");
            Stored { date, batch: Arc::new(batch), labels }
        };
        Data { past: next(0), today: next(APART - 1) }
    })
}

/// The batch with the features of its alerts' addresses alone, and without flows: most of a body is never looked at.
fn lean(batch: Batch) -> Batch {
    let all = |table: &Table| -> Vec<String> {
        let texts = table.texts("address").expect("every such table has addresses");
        (0..table.rows()).map(|row| texts.get(row).to_owned()).collect()
    };
    let alerted = all(&batch.alerts);
    let features = all(&batch.features);
    let rows: Vec<usize> = (0..features.len()).filter(|row| alerted.contains(&features[*row])).collect();
    Batch { features: batch.features.take(&rows), money_flows: Table::empty(&MONEY_FLOWS), ..batch }
}

/// The day that is simulated.
pub(super) fn today() -> NaiveDate {
    data().today.date
}

/// A source of two batches.
pub(super) struct SimSource {
    stage: Arc<Stage>,
    down_until: Duration,
    pools: Mutex<BTreeMap<String, TrapPool>>,
    heard: Mutex<BTreeSet<NaiveDate>>,
}

impl SimSource {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        let down = |trouble: &Trouble| if let Trouble::SourceDown(until) = trouble { Some(*until) } else { None };
        let down_until = stage.plan.troubles.iter().find_map(down).unwrap_or_default();
        Self { stage, down_until, pools: Mutex::default(), heard: Mutex::default() }
    }

    async fn asked(&self, what: String) -> Result<(), SotError> {
        self.stage.instant().await;
        self.stage.note("source", &what);
        self.stage.pause(TAKES).await;
        self.stage.instant().await;
        if self.stage.time.uptime() >= self.down_until {
            return Ok(());
        }
        self.stage.note("source", format_args!("{what}: no answer"));
        let source = io::Error::from(io::ErrorKind::ConnectionRefused);
        Err(SotError::Io { path: PathBuf::from("source"), source })
    }
}

fn stored(found: Found) -> Result<&'static Stored, SotError> {
    let Data { past, today } = data();
    let of_day = [past, today].into_iter().find(|stored| stored.date == found.date);
    of_day.ok_or(SotError::Absent { date: found.date, window_days: found.window_days })
}

struct InMemory(Arc<Batch>);

impl BatchRows for InMemory {
    fn read(&self) -> Result<Batch, ReadBatchError> {
        Ok(Batch::clone(&self.0))
    }
}

impl Source for SimSource {
    fn newest(&self, _now: Duration) -> BoxFuture<'_, Result<Option<Found>, SotError>> {
        Box::pin(async {
            self.asked("newest".to_owned()).await?;
            Ok(Some(Found { date: today(), window_days: WINDOW_DAYS }))
        })
    }

    fn fetch(&self, found: Found) -> BoxFuture<'_, Result<Fetched, SotError>> {
        Box::pin(async move {
            self.asked(format!("batch of {}", found.date)).await?;
            let Stored { date, batch, .. } = stored(found)?;
            let digest = Digest::of(date.to_string().as_bytes());
            Ok(Fetched { digest, alerts: batch.alerts.rows() as u64, rows: Arc::new(InMemory(Arc::clone(batch))) })
        })
    }

    fn labels(&self, found: Found, _now: Duration) -> BoxFuture<'_, Result<Option<Table>, SotError>> {
        Box::pin(async move {
            self.asked(format!("outcomes of {}", found.date)).await?;
            if self.stage.plan.troubles.contains(&Trouble::OutcomesHang) {
                std::future::pending::<()>().await;
            }
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(found.date);
            (found.date != today()).then(|| stored(found).map(|stored| stored.labels.clone())).transpose()
        })
    }

    /// What outcomes were heard of is kept, as in the cache of a machine.
    fn settled(&self, found: Found, _now: Duration) -> BoxFuture<'_, Result<Option<(Fetched, Table)>, SotError>> {
        Box::pin(async move {
            if !self.heard.lock().unwrap_or_else(PoisonError::into_inner).contains(&found.date) {
                return Ok(None);
            }
            let Stored { date, batch, labels } = stored(found)?;
            let digest = Digest::of(date.to_string().as_bytes());
            let rows = Arc::new(InMemory(Arc::clone(batch)));
            Ok(Some((Fetched { digest, alerts: batch.alerts.rows() as u64, rows }, labels.clone())))
        })
    }

    fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<Vec<NaiveDate>, SotError> {
        Ok(Vec::from_iter(Some(data().past.date).filter(|day| (first..=last).contains(day))))
    }

    fn days_back(&self) -> u32 {
        35
    }

    fn kept_pool(&self, round: RoundId) -> Result<Option<TrapPool>, SotError> {
        Ok(self.pools.lock().unwrap_or_else(PoisonError::into_inner).get(&round.to_string()).cloned())
    }

    fn keep_pool(&self, round: RoundId, pool: &TrapPool) -> Result<(), SotError> {
        self.stage.note("source", format_args!("{} traps are kept", pool.len()));
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).insert(round.to_string(), pool.clone());
        Ok(())
    }
}
