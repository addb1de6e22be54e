//! Which model files to use: named ones, or those of a directory.

use std::path::{Path, PathBuf};

use crate::models::bundle::{METADATA_FILE, Metadata, MetadataError, ModelKind};

/// The model files; `None` is a model that is not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFiles {
    /// Scores alerts.
    pub alert_scorer: Option<PathBuf>,
    /// Ranks alerts.
    pub alert_ranker: Option<PathBuf>,
    /// Scores clusters.
    pub cluster_scorer: Option<PathBuf>,
    /// What earlier days say of addresses, for models that need it.
    pub history: Option<PathBuf>,
}

/// Why a directory's models cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FindModelsError {
    /// The metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// More than one model of a kind.
    #[error("{path} has more than one {kind} ({first}, {second}): name the file", path = path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The kind.
        kind: ModelKind,
        /// One of them.
        first: String,
        /// Another.
        second: String,
    },
}

impl ModelFiles {
    /// The models that the metadata in `directory` names, one of a kind.
    ///
    /// # Errors
    /// When the metadata cannot be read or names two of a kind.
    pub fn in_directory(directory: &Path) -> Result<Self, FindModelsError> {
        let path = directory.join(METADATA_FILE);
        let metadata = Metadata::load(directory)?;
        let one = |kind: ModelKind| {
            let mut names = metadata.models.iter().filter(|(_, entry)| entry.model == kind).map(|(name, _)| name);
            match (names.next(), names.next()) {
                (Some(first), Some(second)) => {
                    let (path, first, second) = (path.clone(), first.clone(), second.clone());
                    Err(FindModelsError::Ambiguous { path, kind, first, second })
                }
                (first, _) => Ok(first.map(|name| directory.join(name))),
            }
        };
        Ok(Self {
            alert_scorer: one(ModelKind::AlertScorer)?,
            alert_ranker: one(ModelKind::AlertRanker)?,
            cluster_scorer: one(ModelKind::ClusterScorer)?,
            history: None,
        })
    }

    /// These files where they are named, those of `others` elsewhere.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            alert_scorer: self.alert_scorer.or(others.alert_scorer),
            alert_ranker: self.alert_ranker.or(others.alert_ranker),
            cluster_scorer: self.cluster_scorer.or(others.cluster_scorer),
            history: self.history.or(others.history),
        }
    }
}
