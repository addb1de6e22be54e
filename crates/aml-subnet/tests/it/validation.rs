//! Judging, merging and paying: the rules, each with the case that it exists for.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use aml_miner::receipt::{InputForm, ReceiptKey, Statement};
use aml_miner::wire::ScoreRow;
use aml_subnet::validation::ensemble_aggregator::{aggregate_scores, compute_weights};
use aml_subnet::validation::performance::{RoundScore, performance};
use aml_subnet::validation::rules::Rules;
use aml_subnet::validation::submission::{Rejection, Submission};
use aml_subnet::validation::tier1_integrity::{self, Answer, Asked, Check, Integrity};
use aml_subnet::validation::tier2_traps::{self, Expected, TrapGroup};
use aml_subnet::validation::tier3_settlement::{Label, SettleError, settle};
use aml_subnet::validation::weights::shares;
use aml_subnet::wallet::Hotkey;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};

use crate::scoring_kit::{hotkey, registered};

const RULES: Rules = Rules::V1;
const REQUEST: &[u8] = b"{\"alerts\":[]}";

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("alert-{number}")).collect()
}

fn rows(scores: &[f64]) -> Vec<ScoreRow> {
    let row = |(id, &score): (String, &f64)| ScoreRow {
        alert_id: id,
        score,
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        latency_ms: 0.1,
        explain_json: String::new(),
    };
    ids(scores.len()).into_iter().zip(scores).map(row).collect()
}

fn must_submit(scores: &[f64]) -> Submission {
    Submission::accept(&ids(scores.len()), &rows(scores)).expect("a submission")
}

struct Case {
    asked: usize,
    body: Vec<u8>,
    receipt: Option<String>,
    known: Option<Digest>,
    in_time: bool,
    unsigned_counts: bool,
}

impl Case {
    fn honest(scores: &[f64]) -> Self {
        let body = serde_json::to_vec(&rows(scores)).expect("rows");
        let key = ReceiptKey::from_secret(&[7; 32]);
        let receipt = Some(sign(&key, REQUEST, &body));
        Self {
            asked: scores.len(),
            body,
            receipt,
            known: Some(key.public_key()),
            in_time: true,
            unsigned_counts: false,
        }
    }

    fn judged(&self) -> Integrity {
        let alert_ids = ids(self.asked);
        let alert_ids: Vec<&str> = alert_ids.iter().map(String::as_str).collect();
        let asked = Asked {
            alert_ids: &alert_ids,
            request: Digest::of(REQUEST),
            receipt_key: self.known,
            unsigned_counts: self.unsigned_counts,
        };
        let digest = Digest::of(&self.body);
        let answer = Answer { body: &self.body, digest, receipt: self.receipt.as_deref(), in_time: self.in_time };
        tier1_integrity::judge(&RULES, &asked, &answer)
    }

    fn failed(&self) -> Vec<Check> {
        self.judged().findings.into_iter().filter(|finding| finding.fault.is_some()).map(|f| f.check).collect()
    }
}

fn sign(key: &ReceiptKey, request: &[u8], answer: &[u8]) -> String {
    let statement = Statement {
        input: Digest::of(request),
        form: InputForm::Json,
        output: Digest::of(answer),
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1_752_076_800_000,
    };
    key.sign(&statement).to_header()
}

#[test]
fn an_honest_answer_passes_every_check() {
    let judged = Case::honest(&[0.1, 0.9, 0.5]).judged();
    assert_eq!(judged.score().to_bits(), 1.0_f64.to_bits());
    assert_eq!(judged.submission.expect("counts").values(), [0.1, 0.9, 0.5]);
    assert_eq!(judged.model_version.as_deref(), Some("1.0.0+0a1b2c3d4e5f"));
}

