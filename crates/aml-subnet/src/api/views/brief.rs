//! A round in a few numbers, and each miner of it in one line.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::calendar::rfc3339;
use crate::store::records::{Answer, Observations, Reply, Round, Settled, Step, Verdict};
use crate::validation::performance::RoundScore;
use crate::validation::rules::Rules;
use crate::wallet::Hotkey;

/// What came of one miner in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Outcome)]
pub enum MinerOutcome {
    /// The submission counts.
    Accepted,
    /// An answer came and does not count.
    Rejected,
    /// Another status, or an answer that is not the miner's.
    Refused,
    /// The deadline passed.
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// It announces no axon, or is left alone after many failures.
    NotServing,
    /// More bytes than an answer may have.
    TooLarge,
    /// It was never asked, by a failure of the validator.
    NotAsked,
}

impl MinerOutcome {
    /// The outcome that a verdict and the answer that it is about amount to.
    #[must_use]
    pub fn of(verdict: &Verdict, reply: Option<&Reply>) -> Self {
        match (&verdict.accepted, reply) {
            (Ok(()), _) => Self::Accepted,
            (Err(_), None | Some(Reply::Answered)) => Self::Rejected,
            (Err(_), Some(Reply::Refused(_))) => Self::Refused,
            (Err(_), Some(Reply::TimedOut)) => Self::TimedOut,
            (Err(_), Some(Reply::Unreachable(_))) => Self::Unreachable,
            (Err(_), Some(Reply::NotServing)) => Self::NotServing,
            (Err(_), Some(Reply::TooLarge)) => Self::TooLarge,
            (Err(_), Some(Reply::NotAsked)) => Self::NotAsked,
        }
    }

    /// For a person.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::NotServing => "not serving",
            Self::TooLarge => "too large",
            Self::NotAsked => "not asked",
        }
    }
}

/// What is watched, not scored under rules v1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Watched {
    /// Share of neighbouring severities whose median scores rise.
    pub monotonicity: Option<f64>,
    /// Entropy of the scores, from 0 to 1.
    pub entropy: Option<f64>,
    /// Rank correlation with the same hotkey's scores of the day before.
    pub agreement: Option<f64>,
    /// Highest likeness to a submission of another hotkey.
    pub similarity: Option<f64>,
    /// Hotkeys whose submissions are one with this one, itself included: they share one reward.
    pub copies: Option<u32>,
}

impl From<Observations> for Watched {
    fn from(seen: Observations) -> Self {
        let Observations { monotonicity, entropy, agreement, similarity, copies } = seen;
        Self { monotonicity, entropy, agreement, similarity, copies }
    }
}

/// What went over the line between the validator and a miner in a round, without heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Traffic {
    /// The form of the task that was sent last: `json`, or `arrow`, which is packed.
    pub task_form: String,
    /// Bytes of bodies that went out, in all attempts.
    pub sent_bytes: u64,
    /// Bytes of the answer, as they came.
    pub received_bytes: u64,
}

impl Traffic {
    fn of(answer: &Answer) -> Option<Self> {
        let (task_form, received_bytes) = (answer.request_form.name().to_owned(), answer.received_bytes());
        answer.sent_bytes.map(|sent_bytes| Self { task_form, sent_bytes, received_bytes })
    }
}

/// One miner in one round, in one line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MinerBrief {
    /// Its uid at that moment.
    pub uid: u16,
    /// What came of it.
    pub outcome: MinerOutcome,
    /// Why it does not count.
    pub reason: Option<String>,
    /// Share of tier 1's checks that were passed.
    pub tier1: Option<f64>,
    /// Share of tier 2's groups that were passed.
    pub tier2: Option<f64>,
    /// Tier 3, once the round is settled.
    pub tier3: Option<f64>,
    /// What the round adds to performance: from 0 to 0.5 before it is settled, to 1 afterwards. Copies are paid a part.
    pub score: f64,
    /// How long the answer took.
    pub took_ms: u64,
    /// What went over the line; absent of a miner that was not called, and of rounds of older programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Version of the model, as the miner calls it.
    pub model_version: Option<String>,
    /// What is watched, not scored.
    pub observations: Watched,
}

