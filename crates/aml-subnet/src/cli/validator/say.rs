//! What one pass came to, in words.

use crate::calendar::rfc3339;
use crate::cli::settle;
use crate::config::ValidatorSettings;
use crate::store::records::{Step, WeightsState};
use crate::validator::pay::{Due, PayOutcome};
use crate::validator::run::Pass;

pub(super) fn say(pass: &Pass, own: &ValidatorSettings) {
    match &pass.round {
        Some(round) if round.step >= Step::Published => println!("round {} is published", round.id),
        Some(round) if round.step == Step::Asked && round.marks.opening_ms.is_some() => {
            let opening = round.marks.opening_ms.map(rfc3339).unwrap_or_default();
            match &round.marks.held {
                Some(held) => println!("round {} is asked and held: {}", round.id, held.why),
                None => println!(
                    "round {} is asked; its answers open at {opening}, and it goes on with the next start",
                    round.id
                ),
            }
        }
        Some(round) => println!("round {} is {:?}; it goes on with the next start", round.id, round.step),
        None if pass.errors.is_empty() => eprintln!("no round: {} has no batch", own.sot),
        None => {}
    }
    for (id, settling) in &pass.settling {
        println!("round {id}: {}", settle::say(settling));
    }
    match &pass.pay {
        None if own.shadow => println!("weights: none are set in a shadow"),
        None => {}
        Some(outcome) => println!("weights: {}", paid(outcome)),
    }
    for error in &pass.errors {
        eprintln!("error: {error}");
    }
}

pub(super) fn paid(outcome: &PayOutcome) -> String {
    match outcome {
        PayOutcome::NotDue(Due::Now) => "due".to_owned(),
        PayOutcome::NotDue(Due::Unfinished { epoch }) => format!("those of epoch {epoch} have no known end yet"),
        PayOutcome::NotDue(Due::Later { blocks, because }) => format!("in {blocks} blocks: {}", because.reason()),
        PayOutcome::Withheld(why) => format!("withheld, {why}"),
        PayOutcome::Recorded { epoch, state, receivers } => {
            format!("{receivers} receivers in epoch {epoch}, {}", progress(state))
        }
    }
}

fn progress(state: &WeightsState) -> String {
    match state {
        WeightsState::Planned => "recorded; what became of them is looked up next time".to_owned(),
        WeightsState::Committed { block } => format!("committed in block {block}, to be revealed"),
        WeightsState::Timelocked { reveal_from, .. } => format!("committed, the chain reveals them from {reveal_from}"),
        WeightsState::Confirmed { block } => format!("on chain since block {block}"),
        WeightsState::Failed { why } => format!("failed: {why}"),
    }
}
