//! Where canonical scores are published.

use std::path::PathBuf;

use crate::outputs::{self, Edition, PublishError};

/// Publishes. May take its time: it is called on a thread that may.
pub trait Press: Send + Sync {
    /// Publishes whole or not at all; again, nothing changes.
    ///
    /// # Errors
    /// What was published before stays as it was.
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError>;
}

/// Signed files in a folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The folder.
    pub root: PathBuf,
}

impl Press for Shelf {
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError> {
        outputs::publish(&self.root, edition).map(drop)
    }
}
