//! The judgement: intervals, slices, baselines, and warnings that fire when they must.

use aml_miner::training::config::EvaluationConfig;
use aml_miner::training::drift::{drift, leaks, psi};
use aml_miner::training::evaluation::{Evaluation, Judging, evaluate};
use aml_miner::training::samples::Samples;

use crate::training_support::samples;

const CONFIG: EvaluationConfig = EvaluationConfig { bootstrap: 60, calibration_bins: 10 };

fn judge(samples: &Samples, scores: Vec<f64>) -> Evaluation {
    evaluate(samples, scores, true, 0.4, Judging { config: &CONFIG, seed: 7 })
}

/// What made the labels, as a score.
fn truth(samples: &Samples) -> Vec<f64> {
    let rows = samples.days.iter().flat_map(|day| (0..day.rows.len()).map(|row| day.matrix.row(row)));
    rows.map(|row| 1.0 / (1.0 + (-(6.0 * row[0] + 3.0 * row[1] - 6.0)).exp())).collect()
}

#[test]
fn a_good_model_is_above_its_baselines_and_inside_its_intervals() {
    let samples = samples(10, 120, 1);
    let evaluation = judge(&samples, truth(&samples));
    assert_eq!(evaluation.warnings, Vec::<String>::new());
    for (name, figure) in &evaluation.metrics {
        let value = figure.value.unwrap_or_else(|| panic!("{name} is defined"));
        let interval = figure.interval.unwrap_or_else(|| panic!("{name} has an interval"));
        assert!(interval.low <= interval.high, "{name}");
        if !name.contains("_at_500") {
            assert!(interval.low - 0.02 <= value && value <= interval.high + 0.02, "{name}: {value} {interval:?}");
        }
    }
    assert!(evaluation.value("roc_auc") > evaluation.confidence_baseline.get("roc_auc").copied());
    assert_eq!(evaluation.base_rate_baseline.get("roc_auc"), Some(&0.5));
    assert_eq!(evaluation.by_day.len(), 10);
    assert_eq!(evaluation.by_typology.iter().map(|slice| slice.rows).sum::<usize>(), 1200);
}

#[test]
fn intervals_are_the_same_for_a_seed() {
    let samples = samples(4, 80, 2);
    assert_eq!(judge(&samples, truth(&samples)), judge(&samples, truth(&samples)));
    let other = evaluate(&samples, truth(&samples), true, 0.4, Judging { config: &CONFIG, seed: 8 });
    assert_ne!(judge(&samples, truth(&samples)).metrics, other.metrics);
}

#[test]
fn a_constant_model_is_called_worthless() {
    let samples = samples(4, 80, 3);
    let warnings = judge(&samples, vec![0.8; samples.len()]).warnings.join("\n");
    assert!(warnings.contains("no better than a constant score"), "{warnings}");
    assert!(warnings.contains("roc_auc is 0.5000, no better than the confidence"), "{warnings}");
    assert!(warnings.contains("no better than giving every row the base rate"), "{warnings}");
}

#[test]
fn a_collapse_under_rare_positives_is_named_with_a_remedy() {
    let samples = samples(4, 80, 4);
    let evaluation = evaluate(&samples, vec![0.001; samples.len()], true, 0.002, Judging { config: &CONFIG, seed: 1 });
    assert!(evaluation.warnings.join("\n").contains("probably collapsed: try fewer leaves"));
}

#[test]
fn overconfident_probabilities_are_named() {
    let samples = samples(6, 100, 5);
    let squeezed = truth(&samples).into_iter().map(|p| p.powi(6)).collect();
    assert!(judge(&samples, squeezed).warnings.iter().any(|warning| warning.contains("off by")));
}

#[test]
fn drift_points_at_the_column_that_moved() {
    let (before, mut after) = (samples(6, 100, 6), samples(6, 100, 7));
    for day in &mut after.days {
        for row in 0..day.rows.len() {
            day.matrix.row_mut(row)[2] += 3.0;
        }
    }
    let drift = drift(&before, &after);
    assert_eq!(drift[0].feature, "noise");
    assert!(drift[0].psi > 1.0 && drift[1].psi < 0.1, "{drift:?}");
    assert!(psi(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, f64::NAN]).abs() < 1e-12);
    assert!(psi(&[1.0, 2.0, 3.0], &[f64::NAN; 3]) > 1.0, "becoming missing is drift");
    assert!(psi(&[], &[]).is_finite());
}

#[test]
fn a_column_that_gives_the_label_away_is_pointed_at() {
    let clean = samples(6, 100, 8);
    assert_eq!(leaks(&clean), Vec::<String>::new());
    let mut told = clean.clone();
    for day in &mut told.days {
        for row in 0..day.rows.len() {
            day.matrix.row_mut(row)[2] = if day.rows[row].illicit { 1.0 } else { 0.0 };
        }
    }
    assert!(leaks(&told)[0].contains("`noise` alone reaches ROC-AUC 1.0000"));
    let mut absent = clean;
    for day in &mut absent.days {
        for row in 0..day.rows.len() {
            day.matrix.row_mut(row)[2] = if day.rows[row].illicit { f64::NAN } else { 0.5 };
        }
    }
    assert!(leaks(&absent)[0].contains("`noise` is missing 100 points more often"));
}
