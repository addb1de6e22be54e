//! What the ledger of a simulation said is done: it must be there whenever somebody looks.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;

use super::kept::KeptRound;
use crate::store::records::{Answer, Mark, MarkKind, RoundId, Step};
use crate::wallet::Hotkey;

/// Everything that was said to be done.
#[derive(Debug, Default)]
pub(super) struct Promises {
    answers: BTreeMap<(RoundId, Hotkey), Digest>,
    steps: BTreeMap<RoundId, Step>,
    held: BTreeMap<RoundId, bool>,
}

impl Promises {
    /// A miner's answer, or what became of it, is recorded.
    pub(super) fn answer(&mut self, round: RoundId, answer: &Answer) {
        self.answers.insert((round, answer.hotkey), digest(answer));
    }

    /// A round has come so far.
    pub(super) fn step(&mut self, round: RoundId, step: Step) {
        self.steps.insert(round, step);
    }

    /// Something is said of a round.
    pub(super) fn mark(&mut self, round: RoundId, kind: MarkKind, mark: Option<&Mark>) {
        if kind == MarkKind::Held {
            self.held.insert(round, mark.is_some());
        }
    }

    /// Whether a round is held that is not published.
    pub(super) fn holds_any(&self) -> bool {
        let waits = |round: &RoundId| self.steps.get(round).is_none_or(|step| *step < Step::Published);
        self.held.iter().any(|(round, held)| *held && waits(round))
    }

    /// What the ledger does not have any more of a round.
    pub(super) fn forgotten(&self, kept: &KeptRound) -> Option<&'static str> {
        let id = kept.round.id;
        if self.steps.get(&id).is_some_and(|step| *step > kept.round.step) {
            return Some("a step");
        }
        let of_round = self.answers.iter().filter(|((round, _), _)| *round == id);
        let mut gone = of_round.filter(|((_, hotkey), promised)| {
            let there = kept.answers.iter().find(|answer| answer.hotkey == *hotkey);
            there.is_none_or(|answer| digest(answer) != **promised)
        });
        gone.next().map(|_| "an answer")
    }
}

fn digest(answer: &Answer) -> Digest {
    Digest::of(&serde_json::to_vec(answer).unwrap_or_default())
}
