//! One line per step, and the numbers that alerts look at.

use std::time::{Duration, Instant};

use aml_miner::digest::Digest;
use aml_miner::error_chain::with_causes;

use crate::store::RecordError;
use crate::store::records::{Canonical, Round, RoundId, SealedState, Step, Task, Verdict};
use crate::wallet::Hotkey;

/// Takes the time of steps that do something.
pub(super) struct Watch {
    since: Instant,
    step: Step,
}

impl Watch {
    pub(super) fn new(step: Step) -> Self {
        Self { since: Instant::now(), step }
    }

    /// The round is at `step` now.
    pub(super) fn lap(&mut self, step: Step) {
        if step > self.step {
            step_done(step, self.since.elapsed());
        }
        *self = Self::new(step);
    }
}

/// A step of a round is done and recorded.
pub fn step_done(step: Step, took: Duration) {
    metrics::histogram!("aml_validator_step_seconds", "step" => step.name()).record(took.as_secs_f64());
}

pub(super) fn fetched(round: &Round) {
    step(round.id, "fetched");
    tracing::info!(round.id = %round.id, alerts = round.alerts, batch = %round.batch, "round began");
}

/// The object of a task was put where miners fetch it.
pub(super) fn put_out(round: RoundId, object: &Digest, places: &[String]) {
    let places = places.len();
    if places == 0 {
        tracing::warn!(round.id = %round, "no mirror takes the object of the task: it is sent inline");
    } else {
        tracing::info!(round.id = %round, %object, places, "the object of the task is put out");
    }
}

pub(super) fn tasked(round: RoundId, task: &Task, commitment: &Digest) {
    step(round, "tasked");
    let traps = task.traps_issued();
    tracing::info!(round.id = %round, miners = task.asks.len(), traps, %commitment, "task recorded");
}

pub(super) fn asked(round: RoundId, miners: usize) {
    step(round, "asked");
    tracing::info!(round.id = %round, miners, "every miner has an answer or an outcome");
}

/// Most miners cannot be reached, and our own side fails.
pub(super) fn held(round: RoundId, why: &str) {
    tracing::error!(round.id = %round, why, "most miners cannot be reached, and our own side fails: the round is held");
}

/// Our own side is back.
pub(super) fn goes_on(round: RoundId) {
    tracing::warn!(round.id = %round, "our own side is back: the round goes on");
}

/// A round counts nowhere.
pub(super) fn void(round: RoundId, why: &str) {
    tracing::error!(round.id = %round, why, "the round is void: it counts nowhere");
    metrics::counter!("aml_validator_rounds_void_total").increment(1);
}

/// The ledger does not take answers for now.
pub(super) fn put_aside(round: RoundId, error: &RecordError) {
    tracing::warn!(round.id = %round, error = with_causes(error), "the ledger takes no answer: answers wait on disk");
    metrics::counter!("aml_validator_answers_put_aside_total").increment(1);
}

/// An answer that waited is recorded.
pub(super) fn taken_back(round: RoundId, hotkey: &Hotkey) {
    tracing::info!(round.id = %round, miner.hotkey = %hotkey, "an answer that waited is recorded");
}

/// The answers of a round are opened, so long after its opening.
pub(super) fn opened(round: RoundId, after_ms: i64) {
    tracing::info!(round.id = %round, after_ms, "answers are opened");
}

/// What became of a sealed answer.
pub(super) fn answer_opened(round: RoundId, hotkey: &Hotkey, state: &SealedState) {
    let outcome = match state {
        SealedState::Waits => "waits",
        SealedState::Opened { by_miner: false } => "opened",
        SealedState::Opened { by_miner: true } => "given",
        SealedState::Spoiled { code, .. } => code.as_str(),
    };
    metrics::counter!("aml_validator_sealed_answers_total", "outcome" => outcome.to_owned()).increment(1);
    tracing::debug!(round.id = %round, miner.hotkey = %hotkey, outcome, "sealed answer");
}

/// The beacon has not signed the opening of a round yet.
pub(super) fn beacon_late(round: RoundId, by_ms: i64, why: &str) {
    tracing::debug!(round.id = %round, by_ms, why, "the beacon is not there yet");
}

/// The beacon is so late that the round is held.
pub(super) fn held_by_the_beacon(round: RoundId, why: &str) {
    tracing::error!(round.id = %round, why, "answers cannot be opened: the round is held");
}

/// The batch of a merged round cannot be read for now.
pub(super) fn held_without_batch(round: RoundId) {
    tracing::warn!(round.id = %round, "the batch cannot be had for the reasons of its alerts: the round waits for a while");
}

/// A round is shown, not paid.
pub(super) fn late(round: RoundId, why: &str) {
    tracing::error!(round.id = %round, why, "the round is late: it is merged and shown, not paid");
}

pub(super) fn judged(round: RoundId, verdicts: &[Verdict]) {
    step(round, "judged");
    let accepted = verdicts.iter().filter(|verdict| verdict.accepted.is_ok()).count();
    metrics::gauge!("aml_validator_round_miners").set(number(verdicts.len()));
    metrics::gauge!("aml_validator_round_accepted").set(number(accepted));
    for verdict in verdicts {
        if let Err(why) = &verdict.accepted {
            tracing::debug!(round.id = %round, miner.hotkey = %verdict.hotkey, why, "submission does not count");
        }
    }
    tracing::info!(round.id = %round, miners = verdicts.len(), accepted, "answers judged");
}

pub(super) fn merged(round: RoundId, canonical: Option<&Canonical>) {
    step(round, "merged");
    match canonical {
        Some(canonical) => {
            let (alerts, contributors) = (canonical.scores.len(), canonical.weights.len());
            tracing::info!(round.id = %round, alerts, contributors, "canonical scores made");
        }
        None => tracing::warn!(round.id = %round, "no submission counts: the round has no canonical scores"),
    }
}

pub(super) fn published(round: RoundId) {
    step(round, "published");
    tracing::info!(round.id = %round, "round published");
}

pub(super) fn doubted(neurons: usize, before: usize) {
    tracing::warn!(neurons, before, "most neurons are gone; reading again before believing it");
}

fn step(round: RoundId, step: &'static str) {
    metrics::counter!("aml_validator_steps_total", "step" => step).increment(1);
    let day = crate::calendar::day_of(round.date);
    metrics::gauge!("aml_validator_round_day", "step" => step).set(f64::from(i32::try_from(day).unwrap_or(i32::MAX)));
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
