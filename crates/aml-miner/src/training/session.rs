//! What the trainers share: where to read and write, the configuration, the time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::clock::Clock;
use crate::features::{Group, RowKind, Schema, features};
use crate::models::bundle::{LearntFrom, Metadata, ModelKind, SaveError, Training};
use crate::training::assemble::{AssembleError, Assembled, Range};
use crate::training::config::{Boosting, ModelConfig, default_schema};
use crate::training::evaluation::{created_at, date_text};
use crate::training::fit::{Fit, FitError, Settings};
use crate::training::lightgbm::LIGHTGBM_VERSION;
use crate::training::record::{RecordError, TrainingRecord};
use crate::training::split::{Split, SplitError, split};
use crate::training::watch::Watch;

/// One training run.
pub struct Session<'a> {
    /// What is read.
    pub range: Range,
    /// Directory of the models.
    pub output: PathBuf,
    /// How to train.
    pub config: ModelConfig,
    /// Threads LightGBM may use.
    pub threads: usize,
    /// Hears of progress.
    pub watch: &'a dyn Watch,
    /// Tells when the models were made.
    pub clock: &'a dyn Clock,
}

/// A model that was trained and written.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The model file.
    pub model: PathBuf,
    /// Its version.
    pub version: String,
    /// What was measured.
    pub record: TrainingRecord,
}

