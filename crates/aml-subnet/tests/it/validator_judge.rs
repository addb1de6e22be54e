//! Judging, merging and settling stored answers: pure, and the same however often and in whatever order.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use aml_miner::wire::spec::LABELS;
use aml_miner::wire::{Column, Table};
use aml_subnet::store::records::{Answer, BodyForm, EncodedTask, Form, Reply, Task};
use aml_subnet::validation::ensemble_aggregator::aggregate_scores;
use aml_subnet::validation::observations::{agreement, entropy, monotonicity};
use aml_subnet::validation::performance::{RoundScore, after_grace};
use aml_subnet::validation::rules::Rules;
use aml_subnet::validation::tier3_settlement::SettleError;
use aml_subnet::validator::judge::{Bench, Judged, compare, remember, shared_places, submissions};
use aml_subnet::validator::merge::merge;
use aml_subnet::validator::settle::{outcomes, settle};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};

use crate::validator_kit::{answer, common_task, hotkey, receipt_key, request, roster, silence, task};

const RULES: Rules = Rules::V1;
const ALERTS: usize = 40;

/// Scores of a miner's whole list: traps where they belong, the alerts in some order of its own.
fn scores(seed: usize) -> Vec<f64> {
    let own = (0..ALERTS).map(|place| 0.05 + 0.9 * ((place * seed) % 41) as f64 / 41.0);
    std::iter::once(0.0).chain(own).chain([1.0]).collect()
}

fn judge_all(task: &Task, given: &[(u8, Vec<f64>)]) -> Vec<Judged> {
    let bench = Bench { rules: &RULES, task };
    let mut all: Vec<Judged> = given
        .iter()
        .map(|(number, scores)| {
            let (answer, body) = answer(task, *number, scores);
            bench.judge(&answer, Some(&body)).expect("it was asked")
        })
        .collect();
    all.sort_by_key(|judged| judged.verdict.hotkey);
    compare(&RULES, &mut all);
    all
}

#[test]
fn a_submission_leaves_without_its_traps_in_the_order_of_the_batch() {
    let task = task(ALERTS, 1);
    let judged = &judge_all(&task, &[(1, scores(7))])[0];
    let submission = judged.submission.as_ref().expect("it counts");
    assert_eq!(submission.values(), scores(7)[1..=ALERTS]);
    assert_eq!((judged.verdict.tier1, judged.verdict.tier2), (Some(1.0), Some(1.0)));
    assert_eq!(judged.verdict.receipt_key, Some(receipt_key(1).public_key()));
    assert_eq!(judged.verdict.accepted, Ok(()));
    assert_eq!(judged.verdict.observations.similarity, None, "there is no other");
}

#[test]
fn a_lie_about_the_traps_costs_tier_two_alone() {
    let task = task(ALERTS, 1);
    let mut upside_down = scores(7);
    let last = upside_down.len() - 1;
    (upside_down[0], upside_down[last]) = (1.0, 0.0);
    let judged = &judge_all(&task, &[(1, upside_down)])[0];
    assert_eq!((judged.verdict.tier1, judged.verdict.tier2), (Some(1.0), Some(0.0)));
    assert!(judged.submission.is_some());
}

#[test]
fn each_kind_of_silence_says_why() {
    let task = task(ALERTS, 1);
    let bench = Bench { rules: &RULES, task: &task };
    for (reply, why) in [
        (Reply::TimedOut, "timed out"),
        (Reply::NotServing, "not serving"),
        (Reply::TooLarge, "the answer is too large"),
        (Reply::Refused("status 403".to_owned()), "refused: status 403"),
        (Reply::Unreachable("no route".to_owned()), "unreachable: no route"),
    ] {
        let judged = bench.judge(&silence(1, reply), None).expect("it was asked");
        assert_eq!(judged.verdict.accepted, Err(why.to_owned()));
        assert_eq!((judged.verdict.tier1, judged.verdict.tier2, judged.submission), (None, None, None));
    }
    let (given, _) = answer(&task, 1, &scores(7));
    let swept = bench.judge(&given, None).expect("it was asked");
    assert_eq!(swept.verdict.accepted, Err("the answer is no longer kept".to_owned()));
    assert!(bench.judge(&silence(2, Reply::TimedOut), None).is_none(), "nobody asked miner 2");
}

#[test]
fn a_receipt_by_another_key_than_the_first_counts_nowhere() {
    let mut task = task(ALERTS, 1);
    let (given, body) = answer(&task, 1, &scores(7));
    task.asks.get_mut(&hotkey(1)).expect("asked").receipt_key = Some(receipt_key(2).public_key());
    let judged = Bench { rules: &RULES, task: &task }.judge(&given, Some(&body)).expect("asked");
    assert!(judged.verdict.accepted.expect_err("rejected").starts_with("signature: "));
    assert!(judged.submission.is_none() && judged.verdict.tier1.is_some_and(|share| share < 1.0));
    assert_eq!(judged.verdict.receipt_key, None);
}

