//! The kinds of models.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::features::RowKind;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// The probability that an alert is confirmed illicit.
    AlertScorer,
    /// The order in which alerts should be looked at.
    AlertRanker,
    /// The probability that a cluster has a confirmed illicit member.
    ClusterScorer,
}

impl ModelKind {
    /// Its name, as in file names and metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlertScorer => "alert_scorer",
            Self::AlertRanker => "alert_ranker",
            Self::ClusterScorer => "cluster_scorer",
        }
    }

    /// What a row of its matrix is.
    #[must_use]
    pub const fn rows(self) -> RowKind {
        match self {
            Self::AlertScorer | Self::AlertRanker => RowKind::Alert,
            Self::ClusterScorer => RowKind::Cluster,
        }
    }

    /// Whether its scores are probabilities.
    #[must_use]
    pub const fn is_probability(self) -> bool {
        !matches!(self, Self::AlertRanker)
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
