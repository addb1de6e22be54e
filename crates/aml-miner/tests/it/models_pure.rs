//! Calibration curves, ranks and the choice of features: rules without files.

use aml_miner::models::Calibration;
use aml_miner::models::calibration::BadCalibration;
use aml_miner::scoring::ranks;
use aml_miner::scoring::{TOP_FEATURES, top_features};
use proptest::prelude::*;

fn isotonic() -> impl Strategy<Value = Calibration> {
    let knots = prop::collection::btree_map(-1_000_000_i32..1_000_000, 0.0..=1.0_f64, 1..20);
    knots.prop_map(|knots| {
        let x = knots.keys().map(|x| f64::from(*x) / 7.0).collect();
        let mut y: Vec<f64> = knots.into_values().collect();
        y.sort_by(f64::total_cmp);
        Calibration::Isotonic { x, y }
    })
}

fn platt() -> impl Strategy<Value = Calibration> {
    (1e-3..1e3_f64, -1e3..1e3_f64).prop_map(|(a, b)| Calibration::Platt { a, b })
}

proptest! {
    #[test]
    fn a_curve_is_monotone_and_gives_probabilities(
        curve in prop_oneof![isotonic(), platt()],
        raw in prop::collection::vec(prop_oneof![-1e6..1e6_f64, prop::num::f64::NORMAL], 2..40),
    ) {
        prop_assert_eq!(curve.check(), Ok(()));
        let mut raw = raw;
        raw.sort_by(f64::total_cmp);
        let scores: Vec<f64> = raw.iter().map(|raw| curve.apply(*raw).expect("a curve")).collect();
        prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", scores);
        prop_assert!(scores.is_sorted(), "{:?}", scores);
    }

    #[test]
    fn an_isotonic_curve_passes_through_its_knots(curve in isotonic()) {
        if let Calibration::Isotonic { x, y } = &curve {
            for (x, y) in x.iter().zip(y) {
                prop_assert_eq!(curve.apply(*x), Some(*y));
            }
        }
    }

    #[test]
    fn ranks_order_scores_and_then_ids(scores in prop::collection::vec(0_u8..5, 0..60)) {
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let ids: Vec<String> = (0..scores.len()).map(|i| format!("alert-{}", i * 37 % 60)).collect();
        let ranks = ranks(&scores, &ids);
        let mut sorted = ranks.clone();
        sorted.sort_unstable();
        prop_assert!(sorted.iter().copied().eq(1..=u32::try_from(scores.len()).expect("few")));
        for a in 0..scores.len() {
            for b in 0..scores.len() {
                let first = scores[a] > scores[b] || (scores[a] >= scores[b] && ids[a] < ids[b]);
                prop_assert_eq!(ranks[a] < ranks[b], first && a != b, "rows {} and {}", a, b);
            }
        }
    }

    #[test]
    fn the_named_features_are_those_of_a_stable_sort(
        values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, Just(0.0), Just(-0.0), Just(2.5), Just(-2.5)], 0..40),
    ) {
        let mut all: Vec<usize> = (0..values.len()).collect();
        all.sort_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()));
        all.truncate(TOP_FEATURES);
        let top = top_features(&values);
        prop_assert_eq!(top.iter().map(|impact| impact.feature).collect::<Vec<_>>(), all);
        prop_assert!(top.iter().all(|top| top.impact.to_bits() == values[top.feature].to_bits()));
    }
}

#[test]
fn equal_scores_rank_by_id_whatever_the_sign_of_zero() {
    assert_eq!(ranks(&[0.0, -0.0, 1.0, -1.0], &["b", "a", "d", "c"]), [3, 2, 1, 4]);
}

#[test]
fn curves_that_are_none_are_refused() {
    let isotonic = |x: &[f64], y: &[f64]| Calibration::Isotonic { x: x.into(), y: y.into() }.check();
    assert_eq!(isotonic(&[], &[]), Err(BadCalibration::Knots));
    assert_eq!(isotonic(&[0.0, 1.0], &[0.5]), Err(BadCalibration::Knots));
    for (x, y) in [
        ([1.0, 0.0], [0.1, 0.2]),
        ([0.0, 0.0], [0.1, 0.2]),
        ([0.0, 1.0], [0.2, 0.1]),
        ([0.0, 1.0], [-0.1, 0.2]),
        ([0.0, 1.0], [0.1, 1.1]),
        ([f64::NAN, 1.0], [0.1, 0.2]),
        ([0.0, f64::INFINITY], [0.1, 0.2]),
        ([0.0, 1.0], [0.1, f64::NAN]),
    ] {
        assert_eq!(isotonic(&x, &y), Err(BadCalibration::Order), "{x:?} {y:?}");
    }
    for (a, b) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (1.0, f64::NAN), (f64::INFINITY, 0.0)] {
        assert_eq!(Calibration::Platt { a, b }.check(), Err(BadCalibration::Platt), "{a} {b}");
    }
}
