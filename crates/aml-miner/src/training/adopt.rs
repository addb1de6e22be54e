//! Takes a model that was trained elsewhere, as it is: its bytes become a bundle that serves, with the features it takes named, a
//! curve fitted on labelled days where that is wanted, and everything checked that serving will rely on.

mod schema;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::features::{FeatureBuilder, SchemaError};
use crate::metrics::MetricError;
use crate::models::Calibration;
use crate::models::bundle::{
    Adopted, CalibrationRows, CodeBook, CodeBookError, Draft, Entry, Metadata, ModelKind, Origin, SaveError, file_name,
    save,
};
use crate::training::assemble::{AssembleError, Range, alerts};
use crate::training::calibration::choose;
use crate::training::evaluation::{created_at, date_text};
use crate::training::raw::{halves, raw_scores};
use crate::training::watch::Watch;
use crate::trees::contributions::{ExplainError, Explainer};
use crate::trees::forest::Forest;
use crate::trees::limits::MAX_MODEL_BYTES;
use crate::trees::model::Model;
use crate::trees::{self, ReadError};
use crate::whole_file;
pub use schema::{SchemaFileError, read_schema};

/// A model from elsewhere, and what it shall become.
pub struct Adoption<'a> {
    /// Its file.
    pub model: &'a Path,
    /// What it is for.
    pub kind: ModelKind,
    /// File of its features, in order; `None` where the model's own file names them.
    pub schema: Option<&'a Path>,
    /// Version of the bundle, such as `1.0.0`.
    pub version: &'a str,
    /// Directory of the models.
    pub output: &'a Path,
    /// Whether a bundle of this version may be replaced.
    pub replace: bool,
    /// Labelled days that its curve is fitted on; `None` leaves the scores as they are.
    pub calibrate: Option<Range>,
    /// Whether the values of its categorical features are their codes.
    pub values_are_codes: bool,
    /// Hears of progress.
    pub watch: &'a dyn Watch,
    /// Tells when the bundle was made.
    pub clock: &'a dyn Clock,
}

/// A model that was adopted.
#[derive(Clone, Debug)]
pub struct Done {
    /// The bundle's model file.
    pub path: PathBuf,
    /// Its entry.
    pub entry: Entry,
    /// Its trees.
    pub trees: usize,
}

