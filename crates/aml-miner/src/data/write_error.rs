//! Why a batch was not written.

use std::io;
use std::path::PathBuf;

use polars_error::PolarsError;

use crate::data::parts::PartsError;
use crate::data::table_error::TableError;

/// A batch that was not written; the target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteBatchError {
    /// A table breaks a rule of the format.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Parts that cannot be meant.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A table has no Parquet form.
    #[error("cannot encode {file}: {source}")]
    Encode {
        /// Name of the file.
        file: String,
        /// Why not.
        source: PolarsError,
    },
    /// The time does not read as RFC 3339.
    #[error("created_at `{0}` is not an RFC 3339 time")]
    CreatedAt(String),
    /// Something is there already.
    #[error("{path} exists already; remove it, or ask for it to be replaced", path = .0.display())]
    Exists(PathBuf),
    /// The file system refuses.
    #[error("cannot write {path}: {source}", path = path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}
