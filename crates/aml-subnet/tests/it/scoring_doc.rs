//! The numbers of `docs/scoring_v1.md` are those that the rules give.

use std::collections::BTreeMap;

use aml_subnet::validation::ensemble_aggregator::aggregate_scores;
use aml_subnet::validation::performance::{RoundScore, earned, performance};
use aml_subnet::validation::rules::Rules;

use crate::scoring_kit::{hotkey, must_submit, registered};

const RULES: Rules = Rules::V1;
const PAGE: &str = include_str!("../../../../docs/scoring_v1.md");

#[track_caller]
fn must_say(text: &str) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(PAGE).contains(&flat(text)), "docs/scoring_v1.md should say: {text}");
}

fn tier3(auc: f64, brier: f64, ndcg: f64) -> f64 {
    RULES.settlement.0 * auc + RULES.settlement.1 * (1.0 - brier) + RULES.settlement.2 * ndcg
}

fn round(tier1: Option<f64>, tier2: Option<f64>, tier3: Option<f64>) -> RoundScore {
    RoundScore { day: 100, tier1, tier2, tier3, copies: 1 }
}

#[test]
fn the_constants_are_those_of_the_rules() {
    must_say(&format!("| weights of the tiers | {}, {}, {} |", RULES.tier1, RULES.tier2, RULES.tier3));
    must_say(&format!("| least deviation | {:e} |", RULES.least_deviation));
    must_say(&format!("| trap share | {} |", RULES.trap_share));
    let (auc, brier, ndcg) = RULES.settlement;
    must_say(&format!(
        "| settlement | {auc}, {brier}, {ndcg} | weights of AUC, 1 - Brier, NDCG@{} |",
        RULES.ndcg_cutoff
    ));
    must_say(&format!("| least of a class | {} |", RULES.least_of_class));
    must_say(&format!("| performance | {} days |", RULES.performance_days));
    must_say(&format!("| alpha | {} |", RULES.alpha));
    must_say(&format!("| alike | {} |", RULES.alike));
}

#[test]
fn chance_passes_groups_as_rarely_as_the_page_says() {
    let choose = |n: i32, k: i32| (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product::<f64>();
    let tail =
        |n: i32, least: i32, p: f64| (least..=n).map(|k| choose(n, k) * p.powi(k) * (1.0 - p).powi(n - k)).sum::<f64>();
    for (size, needed, high, low) in [
        (5, 4, "4.6e-4", "0.19"),
        (10, 7, "9.1e-6", "0.17"),
        (20, 14, "2.2e-10", "0.058"),
        (40, 28, "1.7e-19", "0.0083"),
    ] {
        assert!(f64::from(needed) / f64::from(size) >= RULES.trap_share);
        assert!(f64::from(needed - 1) / f64::from(size) < RULES.trap_share, "as few as the rule asks for");
        assert_eq!(format!("{:.1e}", tail(size, needed, 0.1)), high);
        let said: f64 = low.parse().expect("a number");
        assert!((tail(size, needed, 0.5) / said - 1.0).abs() < 0.03, "{size}");
        must_say(&format!("| {size} | {needed} | {high} | {low} |"));
    }
}

#[test]
fn the_example_of_a_performance_is_right() {
    let settled = tier3(0.90, 0.08, 0.85);
    let rounds =
        [round(Some(1.0), Some(0.75), Some(settled)), round(Some(8.0 / 9.0), Some(1.0), None), round(None, None, None)];
    let scores: Vec<f64> = rounds.iter().map(|round| round.score(&RULES)).collect();
    must_say(&format!("| settled | 9/9 | 3/4 | 0.90, 0.08, 0.85 | {settled:.4} | {:.4} |", scores[0]));
    must_say(&format!("| not settled yet | 8/9 | 4/4 | | | {:.4} |", scores[1]));
    must_say(&format!("| no submission | | | | | {:.4} |", scores[2]));
    let worth = performance(&RULES, 100, &BTreeMap::from([(hotkey(1), rounds.to_vec())]));
    must_say(&format!("Its performance is {:.4}.", worth[&hotkey(1)]));
}

#[test]
fn the_example_of_an_ensemble_and_its_pay_is_right() {
    let worth = BTreeMap::from([(hotkey(0), 0.8), (hotkey(1), 0.6), (hotkey(2), 0.6)]);
    let given = [[0.9, 0.1], [0.5, 0.2], [0.5, 0.2]];
    let submissions = (0..).map(hotkey).zip(given.iter().map(|scores| must_submit(scores))).collect();
    let merged = aggregate_scores(&RULES, &worth, &submissions).expect("submissions");
    let weight = |number| merged.weights[&hotkey(number)];
    must_say(&format!("Weights: A {:.4}, B {:.4}, C {:.4}.", weight(0), weight(1), weight(2)));
    let first = merged.scores[0];
    must_say(&format!("canonical score is {:.4} with deviation {:.4}.", first.score.get(), first.deviation));
    let only = |score: f64, copies| vec![RoundScore { copies, ..round(Some(1.0), None, Some((score - 0.2) / 0.5)) }];
    let history = BTreeMap::from([(hotkey(0), only(0.8, 1)), (hotkey(1), only(0.6, 2)), (hotkey(2), only(0.6, 2))]);
    let shares = aml_subnet::validation::weights::shares(&earned(&RULES, 100, &history), &registered(3));
    let share = |number: usize| shares[number].share;
    must_say(&format!("A {:.4}, B {:.4}, C {:.4}.", share(0), share(1), share(2)));
}

#[test]
fn the_limits_are_as_large_as_the_page_says() {
    let crowd = |power: f64| 172.0 * 0.35_f64.powf(power);
    let skilled = |power: f64| 20.0 * 0.8_f64.powf(power);
    let part = |power: f64| 100.0 * crowd(power) / (crowd(power) + skilled(power));
    must_say(&format!("they hold {:.1} % of the ensemble and {:.1} % of the pay", part(RULES.alpha), part(1.0)));
    let junk = tier3(0.5, 0.12 * 0.88, 0.15);
    let settled = round(Some(1.0), Some(0.0), Some(junk)).score(&RULES);
    let skill = round(Some(1.0), Some(1.0), Some(tier3(0.95, 0.05, 0.62))).score(&RULES);
    must_say(&format!("reaches tier3 {junk:.4}, so {settled:.4} once settled, against {skill:.4} for one"));
}
