//! The validator's numbers in Prometheus' text form.
//!
//! Events are counted where they happen; what can be read off the ledger and the chain is read here, when the numbers are
//! asked for. `config/prometheus-alerts.yml` watches them.

use std::path::Path;

use metrics::gauge;

use super::state::ApiState;
use crate::chain::standing::Preflight;
use crate::store::records::{Round, Step};

/// Rounds that are counted by step.
const ROUNDS: u32 = 90;

/// All numbers of this moment.
pub(super) async fn render(api: &ApiState) -> String {
    let Some(handle) = &api.metrics else { return String::new() };
    crate::store::count_from_zero();
    gauge!("aml_validator_shadow").set(if api.readiness.shadow { 1.0 } else { 0.0 });
    chain(api);
    disk(api);
    drift(api);
    let rounds = api.ledger.rounds(api.netuid, ROUNDS, None).await;
    gauge!("aml_validator_ledger_up").set(if rounds.is_ok() { 1.0 } else { 0.0 });
    match rounds {
        Ok(newest) => rounds_by_step(api, &newest).await,
        Err(error) => {
            crate::store::count_failure("read");
            tracing::warn!(%error, "the ledger does not answer");
        }
    }
    handle.run_upkeep();
    handle.render()
}

fn chain(api: &ApiState) {
    let Some(seen) = api.chain.current() else { return };
    gauge!("aml_validator_block").set(as_f64(seen.block().0));
    gauge!("aml_validator_block_age_seconds").set(api.clock.now().saturating_sub(seen.since).as_secs_f64());
    // Never a number of yesterday: what is not known compares with nothing.
    gauge!("aml_validator_weights_age_tempos").set(seen.weights_age().unwrap_or(f64::NAN));
    let stopped = seen.reading.stopped.as_ref();
    let flag = |holds: bool| if holds { 1.0 } else { 0.0 };
    gauge!("aml_validator_registered").set(flag(seen.registered()));
    gauge!("aml_validator_permit").set(flag(seen.registered() && !matches!(stopped, Some(Preflight::NoPermit(_)))));
    gauge!("aml_validator_stopped_by_standing").set(flag(stopped.is_some()));
}

fn disk(api: &ApiState) {
    // Before the first round is published its folder is not there; the one above is on the same disk.
    let folders = [Some(api.published.as_path()), api.published.parent()];
    if let Some(free) = folders.into_iter().flatten().find_map(free_bytes) {
        gauge!("aml_validator_disk_free_bytes").set(as_f64(free));
    }
    if let Some(free) = free_bytes(&std::env::temp_dir()) {
        gauge!("aml_validator_tmp_free_bytes").set(as_f64(free));
    }
    gauge!("aml_validator_bad_batches").set(as_f64(api.upkeep.problems().len() as u64));
}

/// What the newest months came to; what is not known compares with nothing.
fn drift(api: &ApiState) {
    let newest = api.drifts.newest();
    gauge!("aml_validator_slices_fallen").set(newest.fallen.map_or(f64::NAN, |fallen| as_f64(fallen as u64)));
    gauge!("aml_validator_score_stability_index").set(newest.psi.unwrap_or(f64::NAN));
}

/// What is free on the disk of a folder.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some(of.f_bavail.saturating_mul(of.f_frsize))
}

async fn rounds_by_step(api: &ApiState, newest: &[Round]) {
    let steps = [Step::Fetched, Step::Tasked, Step::Asked, Step::Judged, Step::Merged, Step::Published, Step::Settled];
    for step in steps {
        let count = newest.iter().filter(|round| round.step == step).count();
        gauge!("aml_validator_rounds", "step" => step.name()).set(as_f64(count as u64));
    }
    let newest_is = |what: fn(&Round) -> bool| newest.first().is_some_and(what);
    let waits = |round: &Round| round.step < Step::Published && round.marks.void.is_none();
    let held = newest.iter().any(|round| waits(round) && round.marks.held.is_some());
    gauge!("aml_validator_round_held").set(if held { 1.0 } else { 0.0 });
    gauge!("aml_validator_round_void").set(if newest_is(|round| round.marks.void.is_some()) { 1.0 } else { 0.0 });
    let now = api.clock.now_ms();
    let age = |round: &Round| now.saturating_sub(round.opened_ms).max(0);
    // A round that waits for its opening does not stall.
    let stalls = |round: &Round| {
        let opening_ms = round.marks.opening_ms.filter(|_| round.step == Step::Asked);
        now.saturating_sub(opening_ms.unwrap_or(round.opened_ms)).max(0)
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let seconds = |millis: i64| millis as f64 / 1e3;
    let open = newest.iter().filter(|round| round.step < Step::Published && round.marks.void.is_none());
    let unfinished = open.clone().map(stalls).max();
    let late = |round: &Round| {
        let opening_ms = round.marks.opening_ms.filter(|_| round.step == Step::Asked)?;
        Some(now.saturating_sub(opening_ms).max(0))
    };
    gauge!("aml_validator_beacon_late_seconds").set(seconds(open.filter_map(late).max().unwrap_or(0)));
    gauge!("aml_validator_unfinished_round_age_seconds").set(seconds(unfinished.unwrap_or(0)));
    if let Some(youngest) = newest.iter().map(age).min() {
        gauge!("aml_validator_newest_round_age_seconds").set(seconds(youngest));
    }
    let judged = newest.iter().find(|round| round.step >= Step::Judged);
    let Some(judged) = judged else { return };
    match api.facts(judged).await {
        Ok(facts) => {
            gauge!("aml_validator_accepted_submissions").set(as_f64(facts.brief().accepted as u64));
            gauge!("aml_validator_round_alerts").set(as_f64(facts.brief().alerts));
        }
        Err(error) => tracing::warn!(detail = error.line(), "the newest round cannot be read"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "block numbers, counts and bytes of a disk are far below 2^53")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}
