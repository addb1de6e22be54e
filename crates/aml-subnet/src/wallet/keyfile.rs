//! Key files as `btcli` and the SDKs 10 and 11 write them.
//!
//! A file names its secret up to three times over (phrase, seed, private key): the first one that is there counts, and
//! the address it gives must be the one the file states. Unknown fields are ignored, newer tools add some.

use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::derive::{DeriveError, seed_of_hex};
use super::encryption::{DecryptError, Encryption};
use super::{Hotkey, Scheme, Signer};

/// A key file is under 5 KiB in every known form; a larger one is something else.
pub const MAX_KEYFILE_BYTES: u64 = 64 * 1024;

/// Why a key file gives no signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyfileError {
    /// No JSON object, no phrase, no hex seed.
    #[error("not a key file: neither JSON, a phrase nor a hex seed")]
    Unreadable,
    /// A field has the wrong type, or appears twice.
    #[error("key file is JSON, but {0}")]
    Field(String),
    /// `cryptoType` is neither 0 nor 1.
    #[error("cryptoType `{0}` is unknown (1 is sr25519, 0 is ed25519)")]
    CryptoType(String),
    /// Only an address.
    #[error("holds a public key only; the hotkey file itself is needed, not its `pub.txt`")]
    PublicOnly,
    /// Nothing at all.
    #[error("has none of secretPhrase, secretSeed, privateKey")]
    Empty,
    /// The secret belongs to another address.
    #[error("its secret belongs to {derived}, but it states {stated}: the file was mixed up or damaged")]
    Mismatch {
        /// What the secret gives.
        derived: Hotkey,
        /// What the file says.
        stated: String,
    },
    /// A secret is malformed.
    #[error("field {field}: {source}")]
    Secret {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        source: DeriveError,
    },
    /// Encrypted, and no password was given.
    #[error("is encrypted and no password was given")]
    PasswordNeeded,
    /// Decryption failed.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
struct Fields {
    secret_phrase: Option<String>,
    secret_seed: Option<String>,
    private_key: Option<String>,
    ss58_address: Option<String>,
    public_key: Option<String>,
    #[zeroize(skip)]
    crypto_type: Option<CryptoType>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CryptoType {
    Number(u64),
    Text(String),
}

/// The signing key in the bytes of a key file, decrypted with `password` when they are encrypted.
///
/// # Errors
/// [`KeyfileError`]; no message holds any part of a secret.
pub fn read(bytes: &[u8], password: Option<&str>) -> Result<Signer, KeyfileError> {
    match Encryption::of(bytes) {
        Some(encryption) => {
            let password = password.ok_or(KeyfileError::PasswordNeeded)?;
            read_plain(&encryption.open(bytes, password)?)
        }
        None => read_plain(bytes),
    }
}

fn read_plain(bytes: &[u8]) -> Result<Signer, KeyfileError> {
    let text = std::str::from_utf8(bytes).map_err(|_| KeyfileError::Unreadable)?.trim();
    if !text.starts_with('{') {
        return read_bare(text);
    }
    let fields: Fields = serde_json::from_str(text).map_err(|error| KeyfileError::Field(without_values(&error)))?;
    let stated = fields.scheme()?;
    let signer = fields.signer(stated)?;
    if fields.agrees(&signer) {
        return Ok(signer);
    }
    // Old files name no scheme, and some tools wrote the wrong one: the stated address decides.
    match fields.signer(stated.other()) {
        Ok(other) if fields.agrees(&other) => Ok(other),
        _ => Err(KeyfileError::Mismatch { derived: signer.hotkey(), stated: fields.address() }),
    }
}

/// A file that is nothing but a phrase or a hex seed.
fn read_bare(text: &str) -> Result<Signer, KeyfileError> {
    if let Ok(seed) = seed_of_hex(text) {
        return Ok(Signer::from_seed(&seed, Scheme::Sr25519));
    }
    Signer::from_mnemonic(text, Scheme::Sr25519).map_err(|_| KeyfileError::Unreadable)
}

impl Fields {
    fn scheme(&self) -> Result<Scheme, KeyfileError> {
        let stated = match &self.crypto_type {
            None => return Ok(Scheme::Sr25519),
            Some(CryptoType::Number(number)) => number.to_string(),
            Some(CryptoType::Text(text)) => text.trim().to_owned(),
        };
        match stated.as_str() {
            "1" => Ok(Scheme::Sr25519),
            "0" => Ok(Scheme::Ed25519),
            _ => Err(KeyfileError::CryptoType(stated.chars().take(20).collect())),
        }
    }

    /// The key of the first secret that is there, under `scheme`.
    fn signer(&self, scheme: Scheme) -> Result<Signer, KeyfileError> {
        let wrong = |field| move |source| KeyfileError::Secret { field, source };
        if let Some(phrase) = self.secret_phrase.as_deref().filter(|text| !text.is_empty()) {
            return Signer::from_mnemonic(phrase, scheme).map_err(wrong("secretPhrase"));
        }
        if let Some(seed) = self.secret_seed.as_deref().filter(|text| !text.is_empty()) {
            let seed = seed_of_hex(seed).map_err(wrong("secretSeed"))?;
            return Ok(Signer::from_seed(&seed, scheme));
        }
        if let Some(secret) = self.private_key.as_deref().filter(|text| !text.is_empty()) {
            let secret = hex::decode(secret.strip_prefix("0x").unwrap_or(secret)).map(Zeroizing::new);
            let secret = secret.map_err(|_| DeriveError::PrivateKey(scheme)).map_err(wrong("privateKey"))?;
            return Signer::from_private_key(&secret, scheme).map_err(wrong("privateKey"));
        }
        let public = self.ss58_address.is_some() || self.public_key.is_some();
        Err(if public { KeyfileError::PublicOnly } else { KeyfileError::Empty })
    }

    /// Whether `signer` has the stated address (or public key, where no address is stated).
    fn agrees(&self, signer: &Signer) -> bool {
        match (&self.ss58_address, &self.public_key) {
            (Some(address), _) => address.parse() == Ok(signer.hotkey()),
            (None, Some(key)) => key.strip_prefix("0x").unwrap_or(key) == hex::encode(signer.hotkey().as_bytes()),
            (None, None) => true,
        }
    }

    fn address(&self) -> String {
        self.ss58_address
            .iter()
            .chain(&self.public_key)
            .next()
            .map_or_else(String::new, |text| text.chars().take(66).collect())
    }
}

/// serde_json quotes offending values; in a key file those may be secrets.
fn without_values(error: &serde_json::Error) -> String {
    format!("line {} column {} is not what a key file has there", error.line(), error.column())
}
