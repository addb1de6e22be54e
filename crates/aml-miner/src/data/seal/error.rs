//! Why tables were not sealed.

use std::io;
use std::path::PathBuf;

use crate::data::batch_dir::ReadBatchError;
use crate::data::encode::EncodeError;
use crate::data::table_error::TableError;
use crate::data::write_error::WriteBatchError;

/// Tables that were not sealed; the directory is as it was, but for tables that were written anew.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two files for one table.
    #[error("{0} and {1} are both there: which of them is the table?")]
    Both(String, String),
    /// No alerts.
    #[error("{} holds no alerts.parquet, alerts.csv or alerts.csv.gz", path.display())]
    NoAlerts {
        /// The directory.
        path: PathBuf,
    },
    /// A column of the mapping is not in its file.
    #[error("{file} has no column `{column}`, which the mapping renames")]
    NotThere {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A file would have to be changed in place.
    #[error("columns of {0} are renamed, which would change your file: say where the batch goes (--out DIR)")]
    WouldChange(String),
    /// A table in parts that cannot be sealed where it lies.
    #[error("{table} is there in parts ({part} and others): {why}")]
    Parts {
        /// The table.
        table: &'static str,
        /// The first part.
        part: String,
        /// What stands against it.
        why: &'static str,
    },
    /// The tables break rules.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Tables(Vec<TableError>),
    /// A table has no Parquet form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The file system refuses.
    #[error(transparent)]
    Write(#[from] WriteBatchError),
    /// What was written cannot be read again.
    #[error("what was sealed is no batch: {0}")]
    NotABatch(#[from] ReadBatchError),
}

impl SealError {
    /// Whether the tables were read and are wrong.
    #[must_use]
    pub fn is_of_the_tables(&self) -> bool {
        matches!(
            self,
            Self::Tables(_) | Self::NotThere { .. } | Self::Both(..) | Self::Parts { .. } | Self::NoAlerts { .. }
        )
    }
}
