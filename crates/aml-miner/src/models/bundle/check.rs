//! Whether an entry and a model file belong together.

use super::ModelKind;
use super::metadata::Entry;
use super::version;
use crate::digest::Digest;
use crate::features::RowKind;
use crate::models::calibration::BadCalibration;
use crate::trees::model::Model;

/// What differs between a model file and its entry, or within the entry.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Mismatch {
    /// The file was changed, or belongs to another entry.
    #[error("the model file's SHA-256 is {actual}, its entry says {expected}")]
    Digest {
        /// The entry's.
        expected: Digest,
        /// The file's.
        actual: Digest,
    },
    /// A version that is not `1.2.3+` and the first 12 hex digits of what decides the scores.
    #[error("model_version is `{found}`, this model needs a version such as 1.0.0 followed by `+{build}`")]
    Version {
        /// The entry's.
        found: String,
        /// What must follow the plus sign.
        build: String,
    },
    /// The schema was changed.
    #[error("the schema's hash is {actual}, the entry says {expected}")]
    Schema {
        /// The entry's.
        expected: Digest,
        /// The schema's.
        actual: Digest,
    },
    /// What the entry says of a state is not what the features need.
    #[error("the entry says that the model needs {} state of addresses, its features need {}", a(*entry), a(!entry))]
    State {
        /// Whether the entry says that it needs one.
        entry: bool,
    },
    /// A model of another kind.
    #[error("this is a model of kind {found}, not {expected}")]
    Kind {
        /// What was to be loaded.
        expected: ModelKind,
        /// What the entry says.
        found: ModelKind,
    },
    /// Rows of the wrong kind.
    #[error("a {model} takes {expected:?} rows, the schema is of {found:?} rows")]
    Rows {
        /// The model.
        model: ModelKind,
        /// What it takes.
        expected: RowKind,
        /// The schema's.
        found: RowKind,
    },
    /// Another number of features.
    #[error("the model file has {found} features, the schema {expected}")]
    FeatureCount {
        /// The schema's.
        expected: usize,
        /// The file's.
        found: usize,
    },
    /// Another feature at some place.
    #[error("feature {place} of the model file is `{found}`, of the schema `{expected}`")]
    Feature {
        /// Its place.
        place: usize,
        /// The schema's.
        expected: String,
        /// The file's.
        found: String,
    },
    /// Another objective.
    #[error("the model file's objective is `{found}`, its entry says `{expected}`")]
    Objective {
        /// The entry's.
        expected: String,
        /// The file's.
        found: String,
    },
    /// An objective whose answers are no probabilities.
    #[error("a {model} needs an objective that gives one probability per row, not `{found}`")]
    NoProbability {
        /// The model.
        model: ModelKind,
        /// The file's.
        found: String,
    },
    /// Neither trained nor adopted, or both.
    #[error(
        "the entry must say either how the model was trained (`training`) or where it was adopted from (`adopted`)"
    )]
    Origin,
    /// A curve that is none.
    #[error("calibration: {0}")]
    Calibration(#[from] BadCalibration),
}

const fn a(needed: bool) -> &'static str {
    if needed { "a" } else { "no" }
}

/// Everything that must hold before a row is scored.
pub(super) fn check(entry: &Entry, digest: Digest, model: &Model) -> Result<(), Mismatch> {
    if entry.sha256 != digest {
        return Err(Mismatch::Digest { expected: entry.sha256, actual: digest });
    }
    if entry.training.is_some() == entry.adopted.is_some() {
        return Err(Mismatch::Origin);
    }
    name(entry)?;
    schema(entry, model)?;
    objective(entry, model)?;
    Ok(entry.calibration.check()?)
}

/// The name in the entry's version.
pub(super) fn name(entry: &Entry) -> Result<&str, Mismatch> {
    let Entry { model_version, sha256, calibration, .. } = entry;
    version::name(model_version, *sha256, calibration).ok_or_else(|| Mismatch::Version {
        found: model_version.chars().take(80).collect(),
        build: version::build(*sha256, calibration),
    })
}

fn schema(entry: &Entry, model: &Model) -> Result<(), Mismatch> {
    let actual = entry.schema.hash();
    if actual != entry.schema_sha256 {
        return Err(Mismatch::Schema { expected: entry.schema_sha256, actual });
    }
    if entry.needs_state == entry.schema.history().is_empty() {
        return Err(Mismatch::State { entry: entry.needs_state });
    }
    let expected = entry.model.rows();
    if entry.schema.rows != expected {
        return Err(Mismatch::Rows { model: entry.model, expected, found: entry.schema.rows });
    }
    let (names, features) = (&model.feature_names, &entry.schema.features);
    if model.features != features.len() {
        return Err(Mismatch::FeatureCount { expected: features.len(), found: model.features });
    }
    // A file without names is taken by the order alone.
    match names.iter().zip(features).position(|(name, feature)| name != feature) {
        None => Ok(()),
        Some(place) => Err(Mismatch::Feature { place, expected: features[place].clone(), found: names[place].clone() }),
    }
}

fn objective(entry: &Entry, model: &Model) -> Result<(), Mismatch> {
    let found = || model.objective_text.clone();
    if entry.objective != model.objective_text {
        return Err(Mismatch::Objective { expected: entry.objective.clone(), found: found() });
    }
    if model.outputs != 1 || (entry.model.is_probability() && !model.objective.is_probability()) {
        return Err(Mismatch::NoProbability { model: entry.model, found: found() });
    }
    Ok(())
}
