//! The three models being served.

use std::path::Path;
use std::sync::Arc;

use crate::error_chain::with_causes;
use crate::features::RowKind;
use crate::history::History;
use crate::models::{BaseModel, ModelFiles, ModelKind, NeedsState, TreeModel};
use crate::scoring::Prepared;

/// Names of the three models, in the order of [`Models::each`].
pub const NAMES: [&str; 3] =
    [ModelKind::AlertScorer.name(), ModelKind::AlertRanker.name(), ModelKind::ClusterScorer.name()];

/// Name of the state of addresses among failures. A server that lacks it does not start.
pub const STATE: &str = "state";

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

/// A model that comes from no file, in the place of one.
#[derive(Clone)]
pub struct OwnModel {
    /// Which place.
    pub kind: ModelKind,
    /// The model.
    pub model: Arc<dyn BaseModel>,
}

impl Loaded {
    /// Loads and probes the models at `paths`.
    #[must_use]
    pub fn from_paths(paths: &ModelFiles) -> Self {
        Self::with_own(paths, &[])
    }

    /// Loads and probes the models at `paths`; `own` ones take the places of files, which are not read then.
    #[must_use]
    pub fn with_own(paths: &ModelFiles, own: &[OwnModel]) -> Self {
        let mut paths = paths.clone();
        for one in own {
            *place_of(&mut paths, one.kind) = None;
        }
        let mut loaded = Self::from_files(&paths);
        let state = paths.state().ok().flatten();
        for one in own {
            loaded.take(one, state.as_ref());
        }
        let scorer = own.iter().find(|one| one.kind == ModelKind::AlertScorer);
        if let Some(Err(other)) = scorer.map(|one| paths.check_pair_with(&*one.model))
            && loaded.models.cluster_scorer.take().is_some()
        {
            loaded.failures.push((ModelKind::ClusterScorer.name(), other.to_string()));
        }
        loaded
    }

    fn take(&mut self, own: &OwnModel, state: Option<&Arc<History>>) {
        let place = match own.kind {
            ModelKind::AlertScorer => &mut self.models.alert_scorer,
            ModelKind::AlertRanker => &mut self.models.alert_ranker,
            ModelKind::ClusterScorer => &mut self.models.cluster_scorer,
        };
        match prepared(own, state) {
            Ok(model) => *place = Some(Arc::new(model)),
            Err(why) => self.failures.push(why.of(own.kind)),
        }
    }

    fn from_files(paths: &ModelFiles) -> Self {
        let mut loaded = Self::default();
        let state = paths.state().unwrap_or_else(|error| {
            loaded.failures.push((STATE, with_causes(&error)));
            None
        });
        let state = state.as_ref();
        loaded.models.alert_scorer = loaded.load(paths.alert_scorer.as_deref(), ModelKind::AlertScorer, state);
        loaded.models.alert_ranker = loaded.load(paths.alert_ranker.as_deref(), ModelKind::AlertRanker, state);
        loaded.models.cluster_scorer = loaded.load(paths.cluster_scorer.as_deref(), ModelKind::ClusterScorer, state);
        if let Err(other) = paths.check_pair()
            && loaded.models.cluster_scorer.take().is_some()
        {
            loaded.failures.push((ModelKind::ClusterScorer.name(), other.to_string()));
        }
        loaded
    }

    fn load(&mut self, path: Option<&Path>, kind: ModelKind, state: Option<&Arc<History>>) -> Option<Arc<Prepared>> {
        match load(path?, kind, state) {
            Ok(model) => Some(Arc::new(model)),
            Err(why) => {
                self.failures.push(why.of(kind));
                None
            }
        }
    }
}

/// Why a model is not served.
enum NotLoaded {
    Because(String),
    State(NeedsState),
}

impl From<String> for NotLoaded {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

impl From<NeedsState> for NotLoaded {
    fn from(why: NeedsState) -> Self {
        Self::State(why)
    }
}

impl NotLoaded {
    /// The entry of a failure: a state that is not there is not the model's own fault.
    fn of(self, kind: ModelKind) -> (&'static str, String) {
        match self {
            Self::Because(why) => (kind.name(), why),
            Self::State(why) => (STATE, why.to_string()),
        }
    }
}

const fn place_of(paths: &mut ModelFiles, kind: ModelKind) -> &mut Option<std::path::PathBuf> {
    match kind {
        ModelKind::AlertScorer => &mut paths.alert_scorer,
        ModelKind::AlertRanker => &mut paths.alert_ranker,
        ModelKind::ClusterScorer => &mut paths.cluster_scorer,
    }
}

/// A model of the caller's own, held to what callers rely on.
fn prepared(own: &OwnModel, state: Option<&Arc<History>>) -> Result<Prepared, NotLoaded> {
    let rows = if own.kind == ModelKind::ClusterScorer { RowKind::Cluster } else { RowKind::Alert };
    let (name, takes) = (own.model.name(), own.model.schema().rows);
    if name != own.kind.name() {
        return Err(
            format!("the registered model is called {name}; in this place it has to be {}", own.kind.name()).into()
        );
    }
    if takes != rows {
        return Err(format!("the registered model takes {} rows, not {} rows", takes.name(), rows.name()).into());
    }
    let prepared = Prepared::new(Arc::clone(&own.model), None).map_err(|error| with_causes(&error))?;
    let prepared = prepared.knowing(state)?;
    super::probe::check(&prepared)?;
    Ok(prepared)
}

fn load(path: &Path, kind: ModelKind, state: Option<&Arc<History>>) -> Result<Prepared, NotLoaded> {
    let model = TreeModel::load(path, kind).map_err(|error| with_causes(&error))?;
    if let Some(steps) = model.explain_steps().filter(|steps| *steps > WARN_STEPS) {
        tracing::warn!(model = kind.name(), steps, "explanations of this model are slow: train with fewer leaves");
    }
    let version = model.entry().lightgbm_version();
    let prepared = Prepared::new(Arc::new(model), version).map_err(|error| with_causes(&error))?.knowing(state)?;
    super::probe::check(&prepared)?;
    Ok(prepared)
}
