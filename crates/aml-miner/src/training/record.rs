//! The record of a training run, beside the model: what was read, split, grown, chosen and measured.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::models::bundle::ModelKind;
use crate::training::assemble::Summary;
use crate::training::boost::Round;
use crate::training::calibration;
use crate::training::config::ModelConfig;
use crate::training::drift::{Drift, drift, leaks};
use crate::training::evaluation::{Evaluation, Judging, date_text, evaluate};
use crate::training::fit::Fit;
use crate::training::split::{LeftOut, Split};
use crate::whole_file::{self, Readers};

/// A record is some hundred kilobytes; more is not one.
const MAX_RECORD_BYTES: usize = 64 << 20;
/// A period that loses more than one row in so many to late labels is not typical any more.
const LATE_SHARE: usize = 10;
/// Features listed by drift.
const DRIFT_LISTED: usize = 30;

/// One period of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub first: String,
    /// Last day.
    pub last: String,
    /// Rows used.
    pub rows: usize,
    /// Illicit rows among them.
    pub positives: usize,
    /// Rows left out.
    pub left_out: LeftOut,
}

/// How the scores became probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRecord {
    /// What was chosen: `platt`, `isotonic` or `none`.
    pub chosen: String,
    /// Log loss on the other half of the validation days, by candidate.
    pub held_out_log_loss: BTreeMap<String, f64>,
}

/// Everything about one training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// Which model.
    pub model: ModelKind,
    /// What was read.
    pub data: Summary,
    /// Training, validation and test.
    pub periods: BTreeMap<String, Period>,
    /// Weight of an illicit row in training.
    pub positive_weight: f32,
    /// Rounds kept.
    pub rounds: usize,
    /// Whether it was stopped by hand; the best round until then was kept.
    pub interrupted: bool,
    /// The way of the metric that stops boosting.
    pub learning_curve: Vec<Round>,
    /// How the scores became probabilities.
    pub calibration: CalibrationRecord,
    /// The judgement on the test period.
    pub test: Evaluation,
    /// Features whose distribution moved most from training to test.
    pub drift: Vec<Drift>,
    /// What a reader must know before trusting the model.
    pub warnings: Vec<String>,
}

/// Why a record was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("cannot access {path}", path = path.display())]
    Access {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not a record.
    #[error("{path} is not a training record", path = path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
}

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
        if fit.grown.rounds <= 2 && !fit.grown.interrupted {
            warnings.push(format!(
                "only {} round(s) helped on the validation period: the model has probably collapsed, or learnt nothing",
                fit.grown.rounds
            ));
        }
        Self {
            model: kind,
            data,
            periods: periods(split),
            positive_weight: fit.positive_weight,
            rounds: fit.grown.rounds,
            interrupted: fit.grown.interrupted,
            learning_curve: fit.grown.curve.clone(),
            calibration: calibration_record(fit),
            test,
            drift,
            warnings,
        }
    }

    /// Where the record of the model at `model` is.
    #[must_use]
    pub fn path(model: &Path) -> PathBuf {
        model.with_extension("training.json")
    }

    /// Writes the record of the model at `model`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, model: &Path) -> Result<PathBuf, RecordError> {
        let path = Self::path(model);
        let format = |source| RecordError::Format { path: path.clone(), source };
        let mut json = serde_json::to_vec_pretty(self).map_err(format)?;
        json.push(b'\n');
        whole_file::write(&path, &json, Readers::Everyone)
            .map_err(|source| RecordError::Access { path: path.clone(), source })?;
        Ok(path)
    }

    /// Reads the record of the model at `model`.
    ///
    /// # Errors
    /// When there is none, or it is not a record.
    pub fn load(model: &Path) -> Result<Self, RecordError> {
        let path = Self::path(model);
        let access = |source| RecordError::Access { path: path.clone(), source };
        let bytes = whole_file::read(&path, MAX_RECORD_BYTES).map_err(access)?;
        serde_json::from_slice(&bytes).map_err(|source| RecordError::Format { path, source })
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(split: &Split) -> f64 {
    split.train.positives() as f64 / split.train.len().max(1) as f64
}

/// Labels that are known early are seldom like the others: what is left of a period is then not typical.
fn late_labels(split: &Split) -> Vec<String> {
    let periods = [("training", &split.train), ("validation", &split.validation)];
    let late = |((name, samples), left): ((&str, &super::samples::Samples), &LeftOut)| {
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
    let period =
        |((name, (first, last), samples), left_out): ((&str, (i32, i32), &super::samples::Samples), &LeftOut)| {
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
