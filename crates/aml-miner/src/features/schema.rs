//! The ordered list of features that a model was trained on: its contract with the builder.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What one row of the matrix stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// One row an alert.
    Alert,
    /// One row a cluster.
    Cluster,
}

/// The ordered features of a model. Two schemas with the same hash mean the same matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Version of the builder's definitions: raised when the meaning of a name changes.
    pub version: u32,
    /// What a row is.
    pub rows: RowKind,
    /// Names in the order of the matrix's columns.
    pub features: Vec<String>,
}

impl Schema {
    /// SHA-256 over version, kind of row and names, one a line.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let rows = match self.rows {
            RowKind::Alert => "alert",
            RowKind::Cluster => "cluster",
        };
        let mut text = format!("aml-schema/1\n{}\n{rows}\n", self.version);
        for name in &self.features {
            text.push_str(name);
            text.push('\n');
        }
        Digest::of(text.as_bytes())
    }
}
