//! What the ledger of a simulation has of its rounds, and what was seen of them before: what is recorded stays.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use serde::Serialize;

use super::days::round_of;
use crate::store::Ledger;
use crate::store::records::{
    Answer, Canonical, ColumnDigests, ColumnName, Round, RoundId, Shares, Step, Task, Verdict,
};
use crate::wallet::Hotkey;

const THERE: &str = "a ledger in memory can be read";

/// A round as the ledger has it.
#[derive(Clone, Debug)]
pub(super) struct KeptRound {
    pub(super) round: Round,
    pub(super) task: Option<Task>,
    pub(super) answers: Vec<Answer>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) canonical: Option<Canonical>,
    pub(super) shares: Option<Shares>,
    pub(super) columns: BTreeMap<ColumnName, ColumnDigests>,
}

impl KeptRound {
    /// The round of a day; `None` when it was never begun.
    pub(super) async fn read(ledger: &Ledger, day: u32) -> Option<Self> {
        let id = round_of(day);
        Some(Self {
            round: ledger.round(id).await.expect(THERE)?,
            task: ledger.task(id).await.expect(THERE),
            answers: ledger.answers(id).await.expect(THERE),
            verdicts: ledger.verdicts(id).await.expect(THERE),
            canonical: ledger.canonical(id).await.expect(THERE),
            shares: ledger.shares(id).await.expect(THERE),
            columns: ledger.column_digests(id).await.expect(THERE),
        })
    }

    /// Miners whose answer counts.
    pub(super) fn accepted(&self) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.accepted.is_ok()).count()
    }

    /// Whose column is not kept as its verdict says.
    pub(super) fn without_column(&self) -> Option<Hotkey> {
        let kept = |hotkey: &Hotkey| self.columns.get(&ColumnName::Miner(*hotkey)).copied();
        let stored = self.verdicts.iter().filter_map(|verdict| Some((verdict.hotkey, verdict.stored?)));
        stored.filter(|(hotkey, stored)| kept(hotkey) != Some(*stored)).map(|(hotkey, _)| hotkey).next()
    }

    /// All that is the same each time: what seals an answer is drawn by the machine.
    pub(super) fn stays_the_same(&self) -> String {
        let Self { round, answers, verdicts, canonical, shares, .. } = self;
        let stays = |answer: &Answer| format!("{} {:?} {}", answer.hotkey, answer.reply, answer.asked_ms);
        let answers: Vec<String> = answers.iter().map(stays).collect();
        format!("{round:?}{answers:?}{verdicts:?}{canonical:?}{shares:?}")
    }
}

/// What was seen of rounds.
#[derive(Default)]
pub(super) struct Memory(BTreeMap<RoundId, Seen>);

struct Seen {
    step: Step,
    commitment: Option<Digest>,
    answers: BTreeMap<Hotkey, Digest>,
    verdicts: Option<Digest>,
    canonical: Option<Digest>,
    published_ms: Option<i64>,
}

impl Seen {
    fn of(kept: &KeptRound) -> Self {
        let step = kept.round.step;
        let asked = |answer: &Answer| (answer.hotkey, digest(&(answer.asked_ms, answer.took_ms, answer.request)));
        Self {
            step,
            commitment: kept.round.commitment,
            answers: kept.answers.iter().map(asked).collect(),
            verdicts: (step >= Step::Judged).then(|| digest(&kept.verdicts)),
            canonical: (step >= Step::Merged).then(|| digest(&kept.canonical)),
            published_ms: kept.round.published_ms,
        }
    }

    /// What of `self` is otherwise in what was seen later.
    fn changed_in(&self, later: &Self) -> Option<&'static str> {
        let stays = |hotkey: &Hotkey| self.answers.get(hotkey) == later.answers.get(hotkey);
        if later.step < self.step {
            return Some("a step");
        }
        if self.commitment.is_some() && self.commitment != later.commitment {
            return Some("a commitment");
        }
        if !self.answers.keys().all(stays) || (self.step >= Step::Asked && self.answers.len() != later.answers.len()) {
            return Some("an answer");
        }
        if self.verdicts.is_some() && self.verdicts != later.verdicts {
            return Some("a verdict");
        }
        if self.canonical.is_some() && self.canonical != later.canonical {
            return Some("a canonical score");
        }
        (self.published_ms.is_some() && self.published_ms != later.published_ms).then_some("a publication")
    }
}

impl Memory {
    /// Remembers a round; says what is otherwise than it was seen before.
    pub(super) fn sees(&mut self, kept: &KeptRound) -> Option<&'static str> {
        let now = Seen::of(kept);
        let changed = self.0.get(&kept.round.id).and_then(|before| before.changed_in(&now));
        self.0.insert(kept.round.id, now);
        changed
    }
}

fn digest(value: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(value).unwrap_or_default())
}
