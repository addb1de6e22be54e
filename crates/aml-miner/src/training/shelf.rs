//! The models of a directory: found by kind, loaded with all checks, each with its training record where it has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::features::{BuildError, FeatureBuilder, SchemaError};
use crate::models::bundle::{Bundle, CodeBook, Entry, LoadError, METADATA_FILE, Metadata, MetadataError, ModelKind};
use crate::models::{BaseModel as _, Calibration, ModelError, OtherScorer, TreeModel, check_pair};
use crate::training::assemble::{AlertScores, AssembleError, Assembled, OneDay, Range, alerts, clusters};
use crate::training::calibration::probability;
use crate::training::evaluation::{Evaluation, Judging, date_text, evaluate};
use crate::training::record::TrainingRecord;
use crate::training::samples::Samples;
use crate::training::watch::Watch;
use crate::trees::forest::Forest;
use crate::trees::lightgbm::parse;
use crate::trees::limits::MAX_MODEL_BYTES;
use crate::whole_file;

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
    /// Of a model that was fitted once more: the trees that its test period is measured with.
    judged: Option<Forest>,
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
    let judged = record.as_ref().and_then(|record| judged(&path, &entry, record));
    Ok(Model { path, entry, forest: Forest::new(&model), codes, record, judged })
}

/// The trees that the record measured in place of the model's own, where both are still those of the record.
fn judged(path: &Path, entry: &Entry, record: &TrainingRecord) -> Option<Forest> {
    let refit = record.refit.as_ref().filter(|refit| refit.model_sha256 == entry.sha256)?;
    let bytes = whole_file::read(&TrainingRecord::judged_path(path), MAX_MODEL_BYTES).ok()?;
    (Digest::of(&bytes) == refit.judged.sha256).then_some(())?;
    Some(Forest::new(&parse(&bytes).ok()?))
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
        let score = |day: &OneDay<'_>| -> Result<Vec<f64>, BuildError> {
            let (date, matrix) = (day.date(), day.knowing(&builder).alerts(day.batch())?.matrix);
            Ok(match beside.filter(|model| model.stands_in(date)) {
                Some(model) => model.answers_on(date, matrix.values(), matrix.rows()),
                None => scorer.predict(&matrix),
            })
        };
        let scores = AlertScores { of: &score, needs_history: builder.needs_history() };
        Ok(clusters(range, &self.entry.schema, scores, watch)?)
    }

    /// One answer per row: a probability, or the raw score of a ranker. On days of its own test period a model that was fitted once
    /// more answers as it did when that period began.
    #[must_use]
    pub fn answers(&self, samples: &Samples) -> Vec<f64> {
        let days = samples.days.iter();
        days.flat_map(|day| self.answers_on(day.date, day.matrix.values(), day.rows.len())).collect()
    }

    /// The same for the rows of a day, in the order of the model's own features.
    #[must_use]
    pub fn answers_on(&self, date: i32, values: &[f64], rows: usize) -> Vec<f64> {
        let forest = self.judged.as_ref().filter(|_| self.in_test(date)).unwrap_or(&self.forest);
        let mut raw = vec![0.0; rows];
        match self.codes.is_empty() {
            true => forest.raw_into(values, &mut raw),
            false => forest.raw_into(&self.codes.translate(values, forest.features()), &mut raw),
        }
        let calibration = &self.entry.calibration;
        match (self.entry.model.is_probability(), calibration) {
            (true, Calibration::None) => forest.convert(&mut raw),
            (true, _) => raw.iter_mut().for_each(|score| *score = probability(calibration, *score)),
            (false, _) => {}
        }
        raw
    }

    /// Whether another model, fitted on what was known when the test period began, answers for this one on a day.
    #[must_use]
    pub fn stands_in(&self, date: i32) -> bool {
        self.judged.is_some() && self.in_test(date)
    }

    /// Whether a day is in the test period that is on record.
    #[must_use]
    pub fn in_test(&self, date: i32) -> bool {
        let test = self.record.as_ref().and_then(|record| record.periods.get("test"));
        let date = date_text(date);
        test.is_some_and(|period| period.first <= date && date <= period.last)
    }

    /// Share of illicit rows in training, where that is on record.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub fn base_rate(&self) -> Option<f64> {
        let period = self.record.as_ref()?.periods.get("train")?;
        Some(period.positives as f64 / period.rows.max(1) as f64)
    }

    /// Whether the model was made from a day, and no other stands in for it there.
    #[must_use]
    pub fn has_seen(&self, date: i32) -> bool {
        let text = date_text(date);
        self.made_from().is_some_and(|(first, last)| first <= text && text <= last) && !self.stands_in(date)
    }

    /// First and last day that the model has seen: learnt from, stopped or calibrated on.
    fn made_from(&self) -> Option<(String, String)> {
        let (first, last) = self.entry.days()?;
        let record = self.record.as_ref();
        let refit = record.and_then(|record| record.refit.as_ref()).map(|refit| &refit.last);
        let validation = || record.and_then(|record| record.periods.get("validation")).map(|period| &period.last);
        let last = refit.or_else(validation).map_or(last, |seen| seen);
        Some((first.to_owned(), last.to_owned()))
    }

    /// First and last day the model was made from, if any day of `samples` is among them for which no other model stands in.
    #[must_use]
    pub fn overlap(&self, samples: &Samples) -> Option<(String, String)> {
        samples.days.iter().any(|day| self.has_seen(day.date)).then(|| self.made_from()).flatten()
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
        if let Some(refit) = self.record.as_ref().and_then(|record| record.refit.as_ref())
            && samples.days.iter().any(|day| self.stands_in(day.date))
        {
            evaluation.warnings.push(format!(
                "the model has learnt from days up to {}; its test period is measured with the same recipe on what was known on {}",
                refit.last, refit.judged.known_by
            ));
        }
        evaluation
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(samples: &Samples) -> f64 {
    samples.positives() as f64 / samples.len().max(1) as f64
}
