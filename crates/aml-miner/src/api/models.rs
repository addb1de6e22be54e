//! The three models being served.

use std::path::Path;
use std::sync::Arc;

use crate::error_chain::with_causes;
use crate::models::{BaseModel as _, ModelFiles, ModelKind, TreeModel};
use crate::scoring::Prepared;

/// Names of the three models, in the order of [`Models::each`].
pub const NAMES: [&str; 3] =
    [ModelKind::AlertScorer.name(), ModelKind::AlertRanker.name(), ModelKind::ClusterScorer.name()];

/// Steps of an explanation ([`explain_steps`](crate::models::BaseModel::explain_steps)) above which a model is warned
/// about: 10,000 rows then take ten to twenty seconds of one thread. Models of the tuner's range stay far below.
pub const WARN_STEPS: u64 = 1_000_000;

/// The models of one moment: all that one request sees.
#[derive(Default)]
pub struct Models {
    /// Scores alerts.
    pub alert_scorer: Option<Arc<Prepared>>,
    /// Ranks alerts.
    pub alert_ranker: Option<Arc<Prepared>>,
    /// Scores clusters.
    pub cluster_scorer: Option<Arc<Prepared>>,
}

impl Models {
    /// Name and model, in a fixed order.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<&Arc<Prepared>>); 3] {
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
    pub fn from_paths(paths: &ModelFiles) -> Self {
        let mut loaded = Self::default();
        loaded.models.alert_scorer = loaded.load(paths.alert_scorer.as_deref(), ModelKind::AlertScorer);
        loaded.models.alert_ranker = loaded.load(paths.alert_ranker.as_deref(), ModelKind::AlertRanker);
        loaded.models.cluster_scorer = loaded.load(paths.cluster_scorer.as_deref(), ModelKind::ClusterScorer);
        if let Err(other) = paths.check_pair()
            && loaded.models.cluster_scorer.take().is_some()
        {
            loaded.failures.push((ModelKind::ClusterScorer.name(), other.to_string()));
        }
        loaded
    }

    fn load(&mut self, path: Option<&Path>, kind: ModelKind) -> Option<Arc<Prepared>> {
        match load(path?, kind) {
            Ok(model) => Some(Arc::new(model)),
            Err(why) => {
                self.failures.push((kind.name(), why));
                None
            }
        }
    }
}

fn load(path: &Path, kind: ModelKind) -> Result<Prepared, String> {
    let model = TreeModel::load(path, kind).map_err(|error| with_causes(&error))?;
    if let Some(steps) = model.explain_steps().filter(|steps| *steps > WARN_STEPS) {
        tracing::warn!(model = kind.name(), steps, "explanations of this model are slow: train with fewer leaves");
    }
    let version = model.entry().lightgbm_version();
    let prepared = Prepared::new(Arc::new(model), version).map_err(|error| with_causes(&error))?;
    super::probe::check(&prepared)?;
    Ok(prepared)
}