#[test]
fn an_unsigned_answer_counts_where_that_is_said_with_three_of_nine_checks_failed() {
    let unsigned = |unsigned_counts| Case { receipt: None, unsigned_counts, ..Case::honest(&[0.1, 0.9, 0.5]) };
    let receipt = [Check::InputDigest, Check::OutputDigest, Check::Signature];
    for counts in [true, false] {
        let case = unsigned(counts);
        assert_eq!(case.failed(), receipt);
        assert_eq!((case.judged().passed(), case.judged().receipt_key), (counts, None));
        assert!((case.judged().score() - 6.0 / 9.0).abs() < 1e-15);
    }
    // The other gates stay shut.
    let wrong = Case { asked: 4, ..unsigned(true) };
    assert!(!wrong.judged().passed());
    let late = Case { in_time: false, ..unsigned(true) };
    assert!(late.judged().passed() && (late.judged().score() - 5.0 / 9.0).abs() < 1e-15);
}

#[test]
fn each_fault_fails_its_own_check() {
    let honest = || Case::honest(&[0.1, 0.9, 0.5]);
    let other = ReceiptKey::from_secret(&[8; 32]);
    let late = Case { in_time: false, ..honest() };
    assert_eq!(late.failed(), [Check::InTime]);
    assert!(late.judged().passed(), "a late answer counts, with a lower score");
    let more = Case { asked: 4, ..honest() };
    assert_eq!(more.failed(), [Check::Cardinality, Check::Variance]);
    let fewer = Case { asked: 2, ..honest() };
    assert_eq!(fewer.failed(), [Check::Cardinality, Check::Variance]);
    assert_eq!(Case::honest(&[0.1, 1.5]).failed(), [Check::Range, Check::Variance]);
    assert_eq!(Case::honest(&[0.5, 0.5]).failed(), [Check::Variance]);
    let stranger = Case { receipt: Some(sign(&other, REQUEST, &honest().body)), ..honest() };
    assert_eq!(stranger.failed(), [Check::Signature]);
    let first_seen = Case { known: None, receipt: Some(sign(&other, REQUEST, &honest().body)), ..honest() };
    assert_eq!(first_seen.judged().receipt_key, Some(other.public_key()), "an unknown hotkey may announce any key");
    let elsewhere = sign(&ReceiptKey::from_secret(&[7; 32]), b"another request", &honest().body);
    assert_eq!(Case { receipt: Some(elsewhere), ..honest() }.failed(), [Check::InputDigest]);
    let changed = sign(&ReceiptKey::from_secret(&[7; 32]), REQUEST, b"another answer");
    assert_eq!(Case { receipt: Some(changed), ..honest() }.failed(), [Check::OutputDigest]);
    let bare = Case { receipt: None, ..honest() };
    assert_eq!(bare.failed(), [Check::InputDigest, Check::OutputDigest, Check::Signature]);
    assert!(!bare.judged().passed());
}

#[test]
fn what_cannot_be_read_counts_nowhere() {
    for body in ["", "[", "{}", "[1]", "[{\"alert_id\":\"alert-0\",\"score\":NaN}]", "null"] {
        let case = Case { body: body.as_bytes().to_vec(), ..Case::honest(&[0.1, 0.9]) };
        let judged = case.judged();
        assert!(case.failed().contains(&Check::Format), "{body}");
        assert!(!judged.passed() && judged.score() < 0.5);
    }
}

#[test]
fn an_alert_scored_twice_is_refused_by_name() {
    let mut twice = rows(&[0.1, 0.2]);
    twice[1].alert_id = "alert-0".to_owned();
    assert_eq!(Submission::accept(&ids(2), &twice), Err(Rejection::Twice("alert-0".to_owned())));
    let reversed: Vec<ScoreRow> = rows(&[0.1, 0.2]).into_iter().rev().collect();
    assert_eq!(Submission::accept(&ids(2), &reversed).expect("any order").values(), [0.1, 0.2]);
}

