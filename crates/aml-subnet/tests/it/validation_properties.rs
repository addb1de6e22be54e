//! What must hold of judging, merging and paying whatever comes in.

use std::collections::BTreeMap;

use aml_subnet::chain::types::Uid;
use aml_subnet::chain::weights::{WeightRules, conform};
use aml_subnet::validation::ensemble_aggregator::{aggregate_scores, compute_weights};
use aml_subnet::validation::performance::{RoundScore, earned, performance};
use aml_subnet::validation::rules::Rules;
use aml_subnet::validation::similarity::{LEAST_ALERTS, Likeness, alike, rank_correlation};
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::tier2_traps::{self, Expected, TrapGroup};
use aml_subnet::validation::tier3_settlement::{Label, settle};
use aml_subnet::validation::weights::shares;
use aml_subnet::wallet::Hotkey;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde::Deserialize;

use crate::scoring_kit::{hotkey, must_submit, registered};

const RULES: Rules = Rules::V1;

fn entered(crowd: &[Vec<f64>]) -> BTreeMap<Hotkey, Submission> {
    (0..).map(hotkey).zip(crowd.iter().map(|scores| must_submit(scores))).collect()
}

fn worth(values: &[f64]) -> BTreeMap<Hotkey, f64> {
    (0..).map(hotkey).zip(values.iter().copied()).collect()
}