#[test]
fn an_answer_to_the_common_task_is_mapped_back_to_the_batch() {
    let task = common_task(ALERTS, 2, false);
    let mut sent = vec![0.0];
    sent.extend((0..ALERTS).rev().map(|of| 0.1 + of as f64 / 100.0));
    sent.push(1.0);
    let judged = &judge_all(&task, &[(1, sent)])[0];
    assert_eq!((judged.verdict.tier1, judged.verdict.tier2), (Some(1.0), Some(1.0)));
    let values = judged.submission.as_ref().expect("it counts").values();
    let expected: Vec<f64> = (0..ALERTS).map(|of| 0.1 + of as f64 / 100.0).collect();
    assert_eq!(values, expected, "in the order of the roster, traps taken out");
    // The batch's own ids are nobody's answer.
    let (given, body) = answer(&self::task(ALERTS, 1), 1, &scores(7));
    let judged = Bench { rules: &RULES, task: &task }.judge(&given, Some(&body)).expect("asked");
    assert!(judged.verdict.accepted.expect_err("rejected").starts_with("cardinality: "));
}

#[test]
fn an_unsigned_answer_counts_only_where_the_task_says_so_and_only_in_the_old_form() {
    for (accepted, form, counts) in
        [(true, Form::V10, true), (false, Form::V10, false), (true, Form::Btauth, false), (false, Form::Btauth, false)]
    {
        let task = common_task(ALERTS, 1, accepted);
        let (given, body) = answer(&task, 1, &scores(7));
        let unsigned = Answer { receipt: None, form, ..given };
        let judged = Bench { rules: &RULES, task: &task }.judge(&unsigned, Some(&body)).expect("asked");
        assert_eq!((judged.verdict.accepted.is_ok(), judged.submission.is_some()), (counts, counts), "{form:?}");
        assert!((judged.verdict.tier1.expect("looked at") - 6.0 / 9.0).abs() < 1e-15);
        assert_eq!(judged.verdict.receipt_key, None);
        assert_eq!(judged.verdict.tier2.is_some(), counts);
    }
}

#[test]
fn the_receipt_of_a_packed_task_is_for_what_was_read() {
    let decoded = Digest::of(&request(1));
    let form = EncodedTask { sent: Digest::of(b"packed"), decoded, bytes: 6, to: [hotkey(1)].into() };
    let task = Task { arrow: Some(form.clone()), ..common_task(ALERTS, 1, false) };
    let (given, body) = answer(&task, 1, &scores(7));
    let packed = Answer { request: Some(form.sent), request_form: BodyForm::Arrow, ..given };
    let judged = |task: &Task, answer: &Answer| {
        Bench { rules: &RULES, task }.judge(answer, Some(&body)).expect("asked").verdict.accepted
    };
    assert_eq!(judged(&task, &packed), Ok(()));
    let strange = [
        (task.clone(), Answer { request_form: BodyForm::Json, ..packed.clone() }),
        (task.clone(), Answer { request: Some(Digest::of(b"another")), ..packed.clone() }),
        (task.clone(), Answer { request: None, ..packed.clone() }),
        (Task { arrow: None, ..task.clone() }, packed.clone()),
        (Task { arrow: Some(EncodedTask { decoded: form.sent, ..form }), ..task }, packed),
    ];
    for (task, answer) in strange {
        let why = judged(&task, &answer).expect_err("rejected");
        assert!(why.starts_with("input_digest: "), "{why}");
    }
}

#[test]
fn an_answer_to_another_task_counts_nowhere() {
    let (wider, narrower) = (task(ALERTS + 1, 1), task(ALERTS, 1));
    let mut more = scores(7);
    more.push(0.5);
    let (given, body) = answer(&wider, 1, &more);
    let judged = Bench { rules: &RULES, task: &narrower }.judge(&given, Some(&body)).expect("asked");
    assert!(judged.verdict.accepted.expect_err("rejected").starts_with("cardinality: "));
}

#[test]
fn what_is_watched_is_what_it_says() {
    let severities = ["low", "low", "medium", "high", "critical", "unheard of"];
    assert_eq!(monotonicity(severities.into_iter(), &[0.1, 0.3, 0.2, 0.5, 0.4, 0.0]), Some(1.0 / 3.0));
    assert_eq!(monotonicity(["low", "high"].into_iter(), &[0.1, 0.9]), Some(1.0));
    assert_eq!(monotonicity(["low", "low"].into_iter(), &[0.1, 0.9]), None);
    assert_eq!(entropy(&[0.5; 9]), Some(0.0));
    assert_eq!(entropy(&[]), None);
    let spread: Vec<f64> = (0..20).map(|bin| f64::from(bin) / 20.0 + 0.01).collect();
    assert!((entropy(&spread).expect("scores") - 1.0).abs() < 1e-12);
    assert!((agreement(&[0.1, 0.2, 0.9], &[0.3, 0.4, 0.5]).expect("varies") - 1.0).abs() < 1e-12);
    assert!((agreement(&[0.1, 0.2, 0.9], &[0.5, 0.4, 0.3]).expect("varies") + 1.0).abs() < 1e-12);
    assert_eq!(agreement(&[0.1, 0.2], &[0.5, 0.5]), None);
}

