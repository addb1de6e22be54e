//! Why a download, or one file of it, came to nothing.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::source::Said;
use crate::data::batch_dir::ReadBatchError;
use crate::data::manifest::ManifestError;
use crate::data::write_error::WriteBatchError;
use crate::digest::Digest;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source does not have it.
    #[error("the source has no such file")]
    Absent,
    /// The source refuses.
    #[error("the source refuses: {0}")]
    Refused(Said),
    /// The connection failed.
    #[error("{0}")]
    Transfer(Said),
    /// Nothing arrived for too long.
    #[error("nothing arrived for {0:?}")]
    Stalled(Duration),
    /// The file took too long as a whole.
    #[error("not complete after {0:?}")]
    Deadline(Duration),
    /// Fewer bytes than the manifest says.
    #[error("ended after {found} of {expected} bytes")]
    Short {
        /// Bytes that arrived.
        found: u64,
        /// Bytes that the manifest says.
        expected: u64,
    },
    /// More bytes than the manifest says, or than a manifest may have.
    #[error("more than {0} bytes arrive")]
    Long(u64),
    /// More bytes than the bounds allow.
    #[error("the manifest says {found} bytes, at most {limit} are accepted")]
    TooLarge {
        /// Bytes that the manifest says.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// Other bytes than the manifest says.
    #[error("the bytes have SHA-256 {actual}, META.json says {expected}")]
    Hash {
        /// Digest found.
        actual: Digest,
        /// Digest stated.
        expected: Digest,
    },
    /// The local file cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl FetchError {
    /// Whether another try may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Transfer(_) | Self::Stalled(_) | Self::Short { .. } | Self::Long(_) | Self::Hash { .. })
    }
}

impl From<object_store::Error> for FetchError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        match error {
            E::NotFound { .. } => Self::Absent,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } | E::InvalidPath { .. } => {
                Self::Refused(Said::of(&error))
            }
            _ => Self::Transfer(Said::of(&error)),
        }
    }
}

/// A download that ended without a batch; nothing half-written has the batch's name.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// A file could not be fetched.
    #[error("cannot fetch {name}: {source}")]
    Fetch {
        /// Its name.
        name: String,
        /// Why not, at the last try.
        source: FetchError,
    },
    /// The manifest is not good.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is of something else.
    #[error("META.json says {what} {found}, wanted is {wanted}")]
    Other {
        /// Which entry.
        what: &'static str,
        /// What it says.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The batch that arrived breaks a rule.
    #[error("the batch that arrived is not good: {0}")]
    Batch(#[from] ReadBatchError),
    /// Another batch has this name.
    #[error("{path} exists with other content; ask for it to be replaced", path = .0.display())]
    Exists(PathBuf),
    /// Another process downloads the same batch.
    #[error("another download of this batch is running ({path})", path = .0.display())]
    Busy(PathBuf),
    /// The batch cannot be put in place.
    #[error(transparent)]
    Publish(#[from] WriteBatchError),
    /// The file system refuses.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}