/// Scores of several miners for the same alerts, few enough for ties.
fn crowd(alerts: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<f64>>> {
    let score = (0..=50_u32).prop_map(|step| f64::from(step) / 50.0);
    alerts.prop_flat_map(move |alerts| vec(vec(score.clone(), alerts), 1..7))
}

fn rounds() -> impl Strategy<Value = Vec<RoundScore>> {
    let tier = || proptest::option::of(0.0..=1.0_f64);
    let round = (60..=100_i64, tier(), tier(), tier(), 1..4_u32);
    vec(round.prop_map(|(day, tier1, tier2, tier3, copies)| RoundScore { day, tier1, tier2, tier3, copies }), 0..6)
}

fn histories() -> impl Strategy<Value = BTreeMap<Hotkey, Vec<RoundScore>>> {
    vec(rounds(), 0..8).prop_map(|all| (0..).map(hotkey).zip(all).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn from_any_history_come_shares_that_fit_the_chain(history in histories(), members in 0..10_u8) {
        let shares = shares(&earned(&RULES, 100, &history), &registered(members));
        prop_assert!(shares.iter().all(|share| share.share.is_finite() && share.share > 0.0));
        let total: f64 = shares.iter().map(|share| share.share).sum();
        prop_assert!(shares.is_empty() || (total - 1.0).abs() < 1e-12);
        let pairs: Vec<_> = shares.iter().map(|share| (Uid(share.uid), share.share)).collect();
        let limit = u16::MAX / u16::try_from(shares.len().max(1)).expect("few");
        let limit = limit.saturating_add(1);
        for max_limit in [u16::MAX, limit] {
            match conform(&pairs, &WeightRules { min_allowed: 1, max_limit, own_uid: None }) {
                Ok(weights) => {
                    let sum: u64 = weights.values.iter().copied().map(u64::from).sum();
                    let largest = u64::from(*weights.values.iter().max().expect("some"));
                    prop_assert_eq!(largest, u64::from(u16::MAX), "the chain's own scale");
                    prop_assert!(largest * u64::from(u16::MAX) <= u64::from(max_limit) * sum, "no share above the limit");
                }
                Err(_) => prop_assert!(shares.is_empty(), "only nothing emits nothing"),
            }
        }
    }

    #[test]
    fn a_better_round_never_pays_less(
        history in histories(), who in 0..8_u8, which in any::<usize>(), more in 0.0..1.0_f64, tier in 0..3_u8,
    ) {
        let paid = |history: &BTreeMap<Hotkey, Vec<RoundScore>>| {
            let shares = shares(&earned(&RULES, 100, history), &registered(8));
            shares.iter().find(|share| share.hotkey == hotkey(who)).map_or(0.0, |share| share.share)
        };
        let mut better = history.clone();
        if let Some(round) = better.get_mut(&hotkey(who)).filter(|rounds| !rounds.is_empty()).map(|rounds| {
            let at = which % rounds.len();
            &mut rounds[at]
        }) {
            let raise = |value: &mut Option<f64>| *value = Some((value.unwrap_or(0.0) + more).min(1.0));
            match tier {
                0 => raise(&mut round.tier1),
                1 => raise(&mut round.tier2),
                _ => raise(&mut round.tier3),
            }
        }
        prop_assert!(paid(&better) >= paid(&history) - 1e-12);
    }

    #[test]
    fn the_order_of_rounds_changes_nothing(history in histories()) {
        let turned = history.iter().map(|(hotkey, rounds)| (*hotkey, rounds.iter().rev().copied().collect())).collect();
        prop_assert_eq!(performance(&RULES, 100, &history), performance(&RULES, 100, &turned));
        prop_assert_eq!(earned(&RULES, 100, &history), earned(&RULES, 100, &turned));
    }

    #[test]
    fn splitting_a_miner_into_equals_never_pays_more(history in histories(), parts in 1..5_u8) {
        // Hotkey 0 becomes `parts` hotkeys that send the same in every round.
        let paid = |history: &BTreeMap<Hotkey, Vec<RoundScore>>, mine: &dyn Fn(&Hotkey) -> bool| -> f64 {
            let shares = shares(&earned(&RULES, 100, history), &registered(60));
            shares.iter().filter(|share| mine(&share.hotkey)).map(|share| share.share).sum()
        };
        let before = paid(&history, &|owner| *owner == hotkey(0));
        let mut split = history.clone();
        let own = split.remove(&hotkey(0)).unwrap_or_default();
        let copied: Vec<RoundScore> =
            own.iter().map(|round| RoundScore { copies: round.copies * u32::from(parts), ..*round }).collect();
        let names: Vec<Hotkey> = (0..parts).map(|part| hotkey(50 + part)).collect();
        names.iter().for_each(|name| drop(split.insert(*name, copied.clone())));
        let after = paid(&split, &|owner| names.contains(owner));
        prop_assert!((after - before).abs() < 1e-9, "{before} becomes {after}");
    }

    #[test]
    fn splitting_a_miner_into_equals_never_speaks_louder(crowd in crowd(1..60), worths in vec(0.1..1.0_f64, 7), parts in 2..5_u8) {
        let submissions = entered(&crowd);
        let mut worth = worth(&worths);
        let before = compute_weights(&RULES, &worth, &submissions)[&hotkey(0)];
        let mut split = submissions.clone();
        let own = split.remove(&hotkey(0)).expect("a miner");
        let names: Vec<Hotkey> = (0..parts).map(|part| hotkey(50 + part)).collect();
        for name in &names {
            split.insert(*name, own.clone());
            worth.insert(*name, worth[&hotkey(0)]);
        }
        let weights = compute_weights(&RULES, &worth, &split);
        let after: f64 = names.iter().map(|name| weights[name]).sum();
        // Where others were copies of it already, the group's voice is shared among more; it gets no louder.
        let group = alike(&split.values().collect::<Vec<_>>(), RULES.alike);
        let alone = group.iter().any(|group| group.len() == names.len() && group.iter().all(|&at| {
            split.keys().nth(at).is_some_and(|owner| names.contains(owner))
        }));
        prop_assert!(!alone || after <= before + 1e-9, "{before} becomes {after}");
    }

    #[test]
    fn one_more_miner_moves_a_score_by_at_most_its_weight(
        crowd in crowd(30..60), newcomer in vec(0.0..=1.0_f64, 60), worths in vec(0.1..1.0_f64, 8),
    ) {
        let before = entered(&crowd);
        let mut after = before.clone();
        after.insert(hotkey(100), must_submit(&newcomer[..crowd[0].len()]));
        let mut worth = worth(&worths);
        worth.insert(hotkey(100), worths[7]);
        let merge = |all: &BTreeMap<Hotkey, Submission>| aggregate_scores(&RULES, &worth, all).expect("submissions");
        let groups = |all: &BTreeMap<Hotkey, Submission>| alike(&all.values().collect::<Vec<_>>(), RULES.alike);
        let (old, new) = (merge(&before), merge(&after));
        // A newcomer also moves the consensus, and so who is alike; the promise is for when that stays. It is the last.
        let mut expected = groups(&before);
        expected.push(vec![before.len()]);
        if groups(&after) == expected {
            let weight = new.weights[&hotkey(100)];
            for (old, new) in old.scores.iter().zip(&new.scores) {
                prop_assert!((old.score.get() - new.score.get()).abs() <= weight + 1e-12);
            }
        }
    }

    #[test]
    fn who_has_which_hotkey_changes_nothing(crowd in crowd(1..80), worths in vec(0.1..1.0_f64, 7), turn in 0..7_usize) {
        let place = |at: usize| (at + turn) % crowd.len();
        let turned: Vec<Vec<f64>> = (0..crowd.len()).map(|at| crowd[place(at)].clone()).collect();
        let their_worth: Vec<f64> = (0..crowd.len()).map(|at| worths[place(at)]).collect();
        let plain = aggregate_scores(&RULES, &worth(&worths), &entered(&crowd)).expect("submissions");
        let moved = aggregate_scores(&RULES, &worth(&their_worth), &entered(&turned)).expect("submissions");
        for (a, b) in plain.scores.iter().zip(&moved.scores) {
            prop_assert!((a.score.get() - b.score.get()).abs() < 1e-12 && (a.deviation - b.deviation).abs() < 1e-6);
        }
        for at in 0..crowd.len() {
            let number = |at: usize| hotkey(u8::try_from(at).expect("few"));
            prop_assert!((plain.weights[&number(place(at))] - moved.weights[&number(at)]).abs() < 1e-12);
        }
    }

    #[test]
    fn a_canonical_score_is_the_mean_of_its_alert_alone(crowd in crowd(1..60), repeat in 1..40_usize, worths in vec(0.1..1.0_f64, 7)) {
        // Long enough for several blocks.
        let crowd: Vec<Vec<f64>> = crowd.iter().map(|scores| scores.repeat(repeat)).collect();
        let ensemble = aggregate_scores(&RULES, &worth(&worths), &entered(&crowd)).expect("submissions");
        let weights: Vec<f64> = ensemble.weights.values().copied().collect();
        for (place, merged) in ensemble.scores.iter().enumerate() {
            let given = || weights.iter().zip(&crowd).map(|(weight, scores)| (weight, scores[place]));
            let mean: f64 = given().map(|(weight, score)| weight * score).sum();
            let variance: f64 = given().map(|(weight, score)| weight * (score - mean).powi(2)).sum();
            prop_assert_eq!(merged.score.get().to_bits(), mean.clamp(0.0, 1.0).to_bits());
            prop_assert_eq!((merged.deviation.to_bits(), merged.miners), (variance.sqrt().to_bits(), crowd.len()));
        }
    }

    #[test]
    fn groups_of_likeness_do_not_depend_on_order(crowd in crowd(30..50), limit in -0.5..1.0_f64) {
        let all: Vec<Submission> = crowd.iter().map(|scores| must_submit(scores)).collect();
        let groups = |order: &[usize]| {
            let turned: Vec<&Submission> = order.iter().map(|&at| &all[at]).collect();
            let mut groups: Vec<Vec<usize>> = alike(&turned, limit)
                .into_iter()
                .map(|group| {
                    let mut group: Vec<usize> = group.into_iter().map(|at| order[at]).collect();
                    group.sort_unstable();
                    group
                })
                .collect();
            groups.sort();
            groups
        };
        let forward: Vec<usize> = (0..all.len()).collect();
        let backward: Vec<usize> = forward.iter().rev().copied().collect();
        prop_assert_eq!(groups(&forward), groups(&backward));
        prop_assert_eq!(groups(&forward).concat().len(), all.len());
    }

    #[test]
    fn likeness_is_that_of_plain_arithmetic(crowd in crowd(30..90)) {
        let all: Vec<Submission> = crowd.iter().map(|scores| must_submit(scores)).collect();
        let likeness = Likeness::of(&all.iter().collect::<Vec<_>>());
        let plain = plain_likeness(&crowd);
        for (at, row) in plain.iter().enumerate() {
            let nearest = row.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, likeness)| *likeness);
            let expected = nearest.max_by(f64::total_cmp);
            match (likeness.nearest(at), expected) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-5, "{found} {expected}"),
                (found, expected) => prop_assert!(found.is_none() && expected.is_none()),
            }
        }
    }

    #[test]
    fn the_order_of_alerts_changes_no_verdict(scores in vec(0..=20_u32, 40..80), turn in 0..40_usize) {
        let scores: Vec<f64> = scores.into_iter().map(|step| f64::from(step) / 20.0).collect();
        let (length, mut turned) = (scores.len(), scores.clone());
        turned.rotate_left(turn);
        let moved = |place: usize| (place + length - turn) % length;
        let group = |places: Vec<usize>| [TrapGroup { name: String::new(), expected: Expected::High, places }];
        let share = |groups: &[TrapGroup], scores: &[f64]| tier2_traps::judge(&RULES, groups, &must_submit(scores)).findings[0].share;
        let places: Vec<usize> = (0..10).collect();
        let at_once = share(&group(places.clone()), &scores);
        prop_assert_eq!(at_once.to_bits(), share(&group(places.into_iter().map(moved).collect()), &turned).to_bits());
        let outcome = |place, number: usize| Label { place, illicit: number.is_multiple_of(3), relevance: if number.is_multiple_of(3) { 2 } else { 0 } };
        let outcomes: Vec<Label> = (0..length).map(|place| outcome(place, place)).collect();
        let others: Vec<Label> = (0..length).map(|place| outcome(moved(place), place)).collect();
        let (a, b) = (settle(&RULES, &outcomes, &must_submit(&scores)), settle(&RULES, &others, &must_submit(&turned)));
        let (a, b) = (a.expect("enough"), b.expect("enough"));
        prop_assert!((a.score - b.score).abs() < 1e-12 && (a.ece - b.ece).abs() < 1e-12);
    }

    #[test]
    fn rank_correlation_is_symmetric_and_bounded(pairs in vec((0..30_u32, 0..30_u32), 2..60)) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().map(|(a, b)| (f64::from(a), f64::from(b) - 15.0)).unzip();
        match (rank_correlation(&a, &b), rank_correlation(&b, &a)) {
            (Some(one), Some(other)) => prop_assert!((one - other).abs() < 1e-12 && one.abs() <= 1.0),
            (one, other) => prop_assert_eq!(one, other),
        }
    }
}