/// Why a model was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no model that can be exact here.
    #[error("{path}", path = path.display())]
    Model {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
    /// Its features cannot be told.
    #[error(transparent)]
    SchemaFile(#[from] SchemaFileError),
    /// Nothing names its features.
    #[error("the model file does not name its {features} features: give them, in its order, with --schema")]
    NoNames {
        /// How many it has.
        features: usize,
    },
    /// Its features are not ours.
    #[error("the model's features cannot be built")]
    Schema(#[from] SchemaError),
    /// Its categories cannot be looked up.
    #[error(transparent)]
    Codes(#[from] CodeBookError),
    /// It splits by codes, and which value has which code is not in the file.
    #[error(
        "the model splits by codes of categories, and its file does not say which value has which code (XGBoost before 3.1, or \
         trained without a data frame). If the values that it was trained on are the codes, say so with --values-are-codes"
    )]
    UnexplainedCodes,
    /// Its scores cannot be explained.
    #[error("the model's scores cannot be explained")]
    Explain(#[from] ExplainError),
    /// No labelled rows.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// A curve that no one asked for.
    #[error("only an alert_scorer is calibrated here: {0}")]
    NoCalibration(&'static str),
    /// The rows cannot calibrate the scores.
    #[error("the labelled rows cannot calibrate the scores")]
    Calibration(#[from] MetricError),
    /// Something of the name is there.
    #[error("{path} is there already: give --replace to make it anew, --model-version to keep it, or another --output", path = path.display())]
    There {
        /// The file.
        path: PathBuf,
    },
    /// The same version of the same kind, in another form.
    #[error(
        "the directory has {file} already, of the same kind and version in another form: give another --model-version or --output"
    )]
    OtherForm {
        /// The file.
        file: String,
    },
    /// The bundle cannot be written.
    #[error("cannot save the model")]
    Save(#[from] SaveError),
}

/// Reads, checks, calibrates and writes a model.
///
/// # Errors
/// What of it cannot be exact here, or is not what serving needs; nothing is written then.
pub fn adopt(adoption: &Adoption<'_>) -> Result<Done, AdoptError> {
    let Adoption { kind, version, .. } = *adoption;
    let path = || adoption.model.to_owned();
    let bytes = whole_file::read(adoption.model, MAX_MODEL_BYTES)
        .map_err(|source| AdoptError::Read { path: path(), source })?;
    let model = trees::read(&bytes).map_err(|source| AdoptError::Model { path: path(), source })?;
    if model.codes_unexplained && !adoption.values_are_codes {
        return Err(AdoptError::UnexplainedCodes);
    }
    check_place(adoption, &file_name(kind, version, &bytes))?;
    let schema = match adoption.schema {
        Some(path) => read_schema(path, kind.rows())?,
        None if model.feature_names.is_empty() => return Err(AdoptError::NoNames { features: model.features }),
        None => crate::features::Schema::new(kind.rows(), &model.feature_names),
    };
    FeatureBuilder::new(&schema)?;
    Explainer::with_table_bytes(&model, 0)?;
    let codes = CodeBook::of(&model, &bytes)?;
    let mut draft = Draft {
        model: kind,
        version: version.to_owned(),
        batch_relative: schema.batch_relative(),
        schema,
        calibration: Calibration::None,
        origin: Origin::Adopted(Adopted { library: model.library.name().to_owned(), calibrated: None }),
        alert_scorer: None,
        metrics: BTreeMap::new(),
        created_at: created_at(adoption.clock),
    };
    // A model that does not fit its features is told before any data is read.
    draft.check(&bytes, &model)?;
    if let Some(range) = &adoption.calibrate {
        calibrate(&mut draft, &Scoring { model: &model, codes: &codes }, range, adoption.watch)?;
    }
    let (path, entry) = save(adoption.output, &bytes, draft)?;
    Ok(Done { path, entry, trees: model.trees.len() })
}

/// Whether the bundle may be written under this name.
fn check_place(adoption: &Adoption<'_>, file: &str) -> Result<(), AdoptError> {
    let path = adoption.output.join(file);
    let known = Metadata::load(adoption.output).unwrap_or_default().models;
    let stem = |name: &str| name.rsplit_once('.').map_or_else(|| name.to_owned(), |(stem, _)| stem.to_owned());
    if let Some(other) = known.keys().find(|known| *known != file && stem(known) == stem(file)) {
        return Err(AdoptError::OtherForm { file: other.clone() });
    }
    if !adoption.replace && (path.exists() || known.contains_key(file)) {
        return Err(AdoptError::There { path });
    }
    Ok(())
}

/// What gives raw scores.
struct Scoring<'a> {
    model: &'a Model,
    codes: &'a CodeBook,
}

/// Fits a curve on labelled days, as the trainer does on its validation days.
fn calibrate(draft: &mut Draft, scoring: &Scoring<'_>, range: &Range, watch: &dyn Watch) -> Result<(), AdoptError> {
    match draft.model {
        ModelKind::AlertScorer => {}
        ModelKind::AlertRanker => return Err(AdoptError::NoCalibration("an order needs no probabilities")),
        ModelKind::ClusterScorer => {
            return Err(AdoptError::NoCalibration("a cluster scorer is adopted with the probabilities that it gives"));
        }
    }
    let assembled = alerts(range, &draft.schema, watch)?;
    let samples = &assembled.samples;
    let raw = raw_scores(&Forest::new(scoring.model), scoring.codes, samples);
    draft.calibration = choose(&samples.labels(), &raw, &halves(samples))?.fitted;
    let (first, last) = samples.period().unwrap_or_default();
    let rows = CalibrationRows {
        data_sha256: assembled.summary.data_sha256,
        first_date: date_text(first),
        last_date: date_text(last),
        rows: samples.len() as u64,
    };
    let library = scoring.model.library.name().to_owned();
    draft.origin = Origin::Adopted(Adopted { library, calibrated: Some(rows) });
    Ok(())
}
