//! The metrics equal scikit-learn's on recorded vectors, and hold their laws on any rows.

use std::collections::BTreeMap;

use aml_miner::metrics::{
    MetricError, average_precision, brier, calibration_bins, expected_calibration_error, f1_at_threshold, log_loss,
    ndcg_at, precision_at, precision_recall_curve, recall_at, roc_auc, roc_curve,
};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    labels: Vec<u8>,
    scores: Vec<f64>,
    relevance: Vec<i32>,
    roc_auc: Option<f64>,
    average_precision: Option<f64>,
    brier: f64,
    log_loss: f64,
    ece: BTreeMap<usize, f64>,
    f1: BTreeMap<String, f64>,
    ndcg: BTreeMap<usize, f64>,
    ndcg_exponential: BTreeMap<usize, f64>,
    precision_at: BTreeMap<usize, f64>,
    recall_at: BTreeMap<usize, f64>,
}

impl Case {
    fn labels(&self) -> Vec<bool> {
        self.labels.iter().map(|&label| label == 1).collect()
    }

    fn gains(&self, gain: fn(i32) -> f64) -> Vec<f64> {
        self.relevance.iter().map(|&relevance| gain(relevance)).collect()
    }

    fn must_equal(&self, what: &str, ours: Result<f64, MetricError>, recorded: f64) {
        let ours = ours.unwrap_or_else(|error| panic!("{}: {what}: {error}", self.name));
        assert!((ours - recorded).abs() <= TOLERANCE, "{}: {what}: {ours} but {recorded}", self.name);
    }
}

fn cases() -> Vec<Case> {
    let text = include_str!("../data/metric_vectors.json");
    serde_json::from_str::<Vectors>(text).expect("recorded vectors parse").cases
}

#[test]
fn metrics_of_an_order_equal_scikit_learn() {
    for case in cases() {
        let (labels, scores) = (case.labels(), &case.scores);
        match case.roc_auc {
            Some(auc) => case.must_equal("roc_auc", roc_auc(&labels, scores), auc),
            None => assert_eq!(roc_auc(&labels, scores), Err(MetricError::SingleClass), "{}", case.name),
        }
        match case.average_precision {
            Some(ap) => case.must_equal("average_precision", average_precision(&labels, scores), ap),
            None => assert_eq!(average_precision(&labels, scores), Err(MetricError::NothingRelevant)),
        }
        for (&k, &value) in &case.ndcg {
            case.must_equal("ndcg", ndcg_at(&case.gains(f64::from), scores, k), value);
        }
        for (&k, &value) in &case.ndcg_exponential {
            case.must_equal("exponential ndcg", ndcg_at(&case.gains(|r| 2_f64.powi(r) - 1.0), scores, k), value);
        }
        for (&k, &value) in &case.precision_at {
            case.must_equal("precision", precision_at(&labels, scores, k), value);
        }
        for (&k, &value) in &case.recall_at {
            case.must_equal("recall", recall_at(&labels, scores, k), value);
        }
    }
}

#[test]
fn metrics_of_probabilities_equal_scikit_learn() {
    for case in cases() {
        let labels = case.labels();
        case.must_equal("brier", brier(&labels, &case.scores), case.brier);
        case.must_equal("log_loss", log_loss(&labels, &case.scores), case.log_loss);
        for (&bins, &value) in &case.ece {
            case.must_equal("ece", expected_calibration_error(&labels, &case.scores, bins), value);
        }
        for (threshold, &value) in &case.f1 {
            let threshold = threshold.parse().expect("a number");
            case.must_equal("f1", f1_at_threshold(&labels, &case.scores, threshold), value);
        }
    }
}

