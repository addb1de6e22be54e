//! The key that signs receipts, and its file: 64 hex digits, readable by its owner alone.
//!
//! A new file appears whole or not at all: programs that start at once agree on one key, and a full disk leaves nothing.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::{Receipt, Statement, VERSION};
use crate::digest::Digest;

/// Signs receipts.
pub struct ReceiptKey {
    key: SigningKey,
    public: Digest,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("cannot use the signing key file {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a key.
    #[error("the signing key file {path} does not hold 64 hex digits", path = path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("the signing key file {path} may be read by others (mode {mode:o}): run `chmod 600` on it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers for a new key")]
    NoRandomness,
}

impl ReceiptKey {
    /// A key from its 32 secret bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let public = Digest::from_bytes(key.verifying_key().to_bytes());
        Self { key, public }
    }

    /// The key itself, for what else its owner signs: manifests and outcomes.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The key in the file at `path`; a new one is made there (mode 0600) when there is no file.
    ///
    /// # Errors
    /// When the file cannot be used, is open to others, or holds no key.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        match File::open(path) {
            Ok(file) => Self::read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(io(error)),
        }
    }

    fn read(path: &Path, file: File) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        check_mode(path, &file.metadata().map_err(io)?)?;
        let mut text = Zeroizing::new(String::new());
        file.take(1024).read_to_string(&mut text).map_err(io)?;
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *secret).map_err(|_| KeyFileError::NotAKey { path: path.to_owned() })?;
        Ok(Self::from_secret(&secret))
    }

    fn create(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|_| KeyFileError::NoRandomness)?;
        let text = Zeroizing::new(format!("{}\n", &*Zeroizing::new(hex::encode(*secret))));
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io)?;
        // Made beside it with mode 0600, and removed again when anything fails.
        let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(parent).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(io)?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                File::open(parent).and_then(|parent| parent.sync_all()).map_err(io)?;
                Ok(Self::from_secret(&secret))
            }
            // Another program was first: its key counts.
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                Self::read(path, File::open(path).map_err(io)?)
            }
            Err(failed) => Err(io(failed.error)),
        }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> Digest {
        self.public
    }

    /// Signs what `statement` says.
    #[must_use]
    pub fn sign(&self, statement: &Statement) -> Receipt {
        let signature = self.key.sign(&Receipt::signed_bytes(statement, &self.public));
        let Statement { input, output, model_version, model, schema, timestamp } = statement.clone();
        Receipt {
            v: VERSION,
            input_sha256: input,
            output_sha256: output,
            model_version,
            model_sha256: model,
            schema_sha256: schema,
            timestamp,
            public_key: self.public,
            signature: hex::encode(signature.to_bytes()),
        }
    }
}

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptKey({})", self.public)
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, about: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _about: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}
