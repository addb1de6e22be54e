//! A validator at work: rounds, settlements and weights, each in its own time.
//!
//! One trouble never stops the other concerns: it is logged, counted, and tried again. What was recorded stays.

use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::error_chain::with_causes;
use tokio_util::sync::CancellationToken;

use super::information::Backfilled;
use super::pay::{PayError, PayOutcome, Payer};
use super::round::{RoundError, Rounds};
use super::settling::{Settler, Settling, SettlingError};
use super::standing::{newest_published, worth_now};
use super::world::World;
use crate::calendar::{DAY_MS, date_of, day_at, day_of};
use crate::config::ValidatorSettings;
use crate::store::records::{Round, RoundId, Step};
use crate::store::{Retention, StorageError};

mod openings;
mod packs;
mod turns;

use turns::{every, unless_stopped};

/// While the chain's pace is not known, weights are looked at as often as the main network makes blocks.
const UNKNOWN_PACE: Duration = Duration::from_secs(12);
/// No chain is asked more often than so.
const QUICKEST: Duration = Duration::from_secs(1);
/// How often raw answers are swept.
const HOURLY: Duration = Duration::from_secs(3600);

/// All concerns of a validator.
pub struct Validator {
    /// Rounds.
    pub rounds: Rounds,
    /// Settlements.
    pub settler: Settler,
    /// Weights; `None` in a shadow, which sets none.
    pub payer: Option<Payer>,
    /// Where everything is recorded, clock and timers.
    pub world: World,
    /// The subnet.
    pub netuid: u16,
    /// Intervals and retention.
    pub settings: ValidatorSettings,
}

/// What one pass came to.
#[derive(Debug, Default)]
pub struct Pass {
    /// The round of the newest batch.
    pub round: Option<Round>,
    /// Rounds that were looked at for settlement.
    pub settling: Vec<(RoundId, Settling)>,
    /// Weights, where they are set at all.
    pub pay: Option<PayOutcome>,
    /// Everything that went wrong.
    pub errors: Vec<String>,
}

impl Validator {
    /// One round, whatever settlements are due, weights if they are due.
    pub async fn once(&self, stop: &CancellationToken) -> Pass {
        let turn = self.opened_turn(stop).await;
        self.after(turn, stop).await
    }

    /// The same for the batch of a given round, whatever newer ones there are. Outcomes are looked for before it too, as a
    /// validator does that runs since yesterday.
    pub async fn once_for(&self, id: RoundId, stop: &CancellationToken) -> Pass {
        let mut errors = Vec::new();
        let before = self.settle_turn(&mut errors).await;
        let turn = self.carry_on(self.rounds.of(id).await.map(Some), stop).await;
        let mut pass = self.after(turn, stop).await;
        match before {
            Ok(settled) => pass.settling.splice(0..0, settled).for_each(drop),
            Err(error) => errors.push(with_causes(&error)),
        }
        pass.errors.extend(errors);
        pass
    }

    /// What comes after a round's turn.
    async fn after(&self, turn: Result<Option<Round>, RoundError>, stop: &CancellationToken) -> Pass {
        let mut pass = Pass::default();
        match turn {
            Ok(round) => pass.round = round,
            Err(error) => pass.errors.push(with_causes(&error)),
        }
        if let Err(error) = self.backfill_turn().await {
            pass.errors.push(with_causes(&error));
        }
        match self.settle_turn(&mut pass.errors).await {
            Ok(settling) => pass.settling = settling,
            Err(error) => pass.errors.push(with_causes(&error)),
        }
        if let Err(error) = self.pack_turn(&mut pass.errors).await {
            pass.errors.push(with_causes(&error));
        }
        match unless_stopped(&*self.world.time, stop, self.pay_turn()).await {
            Some(Ok(paid)) => pass.pay = paid,
            Some(Err(error)) => pass.errors.push(with_causes(&error)),
            None => pass.errors.push("told to stop; recorded weights go on with the next start".to_owned()),
        }
        pass
    }

    /// Rounds, settlements, weights and retention, none of which waits for another, until `stop`. A round that is being
    /// asked stops at once: what has arrived is recorded, and the next start goes on. So does everything else that is not
    /// done soon after: a transaction that waits for its finality is found by its recorded plan.
    pub async fn run(&self, stop: &CancellationToken) {
        let time = &*self.world.time;
        let (usual, hourly) = (|| self.settings.interval, || HOURLY);
        let rounds = every(
            time,
            || self.rounds_pause(),
            stop,
            async || {
                let turn = self.round_turn(stop).await;
                stop.is_cancelled() || self.logged("round", turn)
            },
        );
        let settle = every(time, usual, stop, async || {
            let mut errors = Vec::new();
            let turn = self.settle_turn(&mut errors).await;
            errors.iter().for_each(|error| tracing::warn!(error, "a round could not be settled"));
            let settled = self.logged("settlement", turn) && errors.is_empty();
            errors.clear();
            let turn = self.pack_turn(&mut errors).await;
            errors.iter().for_each(|error| tracing::warn!(error, "an evidence pack could not be written"));
            self.logged("evidence", turn) && settled && errors.is_empty()
        });
        let pay = every(time, || self.weights_pause(), stop, async || self.paid(self.pay_turn().await));
        let fill =
            every(time, hourly, stop, async || self.logged("columns of past rounds", self.backfill_turn().await));
        let sweep = every(time, hourly, stop, async || self.logged("retention", self.sweep_turn().await));
        tokio::join!(rounds, settle, pay, fill, sweep);
    }

    /// Carries on every round that is on its way, the newest batch's last.
    ///
    /// # Errors
    /// The first trouble; the other rounds were tried nevertheless.
    pub async fn round_turn(&self, stop: &CancellationToken) -> Result<Option<Round>, RoundError> {
        self.carry_on(self.rounds.newest().await, stop).await
    }

