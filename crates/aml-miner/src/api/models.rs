//! The three models being served, each with the builder of its features.

use std::sync::Arc;

use crate::config::ModelPaths;
use crate::digest::Digest;
use crate::features::{BuildError, FeatureBuilder, Matrix, SchemaError};
use crate::models::blocks;
use crate::models::bundle::Entry;
use crate::models::{AlertRanker, AlertScorer, BaseModel, ClusterScorer, ModelError};
use crate::wire::reply::FeatureNames;
use crate::wire::{Batch, Needs};

/// Names of the three models, in the order of [`Models::each`].
pub const NAMES: [&str; 3] = ["alert_scorer", "alert_ranker", "cluster_scorer"];

/// A model and what is prepared for it once.
pub struct Served {
    /// The model.
    pub model: Arc<dyn BaseModel>,
    /// Builds its matrix.
    pub builder: FeatureBuilder,
    /// Names of its features, as explanations write them.
    pub names: FeatureNames,
    /// Columns of a batch that it reads.
    pub needs: Needs,
    /// Hash of its schema.
    pub schema_hash: Digest,
    /// Version of LightGBM that trained it, where that is known.
    pub lightgbm_version: Option<String>,
}

impl Served {
    /// Prepares `model`.
    ///
    /// # Errors
    /// When its schema names a feature that is not known.
    pub fn new(model: Arc<dyn BaseModel>, lightgbm_version: Option<String>) -> Result<Self, SchemaError> {
        let schema = model.schema();
        let builder = FeatureBuilder::new(schema)?;
        let names = FeatureNames::new(&schema.features);
        let (needs, schema_hash) = (builder.columns(), schema.hash());
        Ok(Self { builder, names, needs, schema_hash, lightgbm_version, model })
    }

    /// Whether its features include the alert scorer's scores.
    #[must_use]
    pub fn takes_alert_scores(&self) -> bool {
        self.model.schema().takes_alert_scores()
    }

    /// The model's matrix of `batch`.
    pub(super) fn matrix(&self, batch: &Batch, alert_scores: Option<&[f64]>) -> Result<Matrix, BuildError> {
        blocks::matrix(&*self.model, &self.builder, batch, alert_scores)
    }
}

/// The models of one moment: all that one request sees.
#[derive(Default)]
pub struct Models {
    /// Scores alerts.
    pub alert_scorer: Option<Arc<Served>>,
    /// Ranks alerts.
    pub alert_ranker: Option<Arc<Served>>,
    /// Scores clusters.
    pub cluster_scorer: Option<Arc<Served>>,
}

impl Models {
    /// Name and model, in a fixed order.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<&Arc<Served>>); 3] {
        let [scorer, ranker, clusters] = NAMES;
        [
            (scorer, self.alert_scorer.as_ref()),
            (ranker, self.alert_ranker.as_ref()),
            (clusters, self.cluster_scorer.as_ref()),
        ]
    }
}

/// What loading gave: the models that are good, and why others are not.
#[derive(Default)]
pub struct Loaded {
    /// The good ones.
    pub models: Models,
    /// Name of the model and what is wrong with it, for those that were asked for and are not good.
    pub failures: Vec<(&'static str, String)>,
}

impl Loaded {
    /// Loads and probes the models at `paths`.
    #[must_use]
    pub fn from_paths(paths: &ModelPaths) -> Self {
        let mut loaded = Self::default();
        let [scorer, ranker, clusters] = NAMES;
        let path = paths.alert_scorer.as_deref();
        let alert_scorer =
            path.map(|path| AlertScorer::load(path).map(|model| with_version(model, AlertScorer::entry)));
        let path = paths.alert_ranker.as_deref();
        let alert_ranker =
            path.map(|path| AlertRanker::load(path).map(|model| with_version(model, AlertRanker::entry)));
        let path = paths.cluster_scorer.as_deref();
        let cluster_scorer =
            path.map(|path| ClusterScorer::load(path).map(|model| with_version(model, ClusterScorer::entry)));
        loaded.models.alert_scorer = loaded.take(scorer, alert_scorer);
        loaded.models.alert_ranker = loaded.take(ranker, alert_ranker);
        loaded.models.cluster_scorer = loaded.take(clusters, cluster_scorer);
        loaded
    }

    fn take(&mut self, name: &'static str, model: Option<Result<Versioned, ModelError>>) -> Option<Arc<Served>> {
        let served = model?.map_err(|error| chain(&error)).and_then(|(model, version)| {
            let served = Served::new(model, Some(version)).map_err(|error| chain(&error))?;
            super::probe::check(&served)?;
            Ok(served)
        });
        match served {
            Ok(served) => Some(Arc::new(served)),
            Err(why) => {
                self.failures.push((name, why));
                None
            }
        }
    }
}

type Versioned = (Arc<dyn BaseModel>, String);

fn with_version<M: BaseModel + 'static>(model: M, entry: impl Fn(&M) -> &Entry) -> Versioned {
    let version = entry(&model).training.lightgbm_version.clone();
    (Arc::new(model), version)
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