#[test]
fn yesterdays_scores_are_compared_over_the_alerts_of_both_days() {
    let (today, mut yesterday) = (task(ALERTS, 1), task(ALERTS, 1));
    yesterday.roster.rotate_left(5);
    yesterday.roster.truncate(10);
    let shared = shared_places(&today, &yesterday);
    assert_eq!(shared.len(), 10);
    assert!(shared.iter().all(|(now, before)| today.roster[*now] == yesterday.roster[*before]));
    let mut judged = judge_all(&today, &[(1, scores(7))]).remove(0);
    let same: Vec<f64> = yesterday.roster.iter().map(|row| scores(7)[1 + place_of(&today, &row.alert_id)]).collect();
    let before: Vec<f64> = std::iter::once(0.0).chain(same).chain([1.0]).collect();
    let mut small = task(10, 1);
    small.roster = yesterday.roster;
    let before = judge_all(&small, &[(1, before)]).remove(0).submission.expect("it counts");
    remember(&mut judged, &before, &shared);
    assert!((judged.verdict.observations.agreement.expect("ten alerts") - 1.0).abs() < 1e-12);
}

fn place_of(task: &Task, alert_id: &str) -> usize {
    task.roster.iter().position(|row| row.alert_id == alert_id).expect("it is there")
}

#[test]
fn a_copy_is_seen_and_shares_its_voice() {
    let task = task(ALERTS, 4);
    let all = judge_all(&task, &[(1, scores(7)), (2, scores(7)), (3, scores(11)), (4, scores(17))]);
    let nearest: Vec<f64> = all.iter().filter_map(|judged| judged.verdict.observations.similarity).collect();
    assert!(nearest[..2].iter().all(|likeness| (likeness - 1.0).abs() < 1e-12), "{nearest:?}");
    assert!(nearest[2..].iter().all(|likeness| *likeness < 0.9), "{nearest:?}");
    let copies: Vec<Option<u32>> = all.iter().map(|judged| judged.verdict.observations.copies).collect();
    assert_eq!(copies, [Some(2), Some(2), Some(1), Some(1)], "they share one reward, too");
    let merged = merge(&RULES, &all, BTreeMap::new()).expect("accepted submissions");
    let voices: Vec<f64> = merged.weights.values().copied().collect();
    assert!((voices[0] + voices[1] - voices[2]).abs() < 1e-12, "{voices:?}");
}

#[test]
fn nobody_accepted_or_nothing_asked_means_no_canonical_scores() {
    assert_eq!(merge(&RULES, &[], BTreeMap::new()), None);
    let empty = task(0, 1);
    let all = judge_all(&empty, &[(1, vec![0.0, 1.0])]);
    assert!(all[0].submission.as_ref().is_some_and(|submission| submission.scores().is_empty()));
    assert_eq!(merge(&RULES, &all, BTreeMap::new()), None);
}

fn labels(rows: &[(&str, f64, f64)]) -> Table {
    let mut table = Table::new(&LABELS, rows.len(), LABELS.columns.iter().map(|_| None).collect(), Vec::new());
    let at = |name: &str| LABELS.columns.iter().position(|column| column.name == name).expect("a column of labels");
    table.set_column(at("alert_id"), Some(Column::Texts(rows.iter().map(|row| row.0).collect())));
    table.set_column(at("confirmed_illicit"), Some(Column::Numbers(rows.iter().map(|row| row.1).collect())));
    table.set_column(at("relevance"), Some(Column::Numbers(rows.iter().map(|row| row.2).collect())));
    table
}

#[test]
fn outcomes_are_found_by_alert_and_graded() {
    let rows = [
        ("alert-2", 1.0, 2.0),
        ("elsewhere", 1.0, 2.0),
        ("alert-0", 0.0, 1.0),
        ("alert-1", 1.0, f64::NAN),
        ("alert-3", 1.0, 0.0),
    ];
    let found = outcomes(&roster(4), &labels(&rows));
    let seen: Vec<(usize, bool, u8)> = found.iter().map(|one| (one.place, one.illicit, one.relevance)).collect();
    assert_eq!(seen, [(0, false, 1), (1, true, 2), (2, true, 2), (3, true, 2)], "what was confirmed is most relevant");
}