#[test]
fn what_is_undefined_is_an_error_and_not_a_number() {
    assert_eq!(roc_auc(&[], &[]), Err(MetricError::Empty));
    assert_eq!(brier(&[], &[]), Err(MetricError::Empty));
    assert_eq!(ndcg_at(&[], &[], 1), Err(MetricError::Empty));
    assert_eq!(roc_auc(&[true], &[0.1, 0.2]), Err(MetricError::Length { labels: 1, scores: 2 }));
    assert_eq!(roc_auc(&[true, false], &[0.1, f64::NAN]), Err(MetricError::NotFinite { row: 1 }));
    assert_eq!(roc_auc(&[true, true], &[0.1, 0.2]), Err(MetricError::SingleClass));
    assert_eq!(average_precision(&[false], &[0.1]), Err(MetricError::NothingRelevant));
    assert_eq!(brier(&[true, false], &[0.1, 1.5]), Err(MetricError::OutOfRange { row: 1 }));
    assert_eq!(log_loss(&[true], &[-0.1]), Err(MetricError::OutOfRange { row: 0 }));
    assert_eq!(ndcg_at(&[0.0, 0.0], &[0.1, 0.2], 5), Err(MetricError::NothingRelevant));
    assert_eq!(ndcg_at(&[0.0, -1.0], &[0.1, 0.2], 5), Err(MetricError::OutOfRange { row: 1 }));
    assert_eq!(ndcg_at(&[0.0, f64::NAN], &[0.1, 0.2], 5), Err(MetricError::NotFinite { row: 1 }));
    assert_eq!(precision_at(&[true], &[0.1], 0), Err(MetricError::ZeroCutoff));
    assert_eq!(recall_at(&[false], &[0.1], 1), Err(MetricError::NothingRelevant));
    assert_eq!(calibration_bins(&[true], &[0.1], 0), Err(MetricError::ZeroCutoff));
    assert_eq!(f1_at_threshold(&[false], &[0.1], 0.5), Err(MetricError::NothingRelevant));
}

#[test]
fn rows_tied_across_the_cut_count_in_proportion() {
    let (labels, scores) = ([true, false, true, false], [0.9, 0.5, 0.5, 0.5]);
    assert_eq!(precision_at(&labels, &scores, 2), Ok((1.0 + 1.0 / 3.0) / 2.0));
    assert_eq!(recall_at(&labels, &scores, 2), Ok((1.0 + 1.0 / 3.0) / 2.0));
    assert_eq!(precision_at(&labels, &scores, 10), Ok(0.5));
}

#[test]
fn curves_start_and_end_where_they_must() {
    let (labels, scores) = ([true, false, true, false], [0.9, 0.5, 0.5, 0.1]);
    let roc = roc_curve(&labels, &scores).expect("both classes");
    let points: Vec<_> = roc.iter().map(|point| (point.x, point.y)).collect();
    assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
    let curve = precision_recall_curve(&labels, &scores).expect("a positive");
    let points: Vec<_> = curve.iter().map(|point| (point.x, point.y)).collect();
    assert_eq!(points, [(0.0, 1.0), (0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
}

proptest! {
    #[test]
    fn an_order_is_judged_by_order_alone(rows in vec((any::<bool>(), 0_u8..20, any::<u32>()), 2..60)) {
        let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1) / 20.0).collect();
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|row| row.2);
        let other_labels: Vec<bool> = shuffled.iter().map(|row| row.0).collect();
        let other_scores: Vec<f64> = shuffled.iter().map(|row| (f64::from(row.1) / 20.0).exp() * 7.0 - 3.0).collect();
        let same = |a: Result<f64, MetricError>, b: Result<f64, MetricError>| match (a, b) {
            (Ok(a), Ok(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        prop_assert!(same(roc_auc(&labels, &scores), roc_auc(&other_labels, &other_scores)));
        prop_assert!(same(average_precision(&labels, &scores), average_precision(&other_labels, &other_scores)));
        for k in [1, 3, 10] {
            prop_assert!(same(precision_at(&labels, &scores, k), precision_at(&other_labels, &other_scores, k)));
            prop_assert!(same(recall_at(&labels, &scores, k), recall_at(&other_labels, &other_scores, k)));
        }
    }

    #[test]
    fn turning_the_order_round_turns_the_auc_round(rows in vec((any::<bool>(), -1e3_f64..1e3), 2..60)) {
        let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let scores: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        if let (Ok(auc), Ok(other)) = (roc_auc(&labels, &scores), roc_auc(&labels, &turned)) {
            prop_assert!((auc + other - 1.0).abs() < TOLERANCE);
        }
    }

    #[test]
    fn every_metric_stays_in_its_bounds(rows in vec((any::<bool>(), 0.0_f64..=1.0), 1..60), k in 1_usize..70) {
        let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let scores: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let gains: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
        let in_unit = [
            roc_auc(&labels, &scores), average_precision(&labels, &scores), brier(&labels, &scores),
            expected_calibration_error(&labels, &scores, k), ndcg_at(&gains, &scores, k),
            precision_at(&labels, &scores, k), recall_at(&labels, &scores, k), f1_at_threshold(&labels, &scores, 0.5),
        ];
        for value in in_unit.into_iter().flatten() {
            prop_assert!((0.0..=1.0 + TOLERANCE).contains(&value), "{value}");
        }
        prop_assert!(log_loss(&labels, &scores).is_ok_and(|loss| loss >= 0.0));
    }
}
