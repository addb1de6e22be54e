//! Calibration: both fits are right where they must be, and the better one on unseen days is chosen.

use std::collections::BTreeSet;

use aml_miner::metrics::log_loss;
use aml_miner::models::Calibration;
use aml_miner::training::calibration::{ISOTONIC_ROWS, choose, isotonic, name, platt, probability};
use proptest::prelude::{any, prop_assert, proptest};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows whose chance of being positive is `truth(raw)`.
fn rows(count: usize, seed: u64, truth: fn(f64) -> f64) -> (Vec<bool>, Vec<f64>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| {
            let raw = random.random_range(-4.0..4.0);
            (random.random_range(0.0..1.0) < truth(raw), raw)
        })
        .unzip()
}

fn alternating(count: usize) -> Vec<bool> {
    (0..count).map(|row| row % 2 == 0).collect()
}

#[test]
fn platt_finds_the_sigmoid_that_made_the_labels() {
    let (labels, raw) = rows(20_000, 1, |raw| 1.0 / (1.0 + (-(0.7 * raw - 1.0)).exp()));
    let Calibration::Platt { a: slope, b: intercept } = platt(&labels, &raw) else { panic!("platt fits platt") };
    assert!((slope - 0.7).abs() < 0.05 && (intercept + 1.0).abs() < 0.05, "{slope} {intercept}");
}

#[test]
fn isotonic_pools_neighbours_that_are_out_of_order() {
    let labels = [false, true, false, true, true];
    let Calibration::Isotonic { x, y } = isotonic(&labels, &[1.0, 2.0, 3.0, 4.0, 4.0]) else {
        panic!("isotonic fits isotonic")
    };
    assert_eq!(x, [1.0, 2.5, 4.0]);
    assert_eq!(y, [1.0 / 3.0, 0.5, 0.75]);
}

#[test]
fn an_isotonic_curve_rises_from_the_lowest_to_the_highest_raw_score() {
    let (labels, raw) = rows(2_000, 5, |raw| if raw < 1.0 { 0.05 } else { 0.6 });
    let fitted = isotonic(&labels, &raw);
    let mut sorted = raw.clone();
    sorted.sort_by(f64::total_cmp);
    let applied: Vec<f64> = sorted.iter().map(|&score| probability(&fitted, score)).collect();
    assert!(applied.windows(2).all(|pair| pair[0] < pair[1]), "rows with different raw scores are told apart");
    assert!(applied[0] > 0.0 && applied[1_999] < 1.0, "no score claims certainty");
    let mean = applied.iter().sum::<f64>() / 2_000.0;
    let share = labels.iter().filter(|&&label| label).count() as f64 / 2_000.0;
    assert!((mean - share).abs() < 0.01, "{mean} on average, {share} in truth");
}

#[test]
fn few_rows_are_calibrated_by_the_sigmoid_whatever_they_look_like() {
    let step = |raw: f64| if raw < 1.0 { 0.05 } else { 0.6 };
    for (count, expected) in [(999, "platt"), (1_000, "isotonic")] {
        let (labels, raw) = rows(count, 3, step);
        let choice = choose(&labels, &raw, &alternating(count)).expect("both classes");
        assert_eq!(name(&choice.fitted), expected, "{count} rows");
        assert_eq!(choice.isotonic_log_loss.is_some(), count >= ISOTONIC_ROWS);
        let distinct: BTreeSet<u64> = raw.iter().map(|&score| probability(&choice.fitted, score).to_bits()).collect();
        assert_eq!(distinct.len(), count, "as many scores as raw scores");
    }
}

#[test]
fn the_sigmoid_is_chosen_where_it_is_true_and_the_curve_where_it_is_not() {
    let (labels, raw) = rows(4_000, 2, |raw| 1.0 / (1.0 + (-raw).exp()));
    let choice = choose(&labels, &raw, &alternating(4_000)).expect("both classes");
    assert_eq!(name(&choice.fitted), "platt");
    let (labels, raw) = rows(4_000, 3, |raw| if raw < 1.0 { 0.05 } else { 0.6 });
    let choice = choose(&labels, &raw, &alternating(4_000)).expect("both classes");
    assert_eq!(name(&choice.fitted), "isotonic");
    assert!(choice.isotonic_log_loss < Some(choice.platt_log_loss));
}

#[test]
fn calibration_mends_overconfident_scores() {
    let (labels, raw) = rows(4_000, 4, |raw| 1.0 / (1.0 + (-0.3 * raw).exp()));
    let choice = choose(&labels, &raw, &alternating(4_000)).expect("both classes");
    let before: Vec<f64> = raw.iter().map(|raw| 1.0 / (1.0 + (-3.0 * raw).exp())).collect();
    let after: Vec<f64> = raw.iter().map(|&raw| probability(&choice.fitted, raw)).collect();
    assert!(log_loss(&labels, &after).expect("defined") < log_loss(&labels, &before).expect("defined") - 0.5);
}

#[test]
fn one_class_cannot_be_calibrated() {
    assert!(choose(&[true, true], &[0.0, 1.0], &[true, false]).is_err());
    assert!(choose(&[], &[], &[]).is_err());
}

proptest! {
    #[test]
    fn a_calibration_never_turns_the_order_round_nor_leaves_0_to_1(
        rows in proptest::collection::vec((any::<bool>(), -50.0_f64..50.0), 4..80),
    ) {
        let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let raw: Vec<f64> = rows.iter().map(|row| row.1).collect();
        for fitted in [platt(&labels, &raw), isotonic(&labels, &raw)] {
            prop_assert!(fitted.check().is_ok(), "{fitted:?}");
            let mut sorted = raw.clone();
            sorted.extend([-1e6, 1e6, 0.0]);
            sorted.sort_by(f64::total_cmp);
            let applied: Vec<f64> = sorted.iter().map(|&score| probability(&fitted, score)).collect();
            prop_assert!(applied.iter().all(|p| (0.0..=1.0).contains(p)), "{fitted:?}");
            prop_assert!(applied.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{fitted:?}");
        }
    }
}
