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

/// Where the key is unless somebody says otherwise: one for all that a user of the machine starts, from whatever folder.
pub const KEY_FILE: &str = "~/.aml/receipt_signing.key";
/// Where it was before, below the working folder.
const KEY_FILE_BEFORE: &str = "keys/receipt_signing.key";

/// Signs receipts.
pub struct ReceiptKey {
    key: SigningKey,
    public: Digest,
    is_new: bool,
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
    /// `~` stands for nothing.
    #[error("there is no place for the receipts' key: HOME is not set; name a file (MINER_SIGNING_KEY_FILE)")]
    NoHome,
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
        Self { key, public, is_new: false }
    }

    /// The key itself, for what else its owner signs: manifests and outcomes.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Whether it was made just now: nobody knows it yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The key in the file at `path`; a new one is made there (mode 0600) when there is no file. At the usual [place](KEY_FILE)
    /// a key is taken over that lies where it was before, below the working folder.
    ///
    /// # Errors
    /// When the file cannot be used, is open to others, or holds no key.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        match File::open(path) {
            Ok(file) => Self::read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.starts_with("~") => Err(KeyFileError::NoHome),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::take_over_or_create(path),
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

    fn take_over_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let before = Path::new(KEY_FILE_BEFORE);
        if !path.ends_with(KEY_FILE.trim_start_matches("~/")) || !before.is_file() {
            let mut secret = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *secret).map_err(|_| KeyFileError::NoRandomness)?;
            return Self::keep(path, &secret).map(|key| Self { is_new: true, ..key });
        }
        let old =
            Self::read(before, File::open(before).map_err(|source| KeyFileError::Io { path: before.into(), source })?)?;
        Self::keep(path, &Zeroizing::new(old.key.to_bytes()))
    }

    /// Writes a key, unless there is one by now.
    fn keep(path: &Path, secret: &[u8; 32]) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let text = Zeroizing::new(format!("{}\n", &*Zeroizing::new(hex::encode(secret))));
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io)?;
        // Made beside it with mode 0600, and removed again when anything fails.
        let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(parent).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(io)?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                File::open(parent).and_then(|parent| parent.sync_all()).map_err(io)?;
                Ok(Self::from_secret(secret))
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
        let Statement { input, form, output, model_version, model, schema, state, timestamp } = statement.clone();
        let mut receipt = Receipt {
            v: VERSION,
            input_sha256: input,
            input_form: Some(form),
            output_sha256: output,
            model_version,
            model_sha256: model,
            schema_sha256: schema,
            state_sha256: state,
            timestamp,
            public_key: self.public,
            signature: String::new(),
        };
        receipt.signature = hex::encode(self.key.sign(&receipt.signed_bytes()).to_bytes());
        receipt
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
