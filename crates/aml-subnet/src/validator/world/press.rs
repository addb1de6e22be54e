//! Where canonical scores and evidence packs are published.

use std::io;
use std::path::PathBuf;

use aml_miner::whole_file::{self, Readers};

use crate::outputs::{self, Edition, PublishError, pack_path};
use crate::store::records::RoundId;

/// Publishes. May take its time: it is called on a thread that may.
pub trait Press: Send + Sync {
    /// Publishes whole or not at all; again, nothing changes.
    ///
    /// # Errors
    /// What was published before stays as it was.
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError>;

    /// Whether the evidence pack of a round is kept already.
    fn has_pack(&self, round: RoundId) -> bool;

    /// Keeps the evidence pack of a round, whole or not at all.
    ///
    /// # Errors
    /// The file system's.
    fn keep_pack(&self, round: RoundId, bytes: &[u8]) -> io::Result<()>;
}

/// Signed files in a folder, and packs in one beside it.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The folder.
    pub root: PathBuf,
}

impl Press for Shelf {
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError> {
        outputs::publish(&self.root, edition).map(drop)
    }

    fn has_pack(&self, round: RoundId) -> bool {
        pack_path(&self.root, &round).is_file()
    }

    fn keep_pack(&self, round: RoundId, bytes: &[u8]) -> io::Result<()> {
        whole_file::write(&pack_path(&self.root, &round), bytes, Readers::Everyone)
    }
}
