//! Tiers 1 and 2 and what is watched: from a task and the answers to verdicts.
//!
//! Pure: the same stored task and answers have the same verdicts, byte for byte, in whatever order they are judged. A
//! submission leaves this room over the alerts of the batch alone, its traps taken out.

use std::collections::{BTreeMap, HashMap};

use aml_miner::digest::Hashed;

use crate::protocol::receipt_key;
use crate::store::records::{Answer, Ask, Form, Observations, Reply, Sheet, Task, Verdict};
use crate::validation::observations::{agreement, entropy, monotonicity};
use crate::validation::rules::Rules;
use crate::validation::similarity::Likeness;
use crate::validation::submission::Submission;
use crate::validation::tier1_integrity::{self, Integrity};
use crate::validation::tier2_traps::{self, Expected, TrapFinding, TrapGroup};
use crate::validation::v2::advantage::advantage;
use crate::wallet::Hotkey;

/// Why a good answer does not count that came open in a round of sealed ones.
const OPEN: &str = "open: this round counts sealed answers alone";

/// What all answers of a round are measured by.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// What was asked.
    pub task: &'a Task,
}

/// One answer, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What is said of it.
    pub verdict: Verdict,
    /// Its scores in the order of the roster, where it counts.
    pub submission: Option<Submission>,
    /// The first hotkey of those whose submissions are one with this one; known once all are [compared](compare).
    pub group: Option<Hotkey>,
}

/// Somebody who was asked, and with what.
#[derive(Clone, Copy)]
struct Called<'a> {
    ask: &'a Ask,
    sheet: Sheet<'a>,
}

impl Bench<'_> {
    /// Judges an answer on its own; `None` when nobody asked for it. What depends on other answers comes with
    /// [`compare`] and [`remember`].
    #[must_use]
    pub fn judge(&self, answer: &Answer, body: Option<&Hashed>) -> Option<Judged> {
        let ask = self.task.asks.get(&answer.hotkey)?;
        let sheet = self.task.sheet(&answer.hotkey)?;
        Some(match (&answer.reply, body) {
            (Reply::Answered, Some(body)) => self.answered(Called { ask, sheet }, answer, body),
            (reply, _) => {
                let sealed = answer.sealed.as_ref().and_then(|sealed| sealed.state.why_not());
                let verdict = nothing(ask, answer, sealed.map_or_else(|| why_not(reply), Err));
                Judged { verdict, submission: None, group: None }
            }
        })
    }

    /// The scores of an answer in the order of the roster, where it counts.
    #[must_use]
    pub fn submission(&self, answer: &Answer, body: &Hashed) -> Option<Submission> {
        self.judge(answer, Some(body))?.submission
    }

    fn answered(&self, called: Called<'_>, answer: &Answer, body: &Hashed) -> Judged {
        let Called { ask, sheet } = called;
        let integrity = self.integrity(called, answer, body);
        let mut verdict = nothing(ask, answer, why_rejected(&integrity));
        verdict.tier1 = Some(integrity.score());
        verdict.checks.clone_from(&integrity.findings);
        verdict.model_version.clone_from(&integrity.model_version);
        verdict.receipt_key = integrity.receipt_key;
        let Some(full) = integrity.submission else {
            return Judged { verdict, submission: None, group: None };
        };
        if self.task.sealing.is_some() && answer.sealed.is_none() {
            verdict.accepted = Err(OPEN.to_owned());
            return Judged { verdict, submission: None, group: None };
        }
        let traps = tier2_traps::judge(self.rules, sheet.groups(), &full);
        verdict.tier2 = traps.score();
        verdict.traps = traps.findings;
        if self.rules.version.information().is_some() {
            verdict.advantage = trap_advantage(sheet.groups(), &verdict.traps);
        }
        let submission = full.at(&sheet.roster_places());
        let values = submission.values();
        verdict.observations = Observations {
            monotonicity: monotonicity(self.task.roster.iter().map(|row| row.severity.as_str()), &values),
            entropy: entropy(&values),
            ..Observations::default()
        };
        Judged { verdict, submission: Some(submission), group: None }
    }

    fn integrity(&self, Called { ask, sheet }: Called<'_>, answer: &Answer, body: &Hashed) -> Integrity {
        let alert_ids = sheet.ids();
        // Without a request there is nothing that a receipt could be for: no digest is the empty one's but by accident.
        let request = answer.request.unwrap_or_else(|| aml_miner::digest::Digest::of(b""));
        let vouched = answer.headers.get(receipt_key::HEADER);
        let vouched = vouched.and_then(|text| receipt_key::vouched(text, &answer.hotkey, &request));
        // Receipts are for what was read: of what was sent packed, the same unpacked.
        let read = self.task.read(answer).unwrap_or_else(|| aml_miner::digest::Digest::of(b""));
        let asked = tier1_integrity::Asked {
            alert_ids: &alert_ids,
            request: read,
            receipt_key: vouched.or(ask.receipt_key),
            unsigned_counts: sheet.accepts_unsigned() && answer.form == Form::V10,
        };
        let given = tier1_integrity::Answer {
            body: body.bytes(),
            digest: body.digest(),
            receipt: answer.receipt.as_deref(),
            in_time: answer.in_time,
        };
        tier1_integrity::judge(self.rules, &asked, &given)
    }
}