/// A round in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoundBrief {
    /// `NETUID-YYYY-MM-DD-WINDOW`.
    #[schema(example = "1-2026-01-05-30")]
    pub id: String,
    /// Day of the batch.
    pub date: String,
    /// Days that its features look back.
    pub window_days: u16,
    /// `published` or `settled`.
    #[schema(value_type = String)]
    pub step: Step,
    /// Rules it is judged under.
    pub rules: String,
    /// Whether it was run without setting weights.
    pub shadow: bool,
    /// SHA-256 of the batch's `META.json`.
    pub batch: String,
    /// Alerts of the batch.
    pub alerts: u64,
    /// When it began, RFC 3339 in UTC.
    pub opened_at: String,
    /// When answers stopped to count.
    pub deadline_at: Option<String>,
    /// When sealed answers opened; absent where answers were open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_open_at: Option<String>,
    /// When its canonical scores were published.
    pub published_at: Option<String>,
    /// When it was settled.
    pub settled_at: Option<String>,
    /// Miners that were asked.
    pub asked: usize,
    /// Miners whose submission counts.
    pub accepted: usize,
}

/// Rounds, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoundList {
    /// The rounds.
    pub rounds: Vec<RoundBrief>,
    /// Value of `before` for the next page; null on the last one.
    pub next_before: Option<String>,
}

/// What is kept in memory of a published round, because it is asked for again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundFacts {
    /// The round.
    pub round: Round,
    /// Its miners, by hotkey.
    pub miners: BTreeMap<Hotkey, MinerBrief>,
}

impl MinerBrief {
    /// Why it does not count, or how many others share its reward, in one line for a page.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let shared = self.observations.copies.filter(|copies| *copies > 1);
        let shared = shared.map(|copies| format!("one of {copies} copies, which share one reward"));
        self.reason.clone().or(shared)
    }
}

impl RoundFacts {
    /// The facts of a round, from what the ledger has of it.
    #[must_use]
    pub fn new(round: Round, verdicts: &[Verdict], answers: &[Answer], settled: Option<&Settled>) -> Self {
        let rules = round.rules.rules();
        let answers: BTreeMap<&Hotkey, &Answer> = answers.iter().map(|answer| (&answer.hotkey, answer)).collect();
        let brief = |verdict: &Verdict| {
            let answer = answers.get(&verdict.hotkey).copied();
            let brief = miner(&rules, verdict, answer.map(|answer| &answer.reply), settled);
            (verdict.hotkey, MinerBrief { traffic: answer.and_then(Traffic::of), ..brief })
        };
        Self { miners: verdicts.iter().map(brief).collect(), round }
    }

    /// The round in a few numbers.
    #[must_use]
    pub fn brief(&self) -> RoundBrief {
        let round = &self.round;
        RoundBrief {
            id: round.id.to_string(),
            date: round.id.date.to_string(),
            window_days: round.id.window_days,
            step: round.step,
            rules: rules_name(round.rules),
            shadow: round.shadow,
            batch: round.batch.to_string(),
            alerts: round.alerts,
            opened_at: rfc3339(round.opened_ms),
            deadline_at: round.deadline_ms.map(rfc3339),
            answers_open_at: round.marks.opening_ms.map(rfc3339),
            published_at: round.published_ms.map(rfc3339),
            settled_at: round.settled_ms.map(rfc3339),
            asked: self.miners.len(),
            accepted: self.miners.values().filter(|miner| miner.outcome == MinerOutcome::Accepted).count(),
        }
    }
}

/// Name of a version of the rules.
#[must_use]
pub fn rules_name(rules: crate::validation::rules::RulesVersion) -> String {
    serde_json::to_value(rules).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

fn miner(rules: &Rules, verdict: &Verdict, reply: Option<&Reply>, settled: Option<&Settled>) -> MinerBrief {
    let counts = verdict.accepted.is_ok();
    let settlement = settled.and_then(|settled| settled.miners.get(&verdict.hotkey)).copied().flatten();
    let tier3 = settled.map(|_| settlement.map_or(0.0, |settlement| settlement.score));
    let tier1 = verdict.tier1.filter(|_| counts);
    let copies = verdict.observations.copies.unwrap_or(1);
    let scored = RoundScore { day: 0, tier1, tier2: verdict.tier2, tier3, copies };
    MinerBrief {
        uid: verdict.uid,
        outcome: MinerOutcome::of(verdict, reply),
        reason: verdict.accepted.as_ref().err().cloned(),
        tier1: verdict.tier1,
        tier2: verdict.tier2,
        tier3,
        score: scored.score(rules),
        took_ms: verdict.took_ms,
        traffic: None,
        model_version: verdict.model_version.clone(),
        observations: verdict.observations.into(),
    }
}
