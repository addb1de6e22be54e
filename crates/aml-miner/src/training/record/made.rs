//! The record of a run that has just ended.

use std::collections::BTreeMap;

use super::{CalibrationRecord, Period, Refitted, TrainingRecord};
use crate::models::bundle::ModelKind;
use crate::training::assemble::Summary;
use crate::training::calibration;
use crate::training::config::ModelConfig;
use crate::training::drift::{drift, leaks};
use crate::training::evaluation::{Judging, date_text, evaluate};
use crate::training::fit::Fit;
use crate::training::samples::Samples;
use crate::training::split::{LeftOut, Split};

/// A period that loses more than one row in so many to late labels is not typical any more.
const LATE_SHARE: usize = 10;
/// Features listed by drift.
const DRIFT_LISTED: usize = 30;

impl TrainingRecord {
    /// Judges `fit` on the test period and puts everything on record.
    #[must_use]
    pub fn new(kind: ModelKind, data: Summary, split: &Split, fit: &Fit, config: &ModelConfig) -> Self {
        let answers = fit.answers(&split.test);
        let judging = Judging { config: &config.evaluation, seed: config.seed };
        let test = evaluate(&split.test, answers, kind.is_probability(), share(split), judging);
        let mut drift = drift(&split.train, &split.test);
        drift.truncate(DRIFT_LISTED);
        let mut warnings = test.warnings.clone();
        warnings.extend(leaks(&split.train));
        warnings.extend(late_labels(split));
        if fit.raised.grown.rounds <= 2 && !fit.raised.grown.interrupted {
            warnings.push(format!(
                "only {} round(s) helped on the validation period: the model has probably collapsed, or learnt nothing",
                fit.raised.grown.rounds
            ));
        }
        Self {
            model: kind,
            data,
            periods: periods(split),
            positive_weight: fit.raised.positive_weight,
            rounds: fit.raised.grown.rounds,
            interrupted: fit.raised.grown.interrupted,
            learning_curve: fit.raised.grown.curve.clone(),
            calibration: calibration_record(fit),
            test,
            drift,
            warnings,
            refit: None,
            selected: None,
        }
    }

    /// Adds that the model was fitted once more.
    #[must_use]
    pub fn refitted(mut self, refit: Refitted) -> Self {
        let lowest = self.test.metrics.get("roc_auc").and_then(|figure| figure.interval).map(|within| within.low);
        if let (Some(reached), Some(lowest)) = (refit.judged.test.value("roc_auc"), lowest)
            && reached < lowest
        {
            self.warnings.push(format!(
                "fitted once more on everything known it did worse on the test period (ROC-AUC {reached:.4}) than the model of the \
                 split: training.refit: none keeps that one"
            ));
        }
        self.refit = Some(refit);
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(split: &Split) -> f64 {
    split.train.positives() as f64 / split.train.len().max(1) as f64
}

/// Labels that are known early are seldom like the others: what is left of a period is then not typical.
fn late_labels(split: &Split) -> Vec<String> {
    let periods = [("training", &split.train), ("validation", &split.validation)];
    let late = |((name, samples), left): ((&str, &Samples), &LeftOut)| {
        let all = samples.len() + left.label_too_late;
        (left.label_too_late * LATE_SHARE > all).then(|| {
            format!(
                "{} of {all} rows of the {name} period were left out because their label was not known in time, and \
                 those known early are seldom typical: a longer split.embargo_days (the longest delay of a label) \
                 avoids this",
                left.label_too_late
            )
        })
    };
    periods.into_iter().zip(&split.left_out).filter_map(late).collect()
}

fn periods(split: &Split) -> BTreeMap<String, Period> {
    let all = [
        ("train", split.periods.train, &split.train),
        ("validation", split.periods.validation, &split.validation),
        ("test", split.periods.test, &split.test),
    ];
    let period = |((name, (first, last), samples), left_out): ((&str, (i32, i32), &Samples), &LeftOut)| {
        let (first, last) = (date_text(first), date_text(last));
        let (rows, positives) = (samples.len(), samples.positives());
        (name.to_owned(), Period { first, last, rows, positives, left_out: *left_out })
    };
    all.into_iter().zip(&split.left_out).map(period).collect()
}

fn calibration_record(fit: &Fit) -> CalibrationRecord {
    let losses = fit.choice.as_ref().map_or_else(BTreeMap::new, |choice| {
        let losses = [("platt", Some(choice.platt_log_loss)), ("isotonic", choice.isotonic_log_loss)];
        let measured = losses.into_iter().filter_map(|(name, loss)| Some((name.to_owned(), loss?)));
        measured.filter(|(_, loss)| loss.is_finite()).collect()
    });
    CalibrationRecord { chosen: calibration::name(&fit.calibration()).to_owned(), held_out_log_loss: losses }
}
