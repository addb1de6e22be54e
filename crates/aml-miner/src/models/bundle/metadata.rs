//! What `model_metadata.json` holds.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{LearntFrom, MAX_METADATA_BYTES, METADATA_FILE, ModelKind, version};
use crate::digest::Digest;
use crate::features::Schema;
use crate::models::Calibration;
use crate::whole_file;

/// The layout of the file that this code reads and writes.
const FORMAT: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Version of the file's layout.
    pub format: u32,
    /// One entry per model file, by its name.
    pub models: BTreeMap<String, Entry>,
}

/// A metadata file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It cannot be read, or is larger than such a file can be.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{path} is not a model metadata file", path = path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It has another layout.
    #[error("{path} has format {found}, this program reads {FORMAT}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl MetadataError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Metadata {
    /// Reads the metadata of the models in `directory`: the only way in.
    ///
    /// # Errors
    /// When there is none, or it is too large, cut, or of another layout.
    pub fn load(directory: &Path) -> Result<Self, MetadataError> {
        let path = directory.join(METADATA_FILE);
        let bytes = match whole_file::read(&path, MAX_METADATA_BYTES) {
            Ok(bytes) => bytes,
            Err(source) => return Err(MetadataError::Read { path, source }),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(metadata) if metadata.format == FORMAT => Ok(metadata),
            Ok(Self { format: found, .. }) => Err(MetadataError::Format { path, found }),
            Err(source) => Err(MetadataError::Layout { path, source }),
        }
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self { format: FORMAT, models: BTreeMap::new() }
    }
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// SHA-256 over the training data, as the trainer defines it.
    pub data_sha256: Digest,
    /// First `processing_date` of the data.
    pub first_date: String,
    /// Last `processing_date` of the data.
    pub last_date: String,
    /// Rows trained on.
    pub rows: u64,
    /// LightGBM's parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Every seed, by its name.
    pub seeds: BTreeMap<String, u64>,
    /// Version of the LightGBM library.
    pub lightgbm_version: String,
}

/// Where a model that was not trained here comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopted {
    /// The library that made it, such as `XGBoost`.
    pub library: String,
    /// The rows that its curve was fitted on; `None` where it has no curve of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<CalibrationRows>,
}

/// The rows that the curve of an adopted model was fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationRows {
    /// SHA-256 over the batches' manifests, as the trainer defines it.
    pub data_sha256: Digest,
    /// First `processing_date`.
    pub first_date: String,
    /// Last `processing_date`.
    pub last_date: String,
    /// Rows.
    pub rows: u64,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// Our own trainer.
    Trained(Training),
    /// Elsewhere.
    Adopted(Adopted),
}

/// Everything a trainer says about a model; hashes and version follow from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What the model is for.
    pub model: ModelKind,
    /// Semantic version, such as `1.0.0`.
    pub version: String,
    /// The features, in order.
    pub schema: Schema,
    /// From raw scores to probabilities.
    pub calibration: Calibration,
    /// Whether a row's features depend on the other rows of its batch.
    pub batch_relative: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// The alert scorer whose scores a cluster scorer learnt from.
    pub alert_scorer: Option<LearntFrom>,
    /// Metrics on the held-out period.
    pub metrics: BTreeMap<String, f64>,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// One model's entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the model is for.
    pub model: ModelKind,
    /// Semantic version and the first 12 hex digits of what decides the scores: the file's digest, and the curve's.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub sha256: Digest,
    /// The features, in order.
    pub schema: Schema,
    /// The schema's hash.
    pub schema_sha256: Digest,
    /// The objective, as the model file names it.
    pub objective: String,
    /// From raw scores to probabilities.
    pub calibration: Calibration,
    /// Whether a row's features depend on the other rows of its batch.
    pub batch_relative: bool,
    /// Whether features ask for earlier days: the model is served with a state of addresses or not at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_state: bool,
    /// How it was trained, where our own trainer made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Where it was adopted from, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Adopted>,
    /// SHA-256 of the alert scorer whose scores a cluster scorer learnt from; older entries do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_scorer: Option<Digest>,
    /// Digest of that scorer's calibration; older entries do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_scorer_curve: Option<Digest>,
    /// Metrics on the held-out period.
    pub metrics: BTreeMap<String, f64>,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Entry {
    /// The entry of a model file with this digest and objective.
    pub(super) fn new(draft: Draft, sha256: Digest, objective: String) -> Self {
        let (training, adopted) = match draft.origin {
            Origin::Trained(training) => (Some(training), None),
            Origin::Adopted(adopted) => (None, Some(adopted)),
        };
        Self {
            model: draft.model,
            model_version: version::whole(&draft.version, sha256, &draft.calibration),
            sha256,
            schema_sha256: draft.schema.hash(),
            needs_state: !draft.schema.history().is_empty(),
            schema: draft.schema,
            objective,
            calibration: draft.calibration,
            batch_relative: draft.batch_relative,
            training,
            adopted,
            alert_scorer: draft.alert_scorer.map(|from| from.file),
            alert_scorer_curve: draft.alert_scorer.map(|from| from.curve),
            metrics: draft.metrics,
            created_at: draft.created_at,
        }
    }

    /// First and last day that it was made or calibrated from, as far as the entry knows.
    #[must_use]
    pub fn days(&self) -> Option<(&str, &str)> {
        let trained = self.training.as_ref().map(|training| (&training.first_date, &training.last_date));
        let calibrated = self.adopted.as_ref().and_then(|adopted| adopted.calibrated.as_ref());
        let calibrated = calibrated.map(|rows| (&rows.first_date, &rows.last_date));
        trained.or(calibrated).map(|(first, last)| (first.as_str(), last.as_str()))
    }

    /// Who made it: the library, with its version where our own trainer used it.
    #[must_use]
    pub fn made_by(&self) -> String {
        match (&self.training, &self.adopted) {
            (Some(training), _) => format!("LightGBM {}", training.lightgbm_version),
            (None, Some(adopted)) => format!("{}, adopted", adopted.library),
            (None, None) => "unknown".to_owned(),
        }
    }

    /// Version of LightGBM that trained it, where our own trainer did.
    #[must_use]
    pub fn lightgbm_version(&self) -> Option<String> {
        self.training.as_ref().map(|training| training.lightgbm_version.clone())
    }
}
