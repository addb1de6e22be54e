//! A copy of the ledger beside a running validator: a file that opens as a ledger, or an export of a server's.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::AnyPool;

use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::export::ExportError;
use super::ledger::Ledger;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing is overwritten.
    #[error("{path} exists already: a backup overwrites nothing", path = .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The export of a server's ledger.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Ledger {
    /// Copies the ledger as it is at one instant; a validator may go on meanwhile. SQLite's becomes a file that is put
    /// in the ledger's place to restore it, PostgreSQL's a folder to import.
    ///
    /// # Errors
    /// When `path` exists, cannot be written, or the ledger cannot be read.
    pub async fn backup(&self, path: &Path) -> Result<(), BackupError> {
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(path.to_owned()));
        }
        if self.inner.dialect == Dialect::Postgres {
            self.export(path).await?;
            return Ok(());
        }
        copy_into(&self.inner.pool, path).await
    }
}

/// Copies a SQLite database to a file that is its owner's alone.
pub(super) async fn copy_into(pool: &AnyPool, path: &Path) -> Result<(), BackupError> {
    let writing = |source| BackupError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Private from the start: SQLite fills an empty file without changing its mode.
    let copy = tempfile::Builder::new().prefix(".backup-").tempfile_in(folder).map_err(writing)?.into_temp_path();
    let name = copy.to_str().ok_or_else(|| writing(io::Error::other("the path is not UTF-8")))?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(pool).await;
    copied.map_err(during("backup"))?;
    File::open(&copy).and_then(|file| file.sync_all()).map_err(writing)?;
    copy.persist_noclobber(path).map_err(|error| writing(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(writing)
}
