//! All that a report says about one model.

use std::collections::BTreeMap;

use serde::Serialize;

use super::importance::{Importance, importance};
use super::shap::{self, ShapLine};
use crate::metrics::{CurvePoint, calibration_bins, precision_recall_curve, roc_curve};
use crate::training::boost::Round;
use crate::training::calibration;
use crate::training::drift::Drift;
use crate::training::evaluation::{Evaluation, Judging, date_text, evaluate};
use crate::training::samples::Samples;
use crate::training::shelf::Model;

/// Points of a drawn curve: more than a screen can show is left out.
const CURVE_POINTS: usize = 400;
/// Bars of the score histogram.
const HISTOGRAM_BARS: usize = 20;
/// Features listed in every list.
const LISTED: usize = 20;

/// One bar of the score histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Illicit rows.
    pub positives: usize,
    /// Other rows.
    pub negatives: usize,
}

/// One bin of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// Rows in the bin.
    pub rows: usize,
    /// Mean probability given.
    pub mean_probability: f64,
    /// Share of rows that were illicit.
    pub positive_share: f64,
}

/// All that the page shows about one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelReport {
    /// Which model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// When it was made.
    pub created_at: String,
    /// How its scores become probabilities.
    pub calibration: String,
    /// Its LightGBM parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Its figures on the rows below.
    pub evaluation: Evaluation,
    /// False positive rate and true positive rate.
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision.
    pub precision_recall: Vec<(f64, f64)>,
    /// What was promised and what happened.
    pub reliability: Vec<Reliability>,
    /// How the scores are spread.
    pub histogram: Vec<Bar>,
    /// Total gain of the splits, by feature.
    pub importance: Vec<Importance>,
    /// Mean contribution, by feature.
    pub shap: Vec<ShapLine>,
    /// The way of the metric that stopped boosting.
    pub learning_curve: Vec<Round>,
    /// Features that moved from training to test.
    pub drift: Vec<Drift>,
}

/// Looks at `model`, of this LightGBM text, on `samples`: its test period where these hold it, all of them otherwise.
#[must_use]
pub fn model_report(model: &Model, file: &[u8], samples: &Samples, judging: Judging<'_>) -> ModelReport {
    let (samples, mut warnings) = held_out(model, samples);
    let answers = model.answers(&samples);
    let labels = samples.labels();
    let probabilities = model.entry.model.is_probability();
    let base_rate = model.base_rate().unwrap_or(0.0);
    let mut evaluation = evaluate(&samples, answers.clone(), probabilities, base_rate, judging);
    warnings.append(&mut evaluation.warnings);
    evaluation.warnings = warnings;
    let bins = match probabilities {
        true => calibration_bins(&labels, &answers, judging.config.calibration_bins as usize).unwrap_or_default(),
        false => Vec::new(),
    };
    let record = model.record.as_ref();
    ModelReport {
        model: model.entry.model.name().to_owned(),
        version: model.entry.model_version.clone(),
        created_at: model.entry.created_at.clone(),
        calibration: calibration::name(&model.entry.calibration).to_owned(),
        parameters: model.entry.training.as_ref().map_or_else(BTreeMap::new, |training| training.parameters.clone()),
        roc: thinned(roc_curve(&labels, &answers).unwrap_or_default()),
        precision_recall: thinned(precision_recall_curve(&labels, &answers).unwrap_or_default()),
        reliability: bins
            .into_iter()
            .map(|bin| Reliability {
                rows: bin.rows,
                mean_probability: bin.mean_probability,
                positive_share: bin.positive_share,
            })
            .collect(),
        histogram: histogram(&labels, &answers),
        importance: importance(&String::from_utf8_lossy(file), &model.entry.schema, LISTED),
        shap: shap::summary(model, file, &samples, LISTED),
        learning_curve: record.map_or_else(Vec::new, |record| record.learning_curve.clone()),
        drift: record.map_or_else(Vec::new, |record| record.drift.iter().take(LISTED).cloned().collect()),
        evaluation,
    }
}

/// The rows that the model has not seen, or that another model stands in for: its own test period where that is among them, else all
/// days that it has not seen; all rows, with a warning, where there are none.
pub(in crate::training) fn held_out(model: &Model, samples: &Samples) -> (Samples, Vec<String>) {
    let refit = model.record.as_ref().and_then(|record| record.refit.as_ref());
    let chosen = |wanted: &dyn Fn(i32) -> bool| {
        samples.with_days(samples.days.iter().filter(|day| wanted(day.date)).cloned().collect())
    };
    // Later days are the better judge of a model that has seen its test period.
    let later = chosen(&|date| refit.is_some_and(|refit| date_text(date) > refit.last));
    if !later.is_empty() {
        return (later, Vec::new());
    }
    let test = chosen(&|date| model.in_test(date) && !model.has_seen(date));
    if let (false, Some(refit)) = (test.is_empty(), refit) {
        let judged = &refit.judged;
        let warning = format!(
            "the model has learnt from days up to {}: curves and figures are of the same recipe on what was known on {}, importances of \
             the model itself",
            refit.last, judged.known_by
        );
        return (test, vec![warning]);
    }
    if !test.is_empty() {
        return (test, Vec::new());
    }
    let warning = match model.overlap(samples) {
        Some((first, last)) => format!("measured on days from {first} to {last} that the model was made from"),
        None => "measured on all rows: the model's own test period is not among them".to_owned(),
    };
    (samples.clone(), vec![warning])
}

fn thinned(curve: Vec<CurvePoint>) -> Vec<(f64, f64)> {
    let step = curve.len().div_ceil(CURVE_POINTS).max(1);
    let last = curve.len().saturating_sub(1);
    let kept = curve.iter().enumerate().filter(|(index, _)| index % step == 0 || *index == last);
    kept.map(|(_, point)| (point.x, point.y)).collect()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bar's number is small"
)]
fn histogram(labels: &[bool], scores: &[f64]) -> Vec<Bar> {
    let (low, high) = scores.iter().fold((0.0_f64, 1.0_f64), |(low, high), &score| (low.min(score), high.max(score)));
    let width = (high - low) / HISTOGRAM_BARS as f64;
    let end = |bar: usize| low + bar as f64 * width;
    let mut bars: Vec<Bar> =
        (0..HISTOGRAM_BARS).map(|bar| Bar { from: end(bar), to: end(bar + 1), positives: 0, negatives: 0 }).collect();
    for (&label, &score) in labels.iter().zip(scores) {
        let bar = &mut bars[(((score - low) / width) as usize).min(HISTOGRAM_BARS - 1)];
        if label { bar.positives += 1 } else { bar.negatives += 1 }
    }
    bars
}
