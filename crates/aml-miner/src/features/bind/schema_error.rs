//! Why the computations of a schema are not known.

use crate::features::vocabulary::{RowKind, SCHEMA_VERSION};

/// Most features that a schema may have: bounds the matrix of a model file from elsewhere.
pub(crate) const MAX_FEATURES: usize = 4096;

/// A schema that this builder cannot compute.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SchemaError {
    /// No feature at all.
    #[error("the schema has no features")]
    Empty,
    /// More features than a model can have.
    #[error("the schema has {found} features; at most {MAX_FEATURES} are allowed")]
    TooMany {
        /// Number of features.
        found: usize,
    },
    /// Made for other definitions.
    #[error("the schema has version {found}, this build computes version {SCHEMA_VERSION}; train the model again")]
    Version {
        /// The schema's version.
        found: u32,
    },
    /// A name twice.
    #[error("feature `{name}` is listed twice, as columns {first} and {second}")]
    Duplicate {
        /// The name.
        name: String,
        /// Its first column.
        first: usize,
        /// Its second column.
        second: usize,
    },
    /// A name that means nothing.
    #[error("column {column}: `{name}` is not a feature of {rows} rows{hint}", rows = rows.name(), hint = hint(closest))]
    Unknown {
        /// Its column.
        column: usize,
        /// The name, cut to a printable length.
        name: String,
        /// What the rows are.
        rows: RowKind,
        /// Known names that look like it, best first.
        closest: Vec<String>,
    },
    /// A custom feature with a name that is taken.
    #[error("custom feature `{name}` has the name of another feature; give it one of its own")]
    Taken {
        /// The name.
        name: String,
    },
    /// A custom feature that reads a column which the format does not have.
    #[error("custom feature `{name}` needs column `{column}` of {table}, which the format does not have")]
    NoSuchColumn {
        /// The feature.
        name: String,
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

fn hint(closest: &[String]) -> String {
    if closest.is_empty() { String::new() } else { format!("; did you mean `{}`?", closest.join("`, `")) }
}
