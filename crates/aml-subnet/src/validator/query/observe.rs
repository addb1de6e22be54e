//! One line and a few numbers per miner that was asked. No bodies, no signatures.

use crate::store::records::{Answer, Attempt, BodyForm, Form, Reply};

use super::Peer;
use crate::wallet::Hotkey;

/// A miner is asked again after `pause`.
pub(super) fn again(peer: &Peer, attempts: &[Attempt], pause: std::time::Duration) {
    let Some((outcome, why)) = attempts.last().map(|attempt| outcome(&attempt.reply)) else { return };
    tracing::info!(
        miner.hotkey = %peer.hotkey,
        miner.uid = peer.uid,
        attempt = attempts.len(),
        outcome,
        why,
        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        "miner asked; it is asked again"
    );
    metrics::counter!("aml_validator_retries_total").increment(1);
}

/// A miner that refuses to explain a share is asked to explain everything.
pub(super) fn plainly(hotkey: Hotkey) {
    tracing::info!(miner.hotkey = %hotkey, "miner refuses a share of explanations; it is asked for all from now on");
}

/// A miner does not take the task in a form that it said it takes.
pub(super) fn otherwise(hotkey: Hotkey, form: BodyForm) {
    let refused = form.name();
    tracing::info!(miner.hotkey = %hotkey, refused, "miner does not take the task in this form; it is sent another one in this round");
    metrics::counter!("aml_validator_forms_refused_total", "form" => refused).increment(1);
}

/// A miner has answered, or it is clear that it will not.
pub(super) fn asked(peer: &Peer, answer: &Answer) {
    let (outcome, why) = outcome(&answer.reply);
    let form = match answer.form {
        Form::Btauth => "btauth",
        Form::V10 => "v10",
    };
    tracing::info!(
        miner.hotkey = %peer.hotkey,
        miner.uid = peer.uid,
        miner.axon = peer.axon.map(|axon| axon.to_string()),
        outcome,
        why,
        form,
        status = answer.status,
        task = answer.request_form.name(),
        sent_bytes = answer.sent_bytes,
        bytes = answer.received_bytes(),
        duration_ms = answer.took_ms,
        attempts = answer.attempts.len().max(1),
        "miner asked"
    );
    metrics::counter!("aml_validator_answers_total", "outcome" => outcome, "form" => form).increment(1);
    metrics::counter!("aml_validator_answer_bytes_total").increment(answer.received_bytes());
    let task = answer.request_form.name();
    metrics::counter!("aml_validator_task_bytes_total", "form" => task).increment(answer.sent_bytes.unwrap_or(0));
    for (direction, bytes) in [("out", answer.sent_bytes.unwrap_or(0)), ("in", answer.received_bytes())] {
        let miner = peer.hotkey.to_string();
        metrics::counter!("aml_validator_miner_bytes_total", "miner" => miner, "direction" => direction)
            .increment(bytes);
    }
    if answer.request.is_some() {
        let seconds = std::time::Duration::from_millis(answer.took_ms).as_secs_f64();
        metrics::histogram!("aml_validator_answer_seconds", "outcome" => outcome).record(seconds);
    }
}

const fn outcome(reply: &Reply) -> (&'static str, Option<&str>) {
    match reply {
        Reply::Answered => ("answered", None),
        Reply::Refused(why) => ("refused", Some(why.as_str())),
        Reply::TimedOut => ("timed_out", None),
        Reply::Unreachable(why) => ("unreachable", Some(why.as_str())),
        Reply::NotServing => ("not_serving", None),
        Reply::TooLarge => ("too_large", None),
        Reply::NotAsked => ("not_asked", None),
    }
}
