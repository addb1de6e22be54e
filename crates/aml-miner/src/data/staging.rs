//! Puts a directory in place whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::data::write::WriteBatchError;

/// A hidden directory that becomes `target` or disappears.
pub struct Staging {
    directory: tempfile::TempDir,
    target: PathBuf,
    replace: bool,
}

impl Staging {
    /// A new directory beside `target`, on the same file system.
    ///
    /// # Errors
    /// When something is there that is not to be replaced, or the file system refuses.
    pub fn beside(target: &Path, replace: bool) -> Result<Self, WriteBatchError> {
        if !replace && fs::symlink_metadata(target).is_ok() {
            return Err(WriteBatchError::Exists(target.to_path_buf()));
        }
        let parent = parent_of(target);
        fs::create_dir_all(&parent).map_err(io_error(&parent))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".batch-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let directory = builder.tempdir_in(&parent).map_err(io_error(&parent))?;
        Ok(Self { directory, target: target.to_path_buf(), replace })
    }

    /// Adds a file and flushes it to disk.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), WriteBatchError> {
        let path = self.directory.path().join(name);
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(io_error(&path))
    }

    /// Renames the directory into place.
    ///
    /// # Errors
    /// When the file system refuses; the target is then as it was.
    pub fn publish(self) -> Result<(), WriteBatchError> {
        let path = self.directory.keep();
        let published = publish_directory(&path, &self.target, self.replace);
        if published.is_err() {
            let _ = fs::remove_dir_all(&path);
        }
        published
    }
}

/// Renames `directory` to `target` beside it. A replaced target is moved aside first and removed last, so that a crash
/// leaves the old directory, the new one, or none under this name, never a mixture.
pub(crate) fn publish_directory(directory: &Path, target: &Path, replace: bool) -> Result<(), WriteBatchError> {
    let parent = parent_of(target);
    sync_directory(directory)?;
    let aside = tempfile::Builder::new().prefix(".replaced-").tempdir_in(&parent).map_err(io_error(&parent))?;
    let old = aside.path().join("batch");
    if fs::symlink_metadata(target).is_ok() {
        if !replace {
            return Err(WriteBatchError::Exists(target.to_path_buf()));
        }
        fs::rename(target, &old).map_err(io_error(target))?;
    }
    if let Err(source) = fs::rename(directory, target) {
        let _ = fs::rename(&old, target);
        return Err(WriteBatchError::Io { path: target.to_path_buf(), source });
    }
    sync_directory(&parent)
}

fn parent_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn sync_directory(path: &Path) -> Result<(), WriteBatchError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(io_error(path))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> WriteBatchError {
    let path = path.to_path_buf();
    move |source| WriteBatchError::Io { path, source }
}