/// Fills in how alike each submission is to the nearest of another hotkey, and which hotkeys' are one with it.
pub fn compare(rules: &Rules, all: &mut [Judged]) {
    let places: Vec<usize> = (0..all.len()).filter(|&place| all[place].submission.is_some()).collect();
    let submissions: Vec<&Submission> = all.iter().filter_map(|judged| judged.submission.as_ref()).collect();
    let likeness = Likeness::of(&submissions);
    for group in likeness.groups(rules.alike) {
        let first = group.first().map(|&row| all[places[row]].verdict.hotkey);
        for &row in &group {
            let judged = &mut all[places[row]];
            judged.group = first;
            judged.verdict.observations.similarity = likeness.nearest(row);
            judged.verdict.observations.copies = u32::try_from(group.len()).ok();
        }
    }
}

/// The submissions that count, by hotkey.
#[must_use]
pub fn submissions(all: &[Judged]) -> BTreeMap<Hotkey, Submission> {
    let counts = |judged: &Judged| Some((judged.verdict.hotkey, judged.submission.clone()?));
    all.iter().filter_map(counts).collect()
}

/// Whose submissions count, those that are one together; one that was never [compared](compare) stands alone.
#[must_use]
pub fn groups(all: &[Judged]) -> Vec<Vec<Hotkey>> {
    let mut groups: BTreeMap<Hotkey, Vec<Hotkey>> = BTreeMap::new();
    for judged in all.iter().filter(|judged| judged.submission.is_some()) {
        let hotkey = judged.verdict.hotkey;
        groups.entry(judged.group.unwrap_or(hotkey)).or_default().push(hotkey);
    }
    groups.into_values().collect()
}

/// Alerts that two rosters share: their places in the one and in the other, in the order of the first.
#[must_use]
pub fn shared_places(today: &Task, yesterday: &Task) -> Vec<(usize, usize)> {
    let before = yesterday.roster.iter().enumerate().map(|(place, row)| (row.alert_id.as_str(), place));
    let before: HashMap<&str, usize> = before.collect();
    let find =
        |(place, row): (usize, &crate::store::records::RosterRow)| Some((place, *before.get(row.alert_id.as_str())?));
    today.roster.iter().enumerate().filter_map(find).collect()
}

/// Fills in how a submission agrees with the same hotkey's of the day before, over the alerts of both.
pub fn remember(judged: &mut Judged, yesterday: &Submission, shared: &[(usize, usize)]) {
    let Some(today) = &judged.submission else { return };
    let side = |of: &Submission, pick: fn(&(usize, usize)) -> usize| -> Vec<f64> {
        shared.iter().map(|places| of.scores()[pick(places)].get()).collect()
    };
    judged.verdict.observations.agreement =
        agreement(&side(today, |places| places.0), &side(yesterday, |places| places.1));
}

/// How much better than chance a submission put its traps where they belong, from what was found of each group.
#[must_use]
pub fn trap_advantage(groups: &[TrapGroup], found: &[TrapFinding]) -> Option<f64> {
    let groups = groups.iter().filter(|group| !group.places.is_empty());
    let shares = |wanted| {
        let found = groups.clone().zip(found).filter(move |(group, _)| group.expected == wanted);
        found.map(|(_, finding)| finding.share).collect::<Vec<f64>>()
    };
    advantage(&shares(Expected::High), &shares(Expected::Low))
}

/// A verdict in which nothing is known but why.
fn nothing(ask: &Ask, answer: &Answer, accepted: Result<(), String>) -> Verdict {
    Verdict {
        hotkey: answer.hotkey,
        uid: ask.uid,
        accepted,
        tier1: None,
        checks: Vec::new(),
        tier2: None,
        traps: Vec::new(),
        observations: Observations::default(),
        model_version: None,
        receipt_key: None,
        took_ms: answer.took_ms,
        advantage: None,
        stored: None,
    }
}

fn why_not(reply: &Reply) -> Result<(), String> {
    Err(match reply {
        Reply::Answered => "the answer is no longer kept".to_owned(),
        Reply::Refused(why) => format!("refused: {why}"),
        Reply::TimedOut => "timed out".to_owned(),
        Reply::Unreachable(why) => format!("unreachable: {why}"),
        Reply::NotServing => "not serving".to_owned(),
        Reply::TooLarge => "the answer is too large".to_owned(),
        Reply::NotAsked => "not asked".to_owned(),
    })
}

/// The first gate that was not passed, where the submission does not count.
fn why_rejected(integrity: &Integrity) -> Result<(), String> {
    if integrity.passed() {
        return Ok(());
    }
    let gate = integrity.findings.iter().filter(|finding| finding.check.is_gate());
    let first = gate.filter_map(|finding| Some((finding.check.name(), finding.fault.as_ref()?))).next();
    first.map_or(Ok(()), |(name, fault)| Err(format!("{name}: {fault}")))
}