#[test]
fn traps_pass_where_enough_of_a_group_is_where_it_belongs() {
    let scores: Vec<f64> = (0..100).map(|place| f64::from(place) / 100.0).collect();
    let group = |expected, places: Vec<usize>| TrapGroup { name: "g".to_owned(), expected, places };
    let groups = [
        group(Expected::High, vec![99, 98, 97, 1]),
        group(Expected::High, vec![99, 50, 40]),
        group(Expected::Low, vec![0, 10, 49, 90]),
        group(Expected::Low, Vec::new()),
    ];
    let judged = tier2_traps::judge(&RULES, &groups, &must_submit(&scores));
    let passed: Vec<bool> = judged.findings.iter().map(|finding| finding.passed).collect();
    assert_eq!(passed, [true, false, true], "an empty group asks nothing");
    assert!((judged.score().expect("groups") - 2.0 / 3.0).abs() < 1e-15);
    let flat = tier2_traps::judge(&RULES, &groups[..1], &must_submit(&[0.5; 100]));
    assert!(!flat.findings[0].passed, "equal scores are above nothing");
}

fn outcomes(illicit: usize, clean: usize) -> Vec<Label> {
    (0..illicit + clean)
        .map(|place| Label { place, illicit: place < illicit, relevance: if place < illicit { 2 } else { 0 } })
        .collect()
}

#[test]
fn settlement_waits_for_both_classes_and_then_follows_the_formula() {
    let few = settle(&RULES, &outcomes(9, 30), &must_submit(&[0.5; 39]));
    assert!(matches!(few, Err(SettleError::TooFew { illicit: 9, clean: 30, needed: 10 })));
    let scores: Vec<f64> = (0..40).map(|place| if place < 10 { 0.8 } else { 0.2 }).collect();
    let settled = settle(&RULES, &outcomes(10, 30), &must_submit(&scores)).expect("enough");
    assert!((settled.auc - 1.0).abs() < 1e-12 && (settled.ndcg - 1.0).abs() < 1e-12);
    assert!((settled.brier - 0.04).abs() < 1e-12);
    assert!((settled.score - (0.4 + 0.3 * 0.96 + 0.3)).abs() < 1e-12);
}

#[test]
fn performance_is_the_mean_over_thirty_days_not_thirty_rounds() {
    let round = |day, tier3| RoundScore { day, tier1: Some(1.0), tier2: Some(1.0), tier3, copies: 1 };
    let history = BTreeMap::from([
        (hotkey(1), vec![round(100, Some(1.0)), round(71, None), round(70, Some(1.0))]),
        (hotkey(2), vec![round(70, Some(1.0))]),
        (hotkey(3), vec![RoundScore { day: 100, tier1: None, tier2: None, tier3: None, copies: 1 }]),
    ]);
    let worth = performance(&RULES, 100, &history);
    assert_eq!(worth.len(), 2, "whoever has no round in the window is left out");
    assert!((worth[&hotkey(1)] - 0.75).abs() < 1e-12);
    assert!(worth[&hotkey(3)].abs() < 1e-12, "a submission that counts nowhere is worth nothing");
}

