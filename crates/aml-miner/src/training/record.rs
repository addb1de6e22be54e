//! The record of a training run, beside the model: what was read, split, grown, chosen and measured.

#[cfg(feature = "training")]
mod made;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
