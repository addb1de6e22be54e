//! Which models a command uses.

use std::path::PathBuf;

use crate::models::bundle::METADATA_FILE;
use crate::models::{FindModelsError, ModelFiles};

/// Where the models are.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// Directory with model files and their `model_metadata.json`
    #[arg(long, default_value = "trained_models", value_name = "DIR")]
    models: PathBuf,
    /// The alert scorer, instead of the directory's
    #[arg(long, env = "ALERT_SCORER_PATH", value_name = "FILE")]
    alert_scorer: Option<PathBuf>,
    /// The alert ranker, instead of the directory's
    #[arg(long, env = "ALERT_RANKER_PATH", value_name = "FILE")]
    alert_ranker: Option<PathBuf>,
    /// The cluster scorer, instead of the directory's
    #[arg(long, env = "CLUSTER_SCORER_PATH", value_name = "FILE")]
    cluster_scorer: Option<PathBuf>,
    /// The state of addresses that models with features of earlier days take, as `history` makes it
    #[arg(long, env = "HISTORY_STATE_PATH", value_name = "FILE")]
    history: Option<PathBuf>,
}

impl ModelArgs {
    /// The files that are named, and the directory's for the others.
    pub(super) fn files(&self) -> Result<ModelFiles, FindModelsError> {
        let named = ModelFiles {
            alert_scorer: self.alert_scorer.clone(),
            alert_ranker: self.alert_ranker.clone(),
            cluster_scorer: self.cluster_scorer.clone(),
            history: None,
        };
        let history = self.history.clone();
        // Named files need no directory.
        if named != ModelFiles::default() && !self.models.join(METADATA_FILE).exists() {
            return Ok(ModelFiles { history, ..named });
        }
        Ok(ModelFiles { history, ..named.or(ModelFiles::in_directory(&self.models)?) })
    }
}
