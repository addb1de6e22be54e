//! Opens a batch directory and verifies it; `examine` beside this file reads its tables.
//!
//! A file is read once, hashed, and parsed from the same bytes; a file that the manifest does not name is not read.
//! Links are refused, so that a directory from elsewhere cannot point at other files of this machine.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::data::limits::FileLimits;
use crate::data::manifest::{FileEntry, MANIFEST_FILE, Manifest, ManifestError};
use crate::data::table_error::TableError;
use crate::digest::Digest;
use crate::table::Batch;
use crate::table::Table;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, TableSpec};

/// A batch directory whose manifest has been read and found good.
#[derive(Clone, Debug)]
pub struct BatchDir {
    path: PathBuf,
    manifest: Manifest,
    manifest_sha256: Digest,
    pub(super) limits: FileLimits,
}

/// A batch of which every byte was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedBatch {
    /// What the directory says of itself.
    pub meta: Manifest,
    /// Alerts, features, clusters and money flows.
    pub batch: Batch,
    /// Outcomes, where they are known.
    pub labels: Option<Table>,
}

/// A batch directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadBatchError {
    /// A file or the directory cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A link, directory or device where a file should be.
    #[error("{path} is not a regular file (links are not followed inside a batch)", path = .0.display())]
    NotAFile(PathBuf),
    /// More bytes than a file may have.
    #[error("{file} has {found} bytes, at most {limit} are accepted")]
    TooLarge {
        /// Name of the file.
        file: String,
        /// Its length.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// The manifest is not good.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest lacks a file that a batch must have.
    #[error("META.json does not name {0}, which every batch has")]
    NotNamed(String),
    /// Another length than the manifest says.
    #[error("{file} has {actual} bytes, META.json says {expected}: cut or replaced, fetch it again")]
    Length {
        /// Name of the file.
        file: String,
        /// Bytes found.
        actual: u64,
        /// Bytes stated.
        expected: u64,
    },
    /// Other bytes than the manifest says.
    #[error("{file} has SHA-256 {actual}, META.json says {expected}: changed or swapped, fetch it again")]
    Hash {
        /// Name of the file.
        file: String,
        /// Digest found.
        actual: Digest,
        /// Digest stated.
        expected: Digest,
    },
    /// Another number of rows than the manifest says.
    #[error("{file} has {actual} rows, META.json says {expected}")]
    Rows {
        /// Name of the file.
        file: String,
        /// Rows found.
        actual: u64,
        /// Rows stated.
        expected: u64,
    },
    /// Other values than the manifest says.
    #[error("the values of {table} have SHA-256 {actual}, META.json says {expected}")]
    Content {
        /// Name of the table.
        table: &'static str,
        /// Digest found.
        actual: Digest,
        /// Digest stated.
        expected: Digest,
    },
    /// A table breaks a rule of the format.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl ReadBatchError {
    /// Whether the directory was read and is wrong, as opposed to could not be read.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }
}

/// Name of the file that holds a table.
#[must_use]
pub fn file_name(spec: &TableSpec) -> String {
    format!("{}.parquet", spec.name)
}

impl BatchDir {
    /// Reads the manifest of the batch in `path`.
    ///
    /// # Errors
    /// When it cannot be read, breaks a rule, or lacks a file that every batch has.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadBatchError> {
        Self::open_within(path, FileLimits::default())
    }

    /// Like [`BatchDir::open`], with bounds of one's own.
    ///
    /// # Errors
    /// As [`BatchDir::open`].
    pub fn open_within(path: impl AsRef<Path>, limits: FileLimits) -> Result<Self, ReadBatchError> {
        let path = path.as_ref().to_path_buf();
        let bytes = read_bounded(&path, MANIFEST_FILE, limits.manifest_bytes)?;
        let manifest = Manifest::parse(&bytes, limits.files)?;
        for spec in [&ALERTS, &FEATURES, &CLUSTERS] {
            if manifest.files_of(spec.name).is_none() {
                return Err(ReadBatchError::NotNamed(file_name(spec)));
            }
        }
        let manifest_sha256 = manifest.name_of(&bytes);
        Ok(Self { path, manifest, manifest_sha256, limits })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of `META.json` as it stands on disk; of a batch with tables in parts its digest, which does not depend on the
    /// split ([`Manifest::name_of`]).
    #[must_use]
    pub fn manifest_sha256(&self) -> Digest {
        self.manifest_sha256
    }

    /// Hashes every file that the manifest names.
    ///
    /// # Errors
    /// The first file that is missing, or has another length or digest.
    pub fn verify_files(&self) -> Result<(), ReadBatchError> {
        self.manifest.files.iter().try_for_each(|(name, entry)| self.read(name, entry).map(drop))
    }

    /// Names in the directory that the manifest does not have, at most `limits.files` of them: they are never read.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn unlisted(&self) -> Result<BTreeSet<String>, ReadBatchError> {
        let failed = |source| ReadBatchError::Read { path: self.path.clone(), source };
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.path).map_err(failed)?.take(self.limits.files * 2 + self.manifest.files.len()) {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name != MANIFEST_FILE && !self.manifest.files.contains_key(&name) {
                names.insert(name);
            }
        }
        Ok(names)
    }

    pub(super) fn read(&self, name: &str, entry: &FileEntry) -> Result<Vec<u8>, ReadBatchError> {
        let bytes = read_bounded(&self.path, name, self.limits.file_bytes)?;
        if bytes.len() as u64 != entry.bytes {
            let (actual, expected) = (bytes.len() as u64, entry.bytes);
            return Err(ReadBatchError::Length { file: name.to_owned(), actual, expected });
        }
        let actual = Digest::of(&bytes);
        if actual != entry.sha256 {
            return Err(ReadBatchError::Hash { file: name.to_owned(), actual, expected: entry.sha256 });
        }
        Ok(bytes)
    }
}

fn read_bounded(directory: &Path, name: &str, limit: u64) -> Result<Vec<u8>, ReadBatchError> {
    let path = directory.join(name);
    let failed = |source| ReadBatchError::Read { path: path.clone(), source };
    // Asked before opening, because opening a pipe would wait for its writer.
    if !fs::symlink_metadata(&path).map_err(failed)?.is_file() {
        return Err(ReadBatchError::NotAFile(path));
    }
    let file = File::open(&path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    if found > limit {
        return Err(ReadBatchError::TooLarge { file: name.to_owned(), found, limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
