//! What happened to weights: one line and a few numbers. No salts.

use super::due::Due;
use super::errors::{PROLONGED, PayError, Trouble};
use super::outcome::PayOutcome;
use crate::store::records::{WeightsRecord, WeightsState, WeightsTarget};

/// How old the weights on chain are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Age {
    /// The block in which the last ones took effect.
    pub(super) last_block: u64,
    /// In tempos.
    pub(super) tempos: f64,
}

pub(super) fn age(target: WeightsTarget, age: Age) {
    let labels = [("netuid", target.netuid.to_string()), ("mechanism", target.mechanism.to_string())];
    metrics::gauge!("aml_weights_age_tempos", &labels).set(age.tempos);
    #[expect(clippy::cast_precision_loss, reason = "block numbers are far below 2^53")]
    metrics::gauge!("aml_weights_last_block", &labels).set(age.last_block as f64);
}

/// A turn ended without an error.
pub(super) fn ended(target: WeightsTarget, outcome: &PayOutcome) {
    match outcome {
        PayOutcome::NotDue(Due::Later { blocks, because }) => {
            tracing::debug!(netuid = target.netuid, blocks, because = because.reason(), "weights are not due");
        }
        PayOutcome::NotDue(due) => tracing::debug!(netuid = target.netuid, ?due, "weights are not due"),
        PayOutcome::Withheld(why) => {
            tracing::warn!(netuid = target.netuid, %why, "weights are due, but none are set");
            count("withheld");
        }
        PayOutcome::Recorded { .. } => {}
    }
}

/// A submission came a step further.
pub(super) fn moved(target: WeightsTarget, record: &WeightsRecord, state: &WeightsState) {
    let (netuid, mechanism, epoch) = (target.netuid, target.mechanism, record.epoch);
    let vector = record.vector.to_string();
    match state {
        WeightsState::Failed { why } => {
            tracing::error!(netuid, mechanism, epoch, vector, why, "weights failed");
        }
        state => tracing::info!(netuid, mechanism, epoch, vector, ?state, "weights"),
    }
    count(label(state));
}

/// A turn ended with an error. Too soon is benign, unless it goes on.
pub(super) fn troubled(target: WeightsTarget, error: &PayError, age: Age) {
    let (netuid, trouble) = (target.netuid, error.trouble().label());
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match error.trouble() {
        Trouble::TooSoon if age.tempos < PROLONGED => tracing::info!(netuid, %error, "weights have to wait"),
        Trouble::TooSoon => {
            tracing::error!(netuid, %error, age_tempos = age.tempos, "weights have been too soon for long");
        }
        Trouble::Rpc | Trouble::Uncertain => {
            tracing::warn!(netuid, trouble, %error, ?cause, "weights not seen through")
        }
        _ => tracing::error!(netuid, trouble, %error, ?cause, "weights not set"),
    }
    metrics::counter!("aml_weights_errors_total", "class" => trouble).increment(1);
}

const fn label(state: &WeightsState) -> &'static str {
    match state {
        WeightsState::Planned => "planned",
        WeightsState::Committed { .. } => "committed",
        WeightsState::Timelocked { .. } => "timelocked",
        WeightsState::Confirmed { .. } => "confirmed",
        WeightsState::Failed { .. } => "failed",
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("aml_weights_outcomes_total", "outcome" => outcome).increment(1);
}
