//! Rules v1 on small days: answers to verdicts, who is one with whom, merged scores, settlements; and pay from a history.

use std::collections::BTreeMap;

use aml_miner::digest::{Digest, Hashed};
use aml_miner::receipt::{InputForm, ReceiptKey, Statement};
use aml_subnet::chain::types::Uid;
use aml_subnet::chain::weights::quantise;
use aml_subnet::protocol::receipt_key::{HEADER as VOUCHED, payload};
use aml_subnet::store::records::{Answer, Reply, Task};
use aml_subnet::validation::performance::{RoundScore, after_grace, earned, performance};
use aml_subnet::validation::rules::Rules;
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::tier2_traps::{Expected, TrapGroup};
use aml_subnet::validation::tier3_settlement::Label;
use aml_subnet::validation::weights::shares;
use aml_subnet::validator::judge::{Bench, Judged, compare, submissions};
use aml_subnet::validator::merge::merge;
use aml_subnet::validator::settle::settle;
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use super::BOB;
use super::receipts::first_version;
use crate::validator_kit::{answer, hotkey, receipt_key, request, silence, task};
use crate::vectors_kit::Vectors;

const RULES: Rules = Rules::V1;
const ALERTS: usize = 30;
const TRAPS: usize = 4;

/// An answer, and its body where it has one.
pub(super) type Given = (Answer, Option<Hashed>);

/// A task with four low traps at the front and four high ones at the end of each miner's list.
fn trapped(miners: u8) -> Task {
    let mut task = task(ALERTS, miners);
    for (number, ask) in (1_u8..).zip(task.asks.values_mut()) {
        let low = (0..TRAPS).map(|at| (at, format!("low-{number}-{at}")));
        let high = (0..TRAPS).map(|at| (ALERTS + TRAPS + at, format!("high-{number}-{at}")));
        ask.issued = low.chain(high).collect();
        let group = |name: &str, expected, first: usize| TrapGroup {
            name: name.to_owned(),
            expected,
            places: (first..first + TRAPS).collect(),
        };
        ask.groups = vec![group("low", Expected::Low, 0), group("structuring", Expected::High, ALERTS + TRAPS)];
    }
    task
}

/// Scores of a whole list, traps where they belong; `seed` decides the order of the alerts.
pub(super) fn scores(seed: usize) -> Vec<f64> {
    let own = (0..ALERTS).map(|place| 0.1 + 0.8 * ((place * seed) % 31) as f64 / 31.0);
    let ends = |from: f64| (0..TRAPS).map(move |at| from + at as f64 / 100.0);
    ends(0.0).chain(own).chain(ends(0.95)).collect()
}

/// What a body says otherwise, with a receipt that fits.
pub(super) fn reworded((mut given, body): (Answer, Hashed), number: u8, change: impl Fn(String) -> String) -> Given {
    let text = String::from_utf8(body.bytes().to_vec()).expect("text");
    let body = Hashed::of(change(text).into_bytes());
    given.body = Some(body.digest());
    given.bytes = body.bytes().len() as u64;
    given.receipt = Some(signed(&receipt_key(number), number, body.digest()));
    (given, Some(body))
}

fn signed(key: &ReceiptKey, number: u8, output: Digest) -> String {
    let statement = Statement {
        input: Digest::of(&request(number)),
        form: InputForm::Json,
        output,
        model_version: "1.0.0".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1,
    };
    first_version(key, &statement).to_header()
}

/// The same answer with something else beside its body.
fn beside((mut given, body): (Answer, Hashed), change: impl Fn(&mut Answer)) -> Given {
    change(&mut given);
    (given, Some(body))
}