#[test]
fn a_settlement_measures_everybody_and_the_canonical_scores_by_the_same_outcomes() {
    let task = task(ALERTS, 3);
    let all = judge_all(&task, &[(1, scores(7)), (2, scores(11))]);
    let merged = merge(&RULES, &all, BTreeMap::new());
    let mut miners: BTreeMap<_, _> = submissions(&all).into_iter().map(|(key, one)| (key, Some(one))).collect();
    miners.insert(hotkey(3), None);
    let ids: Vec<String> = task.roster.iter().map(|row| row.alert_id.clone()).collect();
    let rows = |count: usize| -> Vec<(&str, f64, f64)> {
        ids[..count].iter().enumerate().map(|(at, id)| (id.as_str(), f64::from(u8::from(at % 3 == 0)), 0.0)).collect()
    };
    let few = settle(&RULES, outcomes(&task.roster, &labels(&rows(20))), &miners, merged.as_ref());
    assert!(matches!(few, Err(SettleError::TooFew { .. })));
    let known = outcomes(&task.roster, &labels(&rows(ALERTS)));
    let settled = settle(&RULES, known.clone(), &miners, merged.as_ref()).expect("enough is known");
    assert_eq!((settled.miners.len(), settled.miners[&hotkey(3)]), (3, None));
    assert!(settled.canonical.is_some() && settled.labels == known);
    let alone = BTreeMap::from([(hotkey(1), miners[&hotkey(1)].clone())]);
    let again = settle(&RULES, known, &alone, None).expect("enough is known");
    assert_eq!(again.miners[&hotkey(1)], settled.miners[&hotkey(1)], "others change nothing");
}

#[test]
fn a_newcomer_is_forgiven_silence_but_not_bad_work() {
    let round = |day, tier1| RoundScore { day, tier1, tier2: None, tier3: Some(0.0), copies: 1 };
    let rounds = vec![round(100, None), round(101, Some(0.5)), round(102, None), round(103, None)];
    let history = BTreeMap::from([(hotkey(1), rounds.clone()), (hotkey(2), rounds)]);
    let seen = BTreeMap::from([(hotkey(1), 100), (hotkey(2), 90)]);
    let left = after_grace(history, &seen, 3);
    let days = |number| left[&hotkey(number)].iter().map(|round| round.day).collect::<Vec<_>>();
    assert_eq!((days(1), days(2)), (vec![101, 103], vec![100, 101, 102, 103]));
}

fn some_scores() -> impl Strategy<Value = Vec<f64>> {
    vec(0.0..=1.0_f64, ALERTS + 2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn verdicts_do_not_depend_on_the_order_of_judging(given in vec(some_scores(), 2..5), turn in 0_usize..5) {
        let task = task(ALERTS, 5);
        let mut numbered: Vec<(u8, Vec<f64>)> = (1..).zip(given).collect();
        let once = judge_all(&task, &numbered);
        let turn = turn % numbered.len();
        numbered.rotate_left(turn);
        let again = judge_all(&task, &numbered);
        let text = |all: &[Judged]| {
            all.iter().map(|judged| serde_json::to_string(&judged.verdict).expect("JSON")).collect::<Vec<_>>()
        };
        prop_assert_eq!(text(&once), text(&again));
        for judged in &once {
            let seen = judged.verdict.observations;
            prop_assert!(seen.entropy.is_none_or(|value| (0.0..=1.0).contains(&value)));
            prop_assert!(seen.monotonicity.is_none_or(|value| (0.0..=1.0).contains(&value)));
            prop_assert!(seen.similarity.is_none_or(|value| (-1.000_001..=1.000_001).contains(&value)));
        }
    }

    #[test]
    fn merging_takes_over_who_was_found_to_be_one(
        given in vec(some_scores(), 2..5), copies in 0_usize..4, worths in vec(0.1..1.0_f64, 8),
    ) {
        let task = task(ALERTS, 8);
        let repeated = given.iter().cycle().take(given.len() + copies).cloned();
        let all = judge_all(&task, &(1..).zip(repeated).collect::<Vec<_>>());
        let worth: BTreeMap<_, _> = (1..).map(hotkey).zip(worths).collect();
        let merged = merge(&RULES, &all, worth.clone()).expect("accepted submissions");
        let alone = aggregate_scores(&RULES, &worth, &submissions(&all)).expect("accepted submissions");
        prop_assert_eq!((merged.scores, merged.weights), (alone.scores, alone.weights));
    }

    #[test]
    fn a_stored_verdict_reads_back_as_it_was(given in some_scores()) {
        let task = task(ALERTS, 1);
        let verdict = judge_all(&task, &[(1, given)]).remove(0).verdict;
        let text = serde_json::to_string(&verdict).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<aml_subnet::store::records::Verdict>(&text).expect("JSON"), verdict);
    }
}
