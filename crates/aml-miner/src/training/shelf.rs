//! The models of a directory: found by kind, loaded with all checks, each with its training record where it has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::features::{BuildError, FeatureBuilder, SchemaError};
use crate::models::bundle::{Bundle, CodeBook, Entry, LoadError, METADATA_FILE, Metadata, MetadataError, ModelKind};
use crate::models::{BaseModel as _, Calibration, ModelError, OtherScorer, TreeModel, check_pair};
use crate::training::assemble::{AssembleError, Assembled, Range, alerts, clusters};
use crate::training::calibration::probability;
use crate::training::evaluation::{Evaluation, Judging, evaluate};
use crate::training::raw::raw_scores;
use crate::training::record::TrainingRecord;
use crate::training::samples::Samples;
use crate::training::watch::Watch;
use crate::trees::forest::Forest;

/// A loaded model.
pub struct Model {
    /// Its file.
    pub path: PathBuf,
    /// Its entry.
    pub entry: Entry,
    /// Its trees.
    pub forest: Forest,
    /// From values of categories to the codes that the trees split by.
    pub codes: CodeBook,
    /// How it was trained, where that is on record.
    pub record: Option<TrainingRecord>,
}

/// Why models cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The metadata file cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// No model of the kinds asked for.
    #[error("{path} names no model{of}", path = path.display())]
    None {
        /// The metadata file.
        path: PathBuf,
        /// Of which version.
        of: String,
    },
    /// Several versions of one model.
    #[error("{path} names several versions of {kind}: say which with --model-version", path = path.display())]
    Several {
        /// The metadata file.
        path: PathBuf,
        /// Of which kind.
        kind: ModelKind,
    },
    /// A model does not load.
    #[error("cannot load the model")]
    Load(#[from] LoadError),
    /// The alert scorer, whose scores the cluster scorer takes, does not load.
    #[error("cannot load the alert scorer that the cluster scorer needs")]
    Scorer(#[from] ModelError),
    /// The alert scorer beside it is not the one that the cluster scorer was trained on.
    #[error(transparent)]
    OtherScorer(#[from] OtherScorer),
    /// The model's features are not known.
    #[error("the model's features cannot be built")]
    Schema(#[from] SchemaError),
    /// No labelled rows.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
}

/// The models of `directory`, by kind.
///
/// # Errors
/// When there are none, several versions of one, or one does not load.
pub fn models(directory: &Path, version: Option<&str>) -> Result<Vec<Model>, ShelfError> {
    let path = directory.join(METADATA_FILE);
    let metadata = Metadata::load(directory)?;
    let mut found: BTreeMap<ModelKind, PathBuf> = BTreeMap::new();
    for (file, entry) in &metadata.models {
        let given = entry.model_version.split('+').next();
        let wanted = version.is_none_or(|version| given == Some(version));
        if wanted && found.insert(entry.model, directory.join(file)).is_some() {
            return Err(ShelfError::Several { path, kind: entry.model });
        }
    }
    if found.is_empty() {
        let of = version.map_or_else(String::new, |version| format!(" of version {version}"));
        return Err(ShelfError::None { path, of });
    }
    found.into_iter().map(|(kind, path)| load(path, kind)).collect()
}

fn load(path: PathBuf, kind: ModelKind) -> Result<Model, ShelfError> {
    let Bundle { entry, model, codes } = Bundle::load(&path, kind)?;
    // The record is for readers; a model without one is measured all the same.
    let record = TrainingRecord::load(&path).ok();
    Ok(Model { path, entry, forest: Forest::new(&model), codes, record })
}

impl Model {
    /// Labelled rows of `range` under the model's own schema.
    ///
    /// # Errors
    /// When a batch cannot be read, or the alert scorer beside a cluster scorer cannot be loaded.
    pub fn rows(&self, range: &Range, shelf: &[Self], watch: &dyn Watch) -> Result<Assembled, ShelfError> {
        if self.entry.model != ModelKind::ClusterScorer {
            return Ok(alerts(range, &self.entry.schema, watch)?);
        }
        let beside = shelf.iter().find(|model| model.entry.model == ModelKind::AlertScorer);
        if let Some(scorer) = beside {
            check_pair(&self.entry, &scorer.entry)?;
        }
        let path = beside.map_or_else(|| self.path.with_file_name("alert_scorer"), |model| model.path.clone());
        let scorer = TreeModel::load(&path, ModelKind::AlertScorer)?;
        let builder = FeatureBuilder::new(scorer.schema())?;
        let score = |_: i32, batch: &crate::wire::Batch| -> Result<Vec<f64>, BuildError> {
            Ok(scorer.predict(&builder.alerts(batch)?.matrix))
        };
        Ok(clusters(range, &self.entry.schema, &score, watch)?)
    }

    /// One answer per row: a probability, or the raw score of a ranker.
    #[must_use]
    pub fn answers(&self, samples: &Samples) -> Vec<f64> {
        let mut raw = raw_scores(&self.forest, &self.codes, samples);
        let calibration = &self.entry.calibration;
        match (self.entry.model.is_probability(), calibration) {
            (true, Calibration::None) => self.forest.convert(&mut raw),
            (true, _) => raw.iter_mut().for_each(|score| *score = probability(calibration, *score)),
            (false, _) => {}
        }
        raw
    }

    /// Share of illicit rows in training, where that is on record.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub fn base_rate(&self) -> Option<f64> {
        let period = self.record.as_ref()?.periods.get("train")?;
        Some(period.positives as f64 / period.rows.max(1) as f64)
    }

    /// First and last day the model was made from, if any day of `samples` is among them.
    #[must_use]
    pub fn overlap(&self, samples: &Samples) -> Option<(String, String)> {
        let (first, last) = samples.period()?;
        let (first, last) = (super::evaluation::date_text(first), super::evaluation::date_text(last));
        let (made_from, made_until) = self.entry.days()?;
        let seen_until = self.record.as_ref().and_then(|record| record.periods.get("validation"));
        let seen_until = seen_until.map_or(made_until, |period| &period.last);
        (*first <= *seen_until && *made_from <= *last).then(|| (made_from.to_owned(), seen_until.to_owned()))
    }

    /// Judges the model on `samples`; days that it was made from are pointed out.
    #[must_use]
    pub fn judge(&self, samples: &Samples, judging: Judging<'_>) -> Evaluation {
        let base_rate = self.base_rate().unwrap_or_else(|| share(samples));
        let answers = self.answers(samples);
        let mut evaluation = evaluate(samples, answers, self.entry.model.is_probability(), base_rate, judging);
        if let Some((first, last)) = self.overlap(samples) {
            evaluation.warnings.insert(
                0,
                format!(
                    "the model was made from days {first} to {last}, some of which are measured here: too good to be true"
                ),
            );
        }
        evaluation
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(samples: &Samples) -> f64 {
    samples.positives() as f64 / samples.len().max(1) as f64
}
