//! What a miner has to expect: whether it keeps its place, and what validators made of its last answers. Warnings alone.

use super::{Class, Finding, State, finding, ok};
use crate::chain::collateral::Collateral;
use crate::chain::outlook::Outlook;
use crate::miner::verdicts::Verdicts;

/// Fewer neurons than this go before ours: a newcomer may take its place any day.
const FEW: u16 = 3;

/// How near the place is to its end.
pub(super) fn place(outlook: &Outlook) -> Finding {
    let Outlook { free, immune_blocks, before } = *outlook;
    if free > 0 {
        return ok(Class::Place, format!("the subnet has {free} free places: nobody loses his"));
    }
    let text = match immune_blocks {
        0 => format!("the subnet is full, and {before} neurons lose their places before this one"),
        blocks => format!("the subnet is full; immune for {blocks} blocks, then {before} neurons go before this one"),
    };
    if before < FEW {
        let advice =
            "its pruning score is among the lowest: see `aml-subnet my-rounds` for what validators make of its answers";
        return finding(Class::Place, State::Warning, text, advice);
    }
    ok(Class::Place, text)
}

/// What is locked, and what has been earned towards its release.
pub(super) fn collateral(of: &Collateral) -> Finding {
    let Collateral { locked, floor, earned } = *of;
    if locked == 0 && floor == 0 {
        return ok(Class::Place, "no collateral is locked");
    }
    let mut text = format!("collateral: {} alpha locked, {} earned since then", alpha(locked), alpha(earned));
    if floor > 0 {
        text.push_str(&format!("; {} of it stay locked because the miner wants it so", alpha(floor)));
    }
    ok(Class::Place, text)
}

/// Rao as whole alpha with four digits, cut.
fn alpha(rao: u64) -> String {
    format!("{}.{:04}", rao / 1_000_000_000, rao % 1_000_000_000 / 100_000)
}

/// What a validator made of the last answer.
pub(super) fn rounds((url, told): &(String, Result<Verdicts, String>)) -> Finding {
    let last = match told {
        Ok(told) => told.rounds.first(),
        Err(reason) => {
            return finding(Class::Rounds, State::Skipped, format!("{url} does not tell of our rounds: {reason}"), "");
        }
    };
    let Some(last) = last else {
        return finding(Class::Rounds, State::Skipped, format!("{url} has no round of ours yet"), "");
    };
    let outcome = last.outcome.replace('_', " ");
    if last.accepted() {
        return ok(Class::Rounds, format!("{url}: the answer of {} was accepted", last.date));
    }
    let reason = last.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
    finding(Class::Rounds, State::Warning, format!("{url}: {} was {outcome}{reason}", last.date), last.advice())
}
