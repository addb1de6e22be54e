//! The numbers of `docs/scoring.md` are those that rules v2 give.

use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::constants::Constants;
use aml_subnet::validation::v2::curve::Curve;
use aml_subnet::validation::v2::moments::{Moments, Totals};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::pay::{Earner, pay};
use aml_subnet::validation::v2::price::{Priced, price};
use aml_subnet::validation::v2::record::Tiers;

use crate::rules_v2_kit::K;

const PAGE: &str = include_str!("../../../../docs/scoring.md");

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn must_say(text: &str) {
    assert!(flat(PAGE).contains(&flat(text)), "docs/scoring.md should say: {text}");
}

fn listed<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_constants_are_those_of_the_rules() {
    must_say(&format!("| days, earliest, latest | {}, {}, {} |", K.days, K.earliest, K.latest));
    must_say(&format!("| least | {} |", K.least));
    must_say(&format!("| parts, grain | {}, {} |", Constants::PARTS, Constants::GRAIN));
    must_say(&format!("| z | {} |", K.z));
    must_say(&format!("| h, knee, tail | {}, {}, {} |", K.h, K.knee, K.tail));
    must_say(&format!("references have {} for `h`", K.h_reference));
    must_say(&format!("| alike | {} |", K.alike));
    must_say(&format!("| turns | {} |", K.turns));
    must_say(&format!("| gamma | {} |", K.gamma));
    must_say(&format!("| quality | {}, {}, {} |", K.tier1, K.traps, K.calibration));
    must_say(&format!("| lately | {} |", K.lately));
    must_say(&format!("| alive | {} |", K.alive));
    must_say(&format!("| worthy | {} |", K.worthy));
    must_say(&format!("| steady, level | {}, {} |", K.steady, K.level));
    must_say(&format!("| newcomer, newcomers, few | {}, {}, {} |", K.newcomer, K.newcomers, K.few));
}

#[test]
fn the_example_of_a_column_is_right() {
    let (shares, outcomes) = ([0.02, 0.05, 0.03, 0.1, 0.4], [20.0, 10.0, 30.0, 20.0, 20.0]);
    let curve = Curve::rising(&shares, &outcomes);
    must_say(&format!("with shares {}, that were made of {} outcomes", listed(shares), listed(outcomes)));
    let rounded = curve.shares.iter().map(|share| (1e6 * share).round() / 1e6);
    must_say(&format!("becomes {}.", listed(rounded)));
    let scores = [0.2, 0.9, 0.2, 0.5, 0.1, 0.3, 0.4, 0.6, 0.7, 0.8];
    let (order, column) = (Order::of(&scores), |curve| Worths::new(curve, 10).column(&Order::of(&scores)));
    assert_eq!(order.len(), 10);
    must_say(&format!("The scores {}", listed(scores)));
    must_say(&format!(
        "are the column {}, and without a curve {}.",
        listed(column(Some(&curve))),
        listed(column(None))
    ));
}

/// The miners of the example: correlation with the outcomes, tier 1, traps, calibration, share of the window's rounds.
const MINERS: [(f64, [f64; 3], f64); 5] = [
    (0.36, [1.0, 0.6, 0.9], 1.0),
    (0.34, [1.0, 0.5, 0.8], 1.0),
    (0.34, [1.0, 0.5, 0.8], 1.0),
    (0.015, [1.0, 0.02, 0.3], 1.0),
    (0.18, [1.0, 0.6, 0.9], 0.25),
];
const A: usize = 0;
const B: usize = 1;
const B2: usize = 2;
const L: usize = 4;

/// Moments of the example's columns; `kept` names which of A, B, B2, J, L and R (5) are there.
fn moments(kept: &[usize]) -> Moments {
    let correlation = |i: usize, j: usize| match (i.min(j), i.max(j)) {
        (i, j) if i == j => 1.0,
        (A, B | B2) => 0.55,
        (B, B2) => 1.0,
        (A, 3) => 0.01,
        (A, L) => 0.5,
        (B | B2, L) => 0.275,
        (3, L) => 0.005,
        (A, 5) => 0.45,
        (B | B2, 5) => 0.42,
        (L, 5) => 0.225,
        _ => 0.0,
    };
    let (number, illicit) = (10_000.0, 800.0);
    let own: f64 = illicit - illicit * illicit / number;
    let length = |at: usize| (number * MINERS.get(at).map_or(1.0, |(_, _, part)| *part)).sqrt();
    let told = |at: usize| MINERS.get(at).map_or(0.2, |(told, _, _)| *told) * length(at) * own.sqrt();
    let cross = kept.iter().flat_map(|i| kept.iter().map(|j| correlation(*i, *j) * length(*i) * length(*j)));
    Moments::of(cross.collect(), kept.iter().map(|at| told(*at)).collect(), Totals { own, number, illicit })
}

