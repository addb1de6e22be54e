//! Whether a cluster scorer and an alert scorer belong together: it learnt from the scores of one, and those of another mean
//! something else.

use std::path::Path;

use super::bundle::{Entry, Metadata};
use super::{BaseModel, ModelFiles};
use crate::digest::Digest;

/// A cluster scorer beside an alert scorer that it was not trained on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cluster scorer {clusters} was trained on the scores of the alert scorer with SHA-256 {trained_on}, not of {scorer}: \
     serve that one, or train it again (aml-miner-train clusters)"
)]
pub struct OtherScorer {
    /// The cluster scorer's version.
    pub clusters: String,
    /// The digest of the alert scorer that it was trained on.
    pub trained_on: Digest,
    /// The version of the alert scorer beside it.
    pub scorer: String,
}

/// Whether `clusters` was trained on the scores of `scorer`. One that does not say, or takes no scores, goes with all.
///
/// # Errors
/// When it was trained on another.
pub fn check_pair(clusters: &Entry, scorer: &Entry) -> Result<(), OtherScorer> {
    match clusters.alert_scorer {
        Some(trained_on) if trained_on != scorer.sha256 && clusters.schema.takes_alert_scores() => {
            let (clusters, scorer) = (clusters.model_version.clone(), scorer.model_version.clone());
            Err(OtherScorer { clusters, trained_on, scorer })
        }
        _ => Ok(()),
    }
}

impl ModelFiles {
    /// Whether the cluster scorer was trained on the alert scorer's scores. Files that cannot be read are told when they are
    /// loaded.
    ///
    /// # Errors
    /// When it was trained on another.
    pub fn check_pair(&self) -> Result<(), OtherScorer> {
        let entry = |path: &Option<std::path::PathBuf>| path.as_deref().and_then(entry_of);
        match (entry(&self.cluster_scorer), entry(&self.alert_scorer)) {
            (Some(clusters), Some(scorer)) => check_pair(&clusters, &scorer),
            _ => Ok(()),
        }
    }
}

impl ModelFiles {
    /// Whether the cluster scorer was trained on the scores of `scorer`, a model that comes from no file.
    ///
    /// # Errors
    /// When it was trained on another.
    pub fn check_pair_with(&self, scorer: &dyn BaseModel) -> Result<(), OtherScorer> {
        let Some(clusters) = self.cluster_scorer.as_deref().and_then(entry_of) else { return Ok(()) };
        match clusters.alert_scorer {
            Some(trained_on) if trained_on != scorer.digest() && clusters.schema.takes_alert_scores() => {
                let (clusters, scorer) = (clusters.model_version, scorer.version().to_owned());
                Err(OtherScorer { clusters, trained_on, scorer })
            }
            _ => Ok(()),
        }
    }
}

fn entry_of(path: &Path) -> Option<Entry> {
    let file = path.file_name()?.to_str()?;
    Metadata::load(path.parent().unwrap_or(Path::new(""))).ok()?.models.remove(file)
}