/// Answers by miners 1, 2, ..., each with what is particular about it.
#[expect(clippy::too_many_lines, reason = "a list of cases, and nothing else")]
fn answers(task: &mut Task) -> Vec<(&'static str, Given)> {
    let plain = |number: u8, seed: usize| answer(task, number, &scores(seed));
    let whole = |(given, body): (Answer, Hashed)| (given, Some(body));
    let mut backwards = scores(5);
    backwards.reverse();
    let with = |number: u8, at: usize, score: f64| {
        let mut changed = scores(7);
        changed[at] = score;
        answer(task, number, &changed)
    };
    let list = vec![
        ("good", whole(plain(1, 3))),
        ("good and different", whole(plain(2, 11))),
        ("says what the second one says", whole(plain(3, 11))),
        ("traps the wrong way round", whole(answer(task, 4, &backwards))),
        ("no receipt", beside(plain(5, 13), |given| given.receipt = None)),
        (
            "a receipt for another answer",
            beside(plain(6, 13), |given| {
                given.receipt = Some(signed(&receipt_key(6), 6, Digest::of(b"other")));
            }),
        ),
        ("a receipt by another key than the known one", whole(plain(7, 13))),
        (
            "an alert is missing",
            reworded(plain(8, 13), 8, |text| {
                let (_, rest) = text.split_once("},").expect("rows");
                format!("[{rest}")
            }),
        ),
        ("an alert that nobody asked about", reworded(plain(9, 13), 9, |text| text.replace("alert-3\"", "alert-99\""))),
        ("an alert twice", reworded(plain(10, 13), 10, |text| text.replace("alert-3\"", "alert-4\""))),
        ("a score beyond 1", whole(with(11, 9, 1.5))),
        ("a negative zero", reworded(with(12, 9, 0.0), 12, |text| text.replace("\"score\":0.0,", "\"score\":-0.0,"))),
        ("all alike", whole(answer(task, 13, &[0.5; ALERTS + 2 * TRAPS]))),
        ("too late", beside(plain(14, 17), |given| given.in_time = false)),
        ("two versions of the model", reworded(plain(15, 19), 15, |text| text.replacen("1.0.0", "1.0.1", 1))),
        ("a blank version of the model", reworded(plain(16, 23), 16, |text| text.replace("1.0.0", " "))),
        (
            "cut off",
            reworded(plain(17, 13), 17, |mut text| {
                text.pop();
                text
            }),
        ),
        ("NaN", reworded(plain(18, 13), 18, |text| text.replacen("\"score\":0.0", "\"score\":NaN", 1))),
        (
            "a score in words",
            reworded(plain(19, 13), 19, |text| text.replacen("\"score\":0.0", "\"score\":\"0.0\"", 1)),
        ),
        (
            "a field twice",
            reworded(plain(20, 13), 20, |text| text.replacen("\"score\":0.0", "\"score\":0.0,\"score\":0.1", 1)),
        ),
        (
            "other fields, rows in another order",
            reworded(plain(21, 29), 21, |text| {
                let rows: Vec<Value> = serde_json::from_str(&text).expect("rows");
                let turned = rows.into_iter().rev().map(|mut row| {
                    row["more"] = json!({ "deep": [1, 2] });
                    row
                });
                Value::Array(turned.collect()).to_string()
            }),
        ),
        (
            "two rows too many",
            reworded(plain(22, 13), 22, |text| {
                let row = text[1..].split_once("},").expect("rows").0;
                text.replacen('[', &format!("[{row}}},{row}}},"), 1)
            }),
        ),
        (
            "an explanation of 65,537 bytes",
            reworded(plain(23, 13), 23, |text| {
                text.replacen("\"explain_json\":\"\"", &format!("\"explain_json\":\"{}\"", "x".repeat(65_537)), 1)
            }),
        ),
        ("refused", (silence(25, Reply::Refused("status 403".to_owned())), None)),
        ("timed out", (silence(26, Reply::TimedOut), None)),
    ];
    // The hotkey of this one can sign, so that it can vouch for a new key of its receipts.
    let (given, body) = answer(task, 24, &scores(6));
    let new = ReceiptKey::from_secret(&[77; 32]);
    let word = payload(BOB.scheme, &BOB.hotkey(), &new.public_key(), &Digest::of(&request(24)));
    let word = format!("{} {} 0x{}", BOB.scheme, new.public_key(), hex::encode(BOB.sign(&word)));
    let receipt = Some(signed(&new, 24, body.digest()));
    let headers = BTreeMap::from([(VOUCHED.to_owned(), word)]);
    let vouched = Answer { hotkey: BOB.hotkey(), receipt, headers, ..given };
    let mut list: Vec<(&str, Given)> = list;
    list.push(("a new receipt key that the hotkey vouches for", (vouched, Some(body))));
    let mut ask = task.asks.remove(&hotkey(24)).expect("asked");
    ask.receipt_key = Some(receipt_key(1).public_key());
    task.asks.insert(BOB.hotkey(), ask);
    task.asks.get_mut(&hotkey(7)).expect("asked").receipt_key = Some(receipt_key(1).public_key());
    list
}

