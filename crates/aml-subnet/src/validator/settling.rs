//! Settling rounds once outcomes are known: reads labels again and again from seven days after a batch on, until there
//! are enough of them.
//!
//! Works on stored answers alone. Outcomes that became known later than the rules' last day never count, so that a late
//! settlement is the same as one in time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aml_miner::clock::millis;
use chrono::NaiveDate;

use super::evidence::{Archive, EvidenceError};
use super::information::InformationError;
use super::judge::Judged;
use super::settle::{outcomes, settle};
use super::sot::{Found, SotError};
use super::standing::is_spared;
use super::world::{RoundLog, Source, Time, Workers, World, within};
use crate::calendar::start_ms;
use crate::config::ValidatorSettings;
use crate::store::records::{Round, Settled, Step};
use crate::store::{RecordError, StorageError};
use crate::validation::submission::Submission;
use crate::validation::tier3_settlement::SettleError;
use crate::wallet::Hotkey;

mod information;

/// How long the source may take over one round's outcomes: the others are not to wait for one that hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// Published rounds that are looked through: three months of daily ones.
const ROUNDS: u32 = 100;

/// What settlements work with.
pub struct Settler {
    /// Where rounds are.
    pub ledger: Arc<dyn RoundLog>,
    /// Where outcomes come from.
    pub source: Arc<dyn Source>,
    /// The time.
    pub time: Arc<dyn Time>,
    /// Threads.
    pub workers: Arc<dyn Workers>,
    /// The subnet.
    pub netuid: u16,
    /// When, and whom to spare.
    pub settings: ValidatorSettings,
    /// Whether outcomes may have changed without the pay being made again: a process may have ended in between.
    pub unsure: AtomicBool,
}

/// What came of trying to settle a round.
#[derive(Clone, Debug, PartialEq)]
pub enum Settling {
    /// It is settled now.
    Done(Box<Settled>),
    /// It was before.
    Already,
    /// It is not published yet.
    Unpublished,
    /// Outcomes are not looked for yet.
    Early {
        /// The first day on which they are.
        from: NaiveDate,
    },
    /// No outcome is known.
    NoOutcomes,
    /// Outcomes may still come, change or be withdrawn: rules v2 settle when none can.
    Open {
        /// Outcomes that are known.
        outcomes: usize,
        /// Illicit ones among them.
        illicit: usize,
        /// The last day whose outcomes count.
        until: NaiveDate,
    },
    /// Too few outcomes are known.
    TooFew {
        /// Confirmed illicit.
        illicit: usize,
        /// Clean or merely suspicious.
        clean: usize,
        /// Needed of each.
        needed: usize,
    },
}

/// Why a round could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum SettlingError {
    /// Where outcomes come from.
    #[error(transparent)]
    Sot(#[from] SotError),
    /// What was recorded cannot be judged.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Rules v2 came to no result.
    #[error(transparent)]
    Information(#[from] InformationError),
    /// A metric has no value.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// It cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
}

impl Settler {
    /// Settlements of subnet `netuid` in this world.
    #[must_use]
    pub fn of(world: &World, netuid: u16, settings: ValidatorSettings) -> Self {
        let World { ledger, source, time, workers, .. } = world.clone();
        Self { ledger, source, time, workers, netuid, settings, unsure: AtomicBool::new(true) }
    }

    /// Published rounds whose outcomes may be known by now, oldest first. Of rounds older than raw answers are kept
    /// nothing is expected any more.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn due(&self) -> Result<Vec<Round>, StorageError> {
        let mut rounds = self.ledger.rounds(self.netuid, ROUNDS, None).await?;
        let newest = rounds.first().map_or(NaiveDate::MIN, |round| round.id.date);
        let kept = chrono::TimeDelta::from_std(self.settings.retention_age).unwrap_or(chrono::TimeDelta::MAX);
        rounds.retain(|round| {
            let due = round.step == Step::Published && round.marks.void.is_none();
            due && self.from(round.id.date) <= self.now() && newest - round.id.date <= kept
        });
        rounds.reverse();
        Ok(rounds)
    }

    /// Settles a round, if enough is known.
    ///
    /// # Errors
    /// When the outcomes, the stored answers or the ledger cannot be used.
    pub async fn settle(&self, round: &Round) -> Result<Settling, SettlingError> {
        match round.step {
            Step::Settled => return Ok(Settling::Already),
            Step::Published => {}
            _ => return Ok(Settling::Unpublished),
        }
        if let Some(constants) = round.rules.information() {
            return self.settle_information(round, constants).await;
        }
        let (id, now) = (round.id, self.now());
        let found = Found { date: id.date, window_days: id.window_days };
        if now < self.from(id.date) {
            let days = chrono::TimeDelta::from_std(self.settings.settle_after).unwrap_or_default();
            return Ok(Settling::Early { from: id.date + days });
        }
        // What became known later than the last day is nobody's fault.
        let known_by = now.min(midnight(id.date) + self.settings.settle_until);
        let end = self.time.uptime() + PATIENCE;
        let asked = within(&*self.time, end, self.source.labels(found, known_by)).await;
        let late = || Err(SotError::Late { date: id.date, after: PATIENCE });
        let Some(labels) = asked.unwrap_or_else(late)? else {
            return Ok(Settling::NoOutcomes);
        };
        let archive = Archive { ledger: &*self.ledger, workers: &*self.workers };
        let task = archive.task(id).await?;
        let known = outcomes(&task.roster, &labels);
        let rules = round.rules.rules();
        if let Err(SettleError::TooFew { illicit, clean, needed }) =
            crate::validation::tier3_settlement::ready(&rules, &known)
        {
            return Ok(Settling::TooFew { illicit, clean, needed });
        }
        let judged = archive.judged(round, &task, rules).await?;
        let miners = self.measured(round, judged).await?;
        let canonical = self.ledger.canonical(id).await?;
        let settled = settle(&rules, known, &miners.into_iter().collect(), canonical.as_ref())?;
        let at_ms = millis(now);
        self.ledger.record_settled(id, &settled, at_ms).await?;
        Ok(Settling::Done(Box::new(settled)))
    }

    /// Everybody who was asked, but newcomers without a submission.
    async fn measured(
        &self,
        round: &Round,
        judged: Vec<Judged>,
    ) -> Result<Vec<(Hotkey, Option<Submission>)>, StorageError> {
        let seen = self.ledger.first_seen().await?;
        let spared = |one: &Judged| {
            let first = seen.get(&one.verdict.hotkey).copied();
            one.submission.is_none() && is_spared(first, round.id.date, self.settings.grace)
        };
        Ok(judged.into_iter().filter(|one| !spared(one)).map(|one| (one.verdict.hotkey, one.submission)).collect())
    }

    fn from(&self, date: NaiveDate) -> Duration {
        midnight(date) + self.settings.settle_after
    }

    fn now(&self) -> Duration {
        self.time.now()
    }
}

fn midnight(date: NaiveDate) -> Duration {
    Duration::from_millis(u64::try_from(start_ms(date)).unwrap_or(0))
}