#[test]
fn copies_under_several_hotkeys_share_one_voice() {
    let own: Vec<f64> = (0..50).map(|place| f64::from(place * 37 % 50) / 50.0).collect();
    let nearly: Vec<f64> = own.iter().map(|score| score * 0.999).collect();
    let other: Vec<f64> = (0..50).map(|place| f64::from(place * 23 % 50) / 50.0).collect();
    let third: Vec<f64> = (0..50).map(|place| f64::from(place * 11 % 50) / 50.0).collect();
    let alone = BTreeMap::from([
        (hotkey(1), must_submit(&own)),
        (hotkey(2), must_submit(&other)),
        (hotkey(3), must_submit(&third)),
    ]);
    let mut crowd = alone.clone();
    crowd.insert(hotkey(4), must_submit(&nearly));
    crowd.insert(hotkey(5), must_submit(&own));
    let worth = (1..=5).map(|number| (hotkey(number), 0.8)).collect();
    let weights = compute_weights(&RULES, &worth, &crowd);
    let copies: f64 = [1, 4, 5].iter().map(|&number| weights[&hotkey(number)]).sum();
    assert!((copies - 1.0 / 3.0).abs() < 1e-12, "{copies}");
    assert!((compute_weights(&RULES, &worth, &alone)[&hotkey(1)] - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn nobody_accepted_means_nothing_published() {
    assert!(aggregate_scores(&RULES, &BTreeMap::new(), &BTreeMap::new()).is_none());
}

#[test]
fn without_merit_no_weights_are_set() {
    assert!(shares(&BTreeMap::new(), &registered(4)).is_empty());
    let zeros = (0..4).map(|number| (hotkey(number), 0.0)).collect();
    assert!(shares(&zeros, &registered(4)).is_empty(), "never a uniform vector");
    let gone = BTreeMap::from([(hotkey(9), 1.0), (hotkey(1), 0.5)]);
    let left = shares(&gone, &registered(4));
    assert_eq!(left.len(), 1, "deregistered hotkeys drop out");
    assert!((left[0].share - 1.0).abs() < 1e-15);
}

fn worths() -> impl Strategy<Value = BTreeMap<u8, f64>> {
    btree_map(0..40_u8, 0.0..1.0_f64, 0..40)
}

fn crowd() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1..30_usize).prop_flat_map(|alerts| vec(vec(0.0..=1.0_f64, alerts), 1..8))
}

fn entered(crowd: &[Vec<f64>]) -> BTreeMap<Hotkey, Submission> {
    crowd.iter().zip(0..).map(|(scores, number)| (hotkey(number), must_submit(scores))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_finite_and_add_up_to_one(worths in worths(), members in 0..40_u8) {
        let worth = worths.into_iter().map(|(number, worth)| (hotkey(number), worth)).collect();
        let shares = shares(&worth, &registered(members));
        prop_assert!(shares.iter().all(|share| share.share.is_finite() && share.share > 0.0));
        let total: f64 = shares.iter().map(|share| share.share).sum();
        prop_assert!(shares.is_empty() || (total - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_skill_never_pays_less(worths in worths(), who in 0..40_u8, more in 0.0..1.0_f64) {
        let mut worth: BTreeMap<Hotkey, f64> = worths.into_iter().map(|(n, worth)| (hotkey(n), worth)).collect();
        let paid = |worth: &BTreeMap<Hotkey, f64>| {
            shares(worth, &registered(40)).iter().find(|share| share.hotkey == hotkey(who)).map_or(0.0, |s| s.share)
        };
        let before = paid(&worth);
        *worth.entry(hotkey(who)).or_insert(0.0) += more;
        prop_assert!(paid(&worth) >= before - 1e-12);
    }

    #[test]
    fn canonical_scores_lie_between_the_miners_and_weights_add_up(crowd in crowd()) {
        let submissions = entered(&crowd);
        let merged = aggregate_scores(&RULES, &BTreeMap::new(), &submissions).expect("submissions");
        prop_assert!((merged.weights.values().sum::<f64>() - 1.0).abs() < 1e-9);
        for (place, canonical) in merged.scores.iter().enumerate() {
            let given = crowd.iter().map(|scores| scores[place]);
            let (low, high) = given.fold((1.0_f64, 0.0_f64), |(low, high), score| (low.min(score), high.max(score)));
            prop_assert!((low - 1e-12..=high + 1e-12).contains(&canonical.score.get()));
        }
    }

    #[test]
    fn the_order_of_alerts_changes_nothing_but_the_order(crowd in crowd(), turn in any::<usize>()) {
        let alerts = crowd[0].len();
        let turn = turn % alerts;
        let turned: Vec<Vec<f64>> = crowd.iter().map(|scores| {
            let mut scores = scores.clone();
            scores.rotate_left(turn);
            scores
        }).collect();
        let worth = BTreeMap::new();
        let plain = aggregate_scores(&RULES, &worth, &entered(&crowd)).expect("submissions");
        let moved = aggregate_scores(&RULES, &worth, &entered(&turned)).expect("submissions");
        for place in 0..alerts {
            let (a, b) = (plain.scores[(place + turn) % alerts], moved.scores[place]);
            prop_assert!((a.score.get() - b.score.get()).abs() < 1e-12);
        }
        prop_assert_eq!(plain.weights.len(), moved.weights.len());
    }
}