/// What is said of an answer.
pub(super) fn told(judged: &Judged) -> Value {
    let verdict = &judged.verdict;
    let failed: Vec<&str> =
        verdict.checks.iter().filter(|one| one.fault.is_some()).map(|one| one.check.name()).collect();
    let traps: Vec<Value> = verdict.traps.iter().map(|one| json!([one.name, one.share, one.passed])).collect();
    let seen = verdict.observations;
    json!({
        "counts": verdict.accepted.is_ok(), "says": verdict.accepted.as_ref().err(), "failed": failed,
        "tier1": verdict.tier1, "tier2": verdict.tier2, "traps": traps, "advantage": verdict.advantage,
        "model_version": verdict.model_version, "receipt_key": verdict.receipt_key.map(|key| key.to_string()),
        "monotonicity": seen.monotonicity, "entropy": seen.entropy, "copies": seen.copies,
        "similarity": seen.similarity.map(|likeness| (1e6 * likeness).round() / 1e6),
        "scores": judged.submission.as_ref().map(Submission::values),
    })
}

/// Answers as the package has them.
pub(super) fn given(answers: &[(&'static str, Given)]) -> Value {
    let one = |(why, (answer, body)): &(&str, Given)| {
        let text = body.as_ref().map(|body| String::from_utf8(body.bytes().to_vec()).expect("text"));
        json!({ "why": why, "record": answer, "body": text })
    };
    Value::Array(answers.iter().map(one).collect())
}

/// Judges all, in the order of hotkeys.
pub(super) fn judge_all(rules: &Rules, task: &Task, answers: &[(&'static str, Given)]) -> Vec<Judged> {
    let bench = Bench { rules, task };
    let judge = |(why, (answer, body)): &(&str, Given)| bench.judge(answer, body.as_ref()).expect(why);
    let mut all: Vec<Judged> = answers.iter().map(judge).collect();
    all.sort_by_key(|judged| judged.verdict.hotkey);
    compare(rules, &mut all);
    all
}

/// An outcome for all but every fifth alert; every second one illicit, every third of the rest suspicious.
fn labels() -> Vec<Label> {
    let label = |place: usize| {
        let illicit = place.is_multiple_of(2);
        Label { place, illicit, relevance: if illicit { 2 } else { u8::from(place.is_multiple_of(3)) } }
    };
    (0..ALERTS).filter(|place| place % 5 != 4).map(label).collect()
}

fn by_hotkey<T>(map: &BTreeMap<Hotkey, T>, value: impl Fn(&T) -> Value) -> Value {
    Value::Object(map.iter().map(|(hotkey, one)| (hotkey.to_string(), value(one))).collect())
}

fn day() -> Value {
    let mut task = trapped(26);
    let answers = answers(&mut task);
    let all = judge_all(&RULES, &task, &answers);
    let worth: BTreeMap<Hotkey, f64> = [(1, 0.8), (2, 0.6), (3, 0.5), (4, 0.1), (13, 0.0), (14, 0.7)]
        .map(|(number, worth)| (hotkey(number), worth))
        .into();
    let merged = merge(&RULES, &all, worth.clone()).expect("submissions that count");
    let mut miners: BTreeMap<Hotkey, Option<Submission>> = task.asks.keys().map(|hotkey| (*hotkey, None)).collect();
    miners.extend(submissions(&all).into_iter().map(|(hotkey, one)| (hotkey, Some(one))));
    let settled = settle(&RULES, labels(), &miners, Some(&merged)).expect("enough is known");
    let few = settle(&RULES, labels()[..15].to_vec(), &miners, Some(&merged)).expect_err("too few of a class");
    let verdicts: serde_json::Map<String, Value> =
        all.iter().map(|judged| (judged.verdict.hotkey.to_string(), told(judged))).collect();
    let canonical: Vec<Value> =
        merged.scores.iter().map(|one| json!([one.score.get(), one.deviation, one.miners])).collect();
    json!({
        "name": "day", "why": "each miner's answer is particular in one way", "do": "day", "task": task,
        "answers": given(&answers), "performance": by_hotkey(&worth, |worth| json!(worth)), "outcomes": labels(),
        "few_outcomes": 15,
        "expected": { "verdicts": verdicts, "weights": by_hotkey(&merged.weights, |weight| json!(weight)),
            "canonical": canonical, "settled": by_hotkey(&settled.miners, |one| json!(one)),
            "settled_canonical": settled.canonical, "few": few.to_string() },
    })
}

/// Rounds of some hotkeys, and what they earn of them.
fn pay() -> Value {
    let round = |day, tier1, tier2, tier3, copies| RoundScore { day, tier1, tier2, tier3, copies };
    let today = 20_500;
    let history: BTreeMap<Hotkey, Vec<RoundScore>> = [
        (
            1,
            vec![
                round(20_499, Some(1.0), Some(0.75), Some(0.891), 1),
                round(20_500, Some(8.0 / 9.0), Some(1.0), None, 1),
            ],
        ),
        (2, vec![round(20_470, Some(1.0), Some(1.0), Some(1.0), 1), round(20_500, Some(1.0), None, Some(0.6), 2)]),
        (3, vec![round(20_471, Some(1.0), Some(1.0), Some(1.0), 1), round(20_500, Some(1.0), None, Some(0.6), 2)]),
        (
            4,
            vec![
                round(20_498, None, None, Some(0.0), 1),
                round(20_499, Some(0.5), None, Some(0.2), 1),
                round(20_500, None, None, None, 1),
            ],
        ),
        (5, vec![round(20_499, None, None, None, 1), round(20_500, None, None, Some(0.0), 1)]),
        (6, vec![round(20_400, Some(1.0), Some(1.0), Some(1.0), 1)]),
        (7, vec![round(20_500, Some(1.0), Some(1.0), Some(0.9), 1)]),
    ]
    .map(|(number, rounds)| (hotkey(number), rounds))
    .into();
    let first_seen = BTreeMap::from([(hotkey(4), 20_496), (hotkey(5), 20_400)]);
    let registered: BTreeMap<u16, Hotkey> =
        [(9, 1), (3, 2), (5, 3), (1, 4), (0, 5), (7, 6)].map(|(uid, number)| (uid, hotkey(number))).into();
    let left = after_grace(history.clone(), &first_seen, 3);
    let (worth, paid) = (performance(&RULES, today, &left), earned(&RULES, today, &left));
    let shares = shares(&paid, &registered);
    let vector: Vec<(Uid, f64)> = shares.iter().map(|one| (Uid(one.uid), one.share)).collect();
    let chain = quantise(&vector).expect("shares");
    let pairs: Vec<Value> = chain.uids.iter().zip(&chain.values).map(|(uid, value)| json!([uid, value])).collect();
    let uids: serde_json::Map<String, Value> =
        registered.iter().map(|(uid, hotkey)| (hotkey.to_string(), json!(uid))).collect();
    json!({
        "name": "pay", "do": "pay", "why": "thirty days, grace, copies, who is not registered, and the chain's numbers",
        "today": today, "grace": 3, "history": by_hotkey(&history, |rounds| json!(rounds)),
        "first_seen": by_hotkey(&first_seen, |day| json!(day)), "registered": uids,
        "expected": { "performance": by_hotkey(&worth, |one| json!(one)), "earned": by_hotkey(&paid, |one| json!(one)),
            "shares": shares.iter().map(|one| json!([one.uid, one.share])).collect::<Vec<_>>(), "chain": pairs },
    })
}

#[test]
fn days_under_rules_v1_are_those_of_the_package() {
    let day = day();
    let verdicts = day["expected"]["verdicts"].as_object().expect("verdicts");
    let counts = verdicts.values().filter(|one| one["counts"] == true).count();
    assert_eq!((verdicts.len(), counts), (26, 11), "each case is what it says");
    let failed: std::collections::BTreeSet<&str> =
        verdicts.values().flat_map(|one| one["failed"].as_array().expect("a list")).filter_map(Value::as_str).collect();
    assert_eq!(failed.len(), 9, "every check fails somewhere: {failed:?}");
    Vectors { name: "scoring_v1.json", pages: &["docs/scoring_v1.md"], shared: Vec::new(), cases: vec![day, pay()] }
        .must_be_stored();
}
