//! What the salts of rounds, and the keys of objects that tasks are fetched as, are derived from: thirty-two random bytes, made once, in a file of the data folder.
//!
//! A round that is begun twice, because the process was killed in between, has the same salt; a salt that is revealed
//! says nothing of another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
use aml_miner::whole_file::{self, Readers};
use sha2::{Digest as _, Sha256};

use crate::protocol::reference::ObjectKey;
use crate::store::records::RoundId;
use crate::validator::world::Entropy;

/// Domain of the keys of objects.
const OBJECTS: &[u8] = b"aml-object-key/1\n";
/// Domain of the salts.
const DOMAIN: &[u8] = b"aml-round-salt/1\n";

/// The secret. Never printed.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// A secret that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else lies there.
    #[error("{} has {bytes} bytes, not 32: move it away, and a new one is made", path.display())]
    Length {
        /// Which.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
}

impl Secret {
    /// The file's name in its folder.
    pub const FILE: &str = "salts.secret";

    /// A given secret.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret of a data folder, made where there is none, readable by its owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is something else.
    pub fn load_or_create(data_dir: &Path, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let path = data_dir.join(Self::FILE);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(SecretError::File { path, source }),
            Ok(bytes) => {
                let wrong = SecretError::Length { path, bytes: bytes.len() };
                return <[u8; 32]>::try_from(bytes).map(Self).map_err(|_| wrong);
            }
        }
        let made = Self::make(&path, entropy);
        made.map_err(|source| SecretError::File { path, source })
    }

    /// The salt of a round.
    #[must_use]
    pub fn salt(&self, round: RoundId) -> [u8; 32] {
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(self.0).chain_update(round.to_string());
        hash.finalize().into()
    }

    /// The key of the object in which a round's task is fetched whose Arrow form has this digest: another task has another one.
    #[must_use]
    pub fn object_key(&self, round: RoundId, sent: &Digest) -> ObjectKey {
        let hash = Sha256::new().chain_update(OBJECTS).chain_update(self.0).chain_update(format!("{round}\n{sent}"));
        ObjectKey::new(hash.finalize().into())
    }

    /// Whole or not at all.
    fn make(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes).map_err(io::Error::other)?;
        whole_file::write(path, &bytes, Readers::Owner)?;
        Ok(Self(bytes))
    }
}
