//! The ordered list of features that a model was trained on: its contract with the builder.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Version of the builder's definitions: raised when the meaning of a name changes.
pub const SCHEMA_VERSION: u32 = 1;

/// What one row of the matrix stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// One row per alert.
    Alert,
    /// One row per cluster.
    Cluster,
}

impl RowKind {
    /// The name as it stands in a bundle.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Cluster => "cluster",
        }
    }
}

/// The ordered features of a model. Two schemas with the same hash mean the same matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Version of the builder's definitions: [`SCHEMA_VERSION`] when the model was trained.
    pub version: u32,
    /// What a row is.
    pub rows: RowKind,
    /// Names in the order of the matrix's columns.
    pub features: Vec<String>,
}

impl Schema {
    /// A schema of today's definitions.
    #[must_use]
    pub fn new(rows: RowKind, features: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { version: SCHEMA_VERSION, rows, features: features.into_iter().map(Into::into).collect() }
    }

    /// SHA-256 over version, kind of row and names, one per line.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut text = format!("aml-schema/1\n{}\n{}\n", self.version, self.rows.name());
        for name in &self.features {
            text.push_str(name);
            text.push('\n');
        }
        Digest::of(text.as_bytes())
    }

    /// Whether its rows are clusters with features made of the alert scorer's scores.
    #[must_use]
    pub fn takes_alert_scores(&self) -> bool {
        self.rows == RowKind::Cluster && self.features.iter().any(|name| name.starts_with("score_"))
    }
}