/// Why a model was not trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// No labelled rows.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The days cannot be split.
    #[error("cannot split the days")]
    Split(#[from] SplitError),
    /// LightGBM or calibration failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The model cannot be written.
    #[error("cannot save the model")]
    Save(#[from] SaveError),
    /// The record cannot be written.
    #[error("cannot save the training record")]
    Record(#[from] RecordError),
    /// The cluster scorer needs the alert scorer that will run before it.
    #[error("the cluster scorer takes the alert scorer's scores: train it first (aml-miner-train scorer, or all)")]
    NoScorer(#[source] crate::models::ModelError),
    /// Alerts that do not fit the alert scorer.
    #[error(
        "the alerts were read with {given} features, the alert scorer was trained on others ({scorer} of them): read \
         them with the alert scorer's own"
    )]
    OtherFeatures {
        /// Features of the alert scorer.
        scorer: usize,
        /// Features of the alerts.
        given: usize,
    },
    /// An alert scorer that has seen days it should be measured on.
    #[error(
        "the alert scorer learnt from days up to {scorer}, this configuration trains on days up to {here}: its scores of \
         the days between would be too good; train it again with this configuration"
    )]
    OtherDays {
        /// Last day the alert scorer learnt from.
        scorer: String,
        /// Last training day here.
        here: String,
    },
    /// The features are not known.
    #[error("the features cannot be built")]
    Schema(#[from] crate::features::SchemaError),
    /// No features can be chosen.
    #[error("cannot select features")]
    Select(#[from] crate::features::selector::SelectError),
}

impl Session<'_> {
    /// The parameters of a kind of model.
    #[must_use]
    pub fn boosting(&self, kind: ModelKind) -> &Boosting {
        match kind {
            ModelKind::AlertScorer => &self.config.scorer,
            ModelKind::AlertRanker => &self.config.ranker,
            ModelKind::ClusterScorer => &self.config.clusters,
        }
    }

    /// How a kind of model is grown.
    #[must_use]
    pub fn settings(&self, kind: ModelKind) -> Settings<'_> {
        let categories = match kind.rows() {
            RowKind::Alert => &self.config.alert_features.categorical,
            RowKind::Cluster => &self.config.cluster_features.categorical,
        };
        Settings {
            kind,
            boosting: self.boosting(kind),
            seed: self.config.seed,
            threads: self.threads,
            categories,
            returning: self.config.training.returning_addresses,
            history_masked: self.config.training.history_masked,
        }
    }

    /// The features of a kind of model.
    #[must_use]
    pub fn schema(&self, kind: ModelKind) -> Schema {
        schema(kind.rows(), &self.config)
    }

    /// Where the file of a kind of model goes.
    #[must_use]
    pub fn model_path(&self, kind: ModelKind) -> PathBuf {
        model_path(&self.output, kind, &self.config.model_version)
    }

    /// Splits `assembled` and says how.
    ///
    /// # Errors
    /// When the days are too few or a period lacks a class.
    pub fn split(&self, assembled: &Assembled) -> Result<Split, SplitError> {
        let split = split(assembled.samples.clone(), &self.config.split)?;
        for (name, samples, left) in [
            ("training", &split.train, split.left_out[0]),
            ("validation", &split.validation, split.left_out[1]),
            ("test", &split.test, split.left_out[2]),
        ] {
            let (first, last) = samples.period().unwrap_or_default();
            self.watch.note(&format!(
                "{name}: {} to {}, {} rows, {} illicit; left out: {} labels not known in time, {} shared addresses",
                date_text(first),
                date_text(last),
                samples.len(),
                samples.positives(),
                left.label_too_late,
                left.shared_address
            ));
        }
        Ok(split)
    }

    /// The alert scorer that is in the output directory.
    pub(super) fn alert_scorer(&self) -> Option<LearntFrom> {
        let path = self.model_path(ModelKind::AlertScorer);
        let metadata = Metadata::load(&self.output).ok()?;
        let entry = metadata.models.get(path.file_name()?.to_str()?)?;
        Some(LearntFrom { file: entry.sha256, curve: entry.calibration.digest() })
    }

    /// Those of `kinds` whose files are in the output directory, or that its metadata names.
    #[must_use]
    pub fn already_there(&self, kinds: &[ModelKind]) -> Vec<PathBuf> {
        let metadata = Metadata::load(&self.output).unwrap_or_default();
        let named = |path: &Path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| metadata.models.contains_key(name))
        };
        kinds.iter().map(|kind| self.model_path(*kind)).filter(|path| path.exists() || named(path)).collect()
    }

    /// What an entry says of how a model was trained.
    pub(super) fn training(&self, assembled: &Assembled, fit: &Fit) -> Training {
        let (first, last) = assembled.samples.period().unwrap_or_default();
        // The number of threads changes no model, and would make two equal runs look different.
        let parameters = fit.raised.parameters.as_map().iter().filter(|(name, _)| **name != "num_threads");
        let mut parameters: BTreeMap<String, Value> =
            parameters.map(|(name, value)| ((*name).to_owned(), Value::from(value.clone()))).collect();
        parameters.insert("num_iterations".into(), Value::from(fit.raised.grown.rounds));
        parameters.insert("positive_weight".into(), Value::from(f64::from(fit.raised.positive_weight)));
        Training {
            data_sha256: assembled.summary.data_sha256,
            first_date: date_text(first),
            last_date: date_text(last),
            rows: fit.raised.rows as u64,
            parameters,
            seeds: BTreeMap::from([("seed".to_owned(), self.config.seed)]),
            lightgbm_version: LIGHTGBM_VERSION.to_owned(),
        }
    }

    /// The time, as an entry writes it.
    pub(super) fn now(&self) -> String {
        created_at(self.clock)
    }
}

/// The trainer's features for a kind of row.
#[must_use]
pub fn schema(rows: RowKind, config: &ModelConfig) -> Schema {
    let mut schema = default_schema(rows);
    if config.batch_relative && rows == RowKind::Alert {
        let relative = features(rows).iter().filter(|feature| feature.group == Group::BatchRelative);
        schema.features.extend(relative.map(|feature| feature.name.to_string()));
    }
    if config.history && rows == RowKind::Alert {
        schema.features.extend(Schema::alert_history());
    }
    match rows {
        RowKind::Alert => config.alert_features.apply(&mut schema),
        RowKind::Cluster => config.cluster_features.apply(&mut schema),
    }
    schema
}

/// Where the file of a kind of model is.
#[must_use]
pub fn model_path(directory: &Path, kind: ModelKind, version: &str) -> PathBuf {
    directory.join(format!("{}_v{version}.txt", kind.name()))
}
