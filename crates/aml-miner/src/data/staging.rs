//! Puts a directory in place whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::data::write_error::WriteBatchError;

/// How the names of directories begin that are being written.
const WRITING: &str = ".batch-";
/// And of those that are being replaced.
const REPLACING: &str = ".replaced-";

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
        builder.prefix(WRITING);
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

    /// A new file of it, to be written and flushed by the caller.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(&self, name: &str) -> Result<File, WriteBatchError> {
        let path = self.directory.path().join(name);
        File::create_new(&path).map_err(io_error(&path))
    }

    /// Where it is while it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
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
    let aside = tempfile::Builder::new().prefix(REPLACING).tempdir_in(&parent).map_err(io_error(&parent))?;
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

/// Removes what was being written or replaced in `parent` when its process was killed: hidden directories of this room to
/// which nothing was added since `before`.
///
/// # Errors
/// The file system's; what is left is left for the next time.
pub fn remove_abandoned(parent: &Path, before: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = [WRITING, REPLACING].iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
        let kind = entry.metadata()?;
        if is_ours && kind.is_dir() && kind.modified()? < before {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
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