fn earner((one, (_, [tier1, traps, calibration], _)): (&Priced, &(f64, [f64; 3], f64))) -> Earner {
    let tiers = Tiers { tier1: *tier1, traps: Some(*traps), lately: 1.0 };
    Earner { points: one.points, calibration: *calibration, tiers, newcomer: 0.0 }
}

#[test]
fn the_worked_example_is_right() {
    let priced = price(&K, &moments(&[A, B, B2, 3, L, 5]), 5);
    let row = |name: &str, digits: usize, values: &[f64]| {
        let cell = |value: &f64| if value.abs() > 0.0 { format!("{value:.digits$}") } else { "0".to_owned() };
        must_say(&format!("| {name} | {} |", values.iter().map(cell).collect::<Vec<_>>().join(" | ")));
    };
    let list = |of: fn(&Priced) -> f64| priced.iter().map(of).collect::<Vec<f64>>();
    let beyond = list(|one| one.beyond);
    must_say(&format!(
        "| c | {:.2} | {:.2} | {:.2} | out | {:.2} | {:.2} |",
        beyond[A], beyond[B], beyond[B2], beyond[L], beyond[5]
    ));
    assert!(beyond[3].abs() < f64::MIN_POSITIVE, "J is within chance");
    row("v", 6, &list(|one| one.standard_weight));
    row("points", 6, &list(|one| one.points)[..5]);
    let earners: Vec<Earner> = priced.iter().zip(&MINERS).map(earner).collect();
    let quality = earners.iter().map(|one| one.tiers.quality(&K, one.calibration));
    must_say(&format!(
        "| quality | {} |",
        quality.map(|one| format!("{}", (1e6 * one).round() / 1e6)).collect::<Vec<_>>().join(" | ")
    ));
    let paid = pay(&K, &earners).shares;
    row("pay", 4, &paid);
    let voices: Vec<f64> =
        priced.iter().zip(&MINERS).map(|(one, (_, tiers, part))| one.weight * tiers[2] * part).collect();
    let all: f64 = voices.iter().sum();
    row("voice", 4, &voices.iter().map(|voice| voice / all).collect::<Vec<f64>>());
    let alone = price(&K, &moments(&[A, B, 3, L, 5]), 4);
    must_say(&format!("With B under one key alone its points are {:.6}, the sum of the two", alone[1].points));
    assert!((alone[1].points - priced[B].points - priced[B2].points).abs() < 1e-6);
    let others = [MINERS[A], MINERS[B], MINERS[3], MINERS[L]];
    let one = pay(&K, &alone.iter().zip(&others).map(earner).collect::<Vec<_>>()).shares[1];
    must_say(&format!("and its pay is {one:.4}: two keys earn {:.4} together.", paid[B] + paid[B2]));
}

#[test]
fn the_table_names_attacks_that_are_there_and_tells_both_rules() {
    let attacks = include_str!("../../../../scripts/simulator/attacks.py");
    let (_, table) = PAGE.split_once("<!-- table of attacks: begin -->").expect("a place for the table");
    let (table, _) = table.split_once("<!-- table of attacks: end -->").expect("an end of the table");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| attack |"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "make the table: scripts/simulator.sh table --write docs/scoring.md");
    for row in rows {
        assert_eq!(row.len(), 8, "{row:?}");
        let known =
            row[0] == "nobody else" || attacks.contains(&format!("\"{}\"", row[0].replace("day 40", "day {SOLD}")));
        assert!(known, "no attack of scripts/simulator/attacks.py is called {}", row[0]);
        assert!(row[1..].iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}