/// Likeness as its definition says, without any of the ways to compute it fast.
fn plain_likeness(crowd: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let rank = |scores: &[f64], value: f64| {
        let below = scores.iter().filter(|other| **other < value).count();
        let equal = scores.iter().filter(|other| (**other - value).abs() < 1e-12).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    let ranks: Vec<Vec<f64>> =
        crowd.iter().map(|scores| scores.iter().map(|value| rank(scores, *value)).collect()).collect();
    let mut distinct = ranks.clone();
    distinct.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
    distinct.dedup();
    let mean = |at: usize| distinct.iter().map(|ranks| ranks[at]).sum::<f64>() / distinct.len() as f64;
    let residual = |ranks: &Vec<f64>| ranks.iter().enumerate().map(|(at, rank)| rank - mean(at)).collect::<Vec<f64>>();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let likeness = |a: &Vec<f64>, b: &Vec<f64>| {
        if a == b {
            return 1.0;
        }
        let (a, b) = (residual(a), residual(b));
        let scale = (dot(&a, &a) * dot(&b, &b)).sqrt();
        if scale > 1e-9 { dot(&a, &b) / scale } else { 0.0 }
    };
    ranks.iter().map(|a| ranks.iter().map(|b| likeness(a, b)).collect()).collect()
}

#[test]
fn nothing_in_gives_nothing_out() {
    assert!(earned(&RULES, 100, &BTreeMap::new()).is_empty());
    assert!(shares(&earned(&RULES, 100, &BTreeMap::new()), &registered(5)).is_empty());
    assert!(aggregate_scores(&RULES, &BTreeMap::new(), &BTreeMap::new()).is_none());
    assert!(compute_weights(&RULES, &BTreeMap::new(), &BTreeMap::new()).is_empty());
    assert!(alike(&[], RULES.alike).is_empty());
    let empty = BTreeMap::from([(hotkey(0), Vec::new())]);
    assert!(earned(&RULES, 100, &empty).is_empty(), "no round is no score, not zero");
}

#[test]
fn the_same_order_is_one_opinion_among_many_alerts_only() {
    let order: Vec<f64> = (0..40).map(|at| f64::from(at * 17 % 40) / 40.0).collect();
    let squared: Vec<f64> = order.iter().map(|score| score * score).collect();
    let two = |length: usize| {
        let (a, b) = (must_submit(&order[..length]), must_submit(&squared[..length]));
        alike(&[&a, &b], RULES.alike).len()
    };
    assert_eq!(two(40), 1);
    assert_eq!(two(LEAST_ALERTS - 1), 2, "few alerts are put into the same order by chance");
    let same = must_submit(&order[..3]);
    assert_eq!(alike(&[&same, &same], RULES.alike).len(), 1, "equal scores are one opinion always");
}

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    relevance: String,
    scores: Vec<f64>,
    settlement: BTreeMap<String, f64>,
    traps: Vec<Traps>,
}