    /// Carries on every round that is on its way, `newest` last.
    async fn carry_on(
        &self,
        newest: Result<Option<Round>, RoundError>,
        stop: &CancellationToken,
    ) -> Result<Option<Round>, RoundError> {
        self.rounds.forget_openings();
        let last = newest.as_ref().ok().and_then(Option::as_ref).map(|round| round.id);
        let mut trouble = None;
        for round in self.rounds.unfinished().await?.into_iter().filter(|round| Some(round.id) != last) {
            let id = round.id;
            if let Err(error) = self.rounds.advance(round, stop).await {
                tracing::warn!(round.id = %id, error = with_causes(&error), "an older round does not get on");
                trouble = trouble.or(Some(error));
            }
        }
        let newest = match newest? {
            Some(round) if round.step < Step::Published => Some(self.rounds.advance(round, stop).await?),
            other => other,
        };
        trouble.map_or(Ok(newest), Err)
    }

    /// Looks for outcomes, and settles what can be settled.
    ///
    /// # Errors
    /// When the ledger cannot be read. Trouble with one round is listed in `errors`.
    pub async fn settle_turn(&self, errors: &mut Vec<String>) -> Result<Vec<(RoundId, Settling)>, SettlingError> {
        let mut all = Vec::new();
        self.settler.look(errors).await?;
        for round in self.settler.due().await? {
            match self.settler.settle(&round).await {
                Ok(settling) => {
                    settled(&round, &settling);
                    all.push((round.id, settling));
                }
                Err(error) => errors.push(format!("round {}: {}", round.id, with_causes(&error))),
            }
        }
        Ok(all)
    }

    /// Sees weights through, and sets them when they are due; nothing in a shadow.
    ///
    /// # Errors
    /// When the chain or the ledger cannot be used, or the chain refuses.
    pub async fn pay_turn(&self) -> Result<Option<PayOutcome>, PayTurnError> {
        let Some(payer) = &self.payer else { return Ok(None) };
        let worth = worth_now(&*self.world.ledger, self.netuid, self.settings.grace).await?;
        Ok(Some(payer.pay(&worth).await?))
    }

    /// Makes columns of rounds that were judged under v1, where the list of rules has v2.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn backfill_turn(&self) -> Result<(), SettlingError> {
        let told = |done: &Backfilled| {
            metrics::gauge!("aml_validator_backfill_left").set(u32::try_from(done.left).map_or(f64::MAX, f64::from));
            tracing::info!(made = done.made.len(), left = done.left, "columns of past rounds are made");
        };
        let done = self.settler.backfill(told).await?;
        for id in &done.swept {
            tracing::warn!(round.id = %id, "raw answers are gone: the round is not part of any window of rules v2");
        }
        Ok(())
    }

    /// Drops raw answers, and columns of rounds that no window can need, that need not be kept.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn sweep_turn(&self) -> Result<(), StorageError> {
        // Windows end with the newest round, whatever the clock says and however long the source has had nothing new.
        if let Some(newest) = newest_published(&*self.world.ledger, self.netuid).await? {
            let age = millis(self.settings.columns_age) / DAY_MS;
            let last = day_of(newest.id.date).min(day_at(self.world.time.now()));
            self.world.ledger.sweep_columns(date_of(last.saturating_sub(age)), self.world.time.now_ms()).await?;
        }
        let retention = Retention { age: self.settings.retention_age, bytes: self.settings.retention_bytes };
        let swept = self.world.ledger.sweep(self.world.time.now_ms(), &retention).await?;
        if swept.bodies > 0 {
            tracing::info!(bodies = swept.bodies, bytes = swept.bytes, left = swept.left, "raw answers swept");
        }
        Ok(())
    }

    /// How soon weights are looked at again: once per epoch at least, however quick the chain is.
    fn weights_pause(&self) -> Duration {
        let usual = self.settings.weights_interval;
        let epoch = self.payer.as_ref().map(|payer| payer.epoch_lasts().unwrap_or(UNKNOWN_PACE));
        epoch.map_or(usual, |epoch| usual.min(epoch.max(QUICKEST)))
    }

    /// Whether it went well. The payer tells of its own troubles, with their class.
    fn paid(&self, turn: Result<Option<PayOutcome>, PayTurnError>) -> bool {
        match turn {
            Err(PayTurnError::Pay(_)) => {
                troubled("weights");
                false
            }
            other => self.logged("weights", other),
        }
    }

    /// Whether it went well.
    fn logged<T, E: std::error::Error>(&self, what: &'static str, result: Result<T, E>) -> bool {
        if let Err(error) = &result {
            tracing::error!(what, error = with_causes(error), "trouble; it is tried again");
            troubled(what);
        }
        result.is_ok()
    }
}

fn troubled(what: &'static str) {
    metrics::counter!("aml_validator_troubles_total", "what" => what).increment(1);
}

/// Why weights were not set.
#[derive(Debug, thiserror::Error)]
pub enum PayTurnError {
    /// The history cannot be read.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// The payer's.
    #[error(transparent)]
    Pay(#[from] PayError),
}

fn settled(round: &Round, settling: &Settling) {
    match settling {
        Settling::Done(settled) => {
            let canonical_auc = settled.canonical.map(|canonical| canonical.auc);
            let (outcomes, miners) = (settled.labels.len(), settled.miners.len());
            tracing::info!(round.id = %round.id, outcomes, miners, canonical_auc, "round settled");
        }
        waiting => tracing::debug!(round.id = %round.id, ?waiting, "round is not settled yet"),
    }
}
