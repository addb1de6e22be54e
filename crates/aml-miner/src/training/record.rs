//! The record of a training run, beside the model: what was read, split, grown, chosen and measured.

#[cfg(feature = "training")]
mod made;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::models::bundle::ModelKind;
use crate::training::assemble::Summary;
use crate::training::drift::Drift;
use crate::training::evaluation::Evaluation;
use crate::training::split::LeftOut;
use crate::whole_file::{self, Readers};

/// A record is some hundred kilobytes; more is not one.
const MAX_RECORD_BYTES: usize = 64 << 20;

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

/// One point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Rounds so far.
    pub round: usize,
    /// Metric of the training rows, every tenth round.
    pub train: Option<f64>,
    /// Metric of the validation rows.
    pub validation: Option<f64>,
    /// The round that is best so far.
    pub best: usize,
}

/// A model that was fitted on what was known when the test period began, in place of the one that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The day before which everything was known that it learnt from.
    pub known_by: String,
    /// Rows learnt from.
    pub rows: usize,
    /// Illicit rows among them.
    pub positives: usize,
    /// Rounds.
    pub rounds: usize,
    /// SHA-256 of its file, beside the model.
    pub sha256: Digest,
    /// The judgement on the test period.
    pub test: Evaluation,
}

/// How the model that is kept was fitted once more, on everything known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refitted {
    /// First day learnt from.
    pub first: String,
    /// Last day.
    pub last: String,
    /// Rows learnt from.
    pub rows: usize,
    /// Illicit rows among them.
    pub positives: usize,
    /// Rows that were left out because their outcome was not known yet.
    pub not_known: usize,
    /// Rounds.
    pub rounds: usize,
    /// SHA-256 of the model's file.
    pub model_sha256: Digest,
    /// The same at the beginning of the test period, where it can be measured.
    pub judged: Judged,
}

/// Which features were taken, of those that could have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// Features that were taken.
    pub features: usize,
    /// Features there were.
    pub of: usize,
    /// Metric of the validation period with all of them.
    pub all: f64,
    /// With each number of features that was tried.
    pub tried: BTreeMap<usize, f64>,
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
    /// How the model was fitted once more, where it was. All other figures are of the model of the split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refit: Option<Refitted>,
    /// How features were selected, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
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
    /// Where the record of the model at `model` is.
    #[must_use]
    pub fn path(model: &Path) -> PathBuf {
        model.with_extension("training.json")
    }

    /// Where the model that was judged in place of the one at `model` is.
    #[must_use]
    pub fn judged_path(model: &Path) -> PathBuf {
        model.with_extension("judged.txt")
    }

    /// Writes the record of the model at `model`, and the model that was judged in its place where there is one.
    ///
    /// # Errors
    /// When a file cannot be written, or an old one not removed.
    pub fn save_beside(&self, model: &Path, judged: Option<&str>) -> Result<PathBuf, RecordError> {
        let beside = Self::judged_path(model);
        let written = match judged {
            Some(text) => whole_file::write(&beside, text.as_bytes(), Readers::Everyone),
            None => match std::fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
        };
        written.map_err(|source| RecordError::Access { path: beside, source })?;
        self.save(model)
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