#[derive(Deserialize)]
struct Traps {
    expected: Expected,
    places: Vec<usize>,
    share: f64,
}

#[test]
fn tiers_two_and_three_equal_scikit_learn_and_numpy() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../../../conformance/scoring_v1_measures.json"))
        .expect("recorded vectors parse");
    assert_eq!(vectors.cases.len(), 6);
    for case in vectors.cases {
        let submission = must_submit(&case.scores);
        let grades = case.relevance.bytes().map(|grade| grade - b'0');
        let outcomes: Vec<Label> =
            grades.enumerate().map(|(place, relevance)| Label { place, illicit: relevance == 2, relevance }).collect();
        let settled = settle(&RULES, &outcomes, &submission).expect("enough of both");
        let found = [
            ("auc", settled.auc),
            ("brier", settled.brier),
            ("log_loss", settled.log_loss),
            ("ece", settled.ece),
            ("ndcg", settled.ndcg),
            ("score", settled.score),
        ];
        for (metric, value) in found {
            let recorded = case.settlement[metric];
            assert!((value - recorded).abs() <= 1e-12, "{}: {metric}: {value} but {recorded}", case.name);
        }
        for traps in case.traps {
            let group = TrapGroup { name: String::new(), expected: traps.expected, places: traps.places };
            let finding = &tier2_traps::judge(&RULES, &[group], &submission).findings[0];
            assert!((finding.share - traps.share).abs() <= 1e-12, "{}: {:?}", case.name, traps.expected);
            assert_eq!(finding.passed, traps.share >= 0.7 - 1e-12);
        }
    }
}
