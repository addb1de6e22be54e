//! A key that can sign.
//!
//! Secrets are wiped when the signer is dropped and never printed; nothing hands them out again.

use std::fmt;

use ed25519_dalek::Signer as _;
use schnorrkel::{ExpansionMode, MiniSecretKey};
use zeroize::Zeroizing;

use super::Hotkey;
use super::derive::{self, DeriveError, Junction};
use super::scheme::{CONTEXT, Scheme};

/// A hotkey with its secret.
///
/// ```
/// use aml_subnet::wallet::{Scheme, Signer, verify};
///
/// let alice = Signer::from_uri("//Alice", Scheme::Sr25519)?;
/// let signature = alice.sign(b"hello");
/// assert!(verify(alice.scheme(), &alice.hotkey(), b"hello", &signature));
/// # Ok::<(), aml_subnet::wallet::DeriveError>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    pair: Pair,
    hotkey: Hotkey,
}

#[derive(Clone)]
enum Pair {
    Sr25519(schnorrkel::Keypair),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Signer {
    /// The key of a 32-byte seed ("mini secret").
    #[must_use]
    pub fn from_seed(seed: &[u8; 32], scheme: Scheme) -> Self {
        match scheme {
            Scheme::Sr25519 => Self::sr25519(expand(seed)),
            Scheme::Ed25519 => Self::ed25519(ed25519_dalek::SigningKey::from_bytes(seed)),
        }
    }

    /// The key of a BIP-39 phrase (English, 12 to 24 words) as Substrate derives it.
    ///
    /// # Errors
    /// When the words, their number or their checksum are wrong.
    pub fn from_mnemonic(phrase: &str, scheme: Scheme) -> Result<Self, DeriveError> {
        Ok(Self::from_seed(&*derive::seed_of_phrase(phrase, "")?, scheme))
    }

    /// The key of a secret URI: `phrase//hard/soft///password`, `0xseed//hard`, or `//Alice` on the development phrase.
    ///
    /// # Errors
    /// When the phrase is none, or a soft junction is asked of ed25519.
    pub fn from_uri(uri: &str, scheme: Scheme) -> Result<Self, DeriveError> {
        let parsed = derive::parse_uri(uri)?;
        let seed = parsed.seed()?;
        match scheme {
            Scheme::Sr25519 => {
                Ok(Self::sr25519(parsed.junctions.iter().fold(expand(&seed), |key, junction| sr_step(&key, junction))))
            }
            Scheme::Ed25519 => {
                let last = parsed.junctions.iter().try_fold(seed, |seed, junction| derive::ed_step(&seed, junction))?;
                Ok(Self::from_seed(&last, scheme))
            }
        }
    }

    /// The key of a secret as key files hold it: 64 bytes (scalar and nonce) for sr25519, the 32-byte seed for ed25519
    /// (or the seed followed by the public key).
    ///
    /// # Errors
    /// When the length or the scalar is wrong, or the public half does not belong to the seed.
    pub fn from_private_key(secret: &[u8], scheme: Scheme) -> Result<Self, DeriveError> {
        match scheme {
            Scheme::Sr25519 if secret.len() == 64 => {
                let secret = schnorrkel::SecretKey::from_bytes(secret).map_err(|_| DeriveError::PrivateKey(scheme))?;
                Ok(Self::sr25519(secret.to_keypair()))
            }
            Scheme::Ed25519 if matches!(secret.len(), 32 | 64) => {
                let (seed, public) = secret.split_at(32);
                let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| DeriveError::PrivateKey(scheme))?);
                let signer = Self::from_seed(&seed, scheme);
                let belongs = public.is_empty() || public == signer.hotkey.as_bytes();
                belongs.then_some(signer).ok_or(DeriveError::PrivateKey(scheme))
            }
            Scheme::Sr25519 | Scheme::Ed25519 => Err(DeriveError::PrivateKey(scheme)),
        }
    }

    /// Signs `message`. Every sr25519 signature is different; ed25519 ones repeat.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match &self.pair {
            Pair::Sr25519(pair) => pair.sign_simple(CONTEXT, message).to_bytes(),
            Pair::Ed25519(pair) => pair.sign(message).to_bytes(),
        }
    }

    /// The public key.
    #[must_use]
    pub const fn hotkey(&self) -> Hotkey {
        self.hotkey
    }

    /// How it signs.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match self.pair {
            Pair::Sr25519(_) => Scheme::Sr25519,
            Pair::Ed25519(_) => Scheme::Ed25519,
        }
    }

    fn sr25519(pair: schnorrkel::Keypair) -> Self {
        let hotkey = Hotkey::from_bytes(pair.public.to_bytes());
        Self { pair: Pair::Sr25519(pair), hotkey }
    }

    fn ed25519(pair: ed25519_dalek::SigningKey) -> Self {
        let hotkey = Hotkey::from_bytes(pair.verifying_key().to_bytes());
        Self { pair: Pair::Ed25519(pair), hotkey }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} {})", self.scheme(), self.hotkey)
    }
}

fn expand(seed: &[u8; 32]) -> schnorrkel::Keypair {
    let mini = MiniSecretKey::from_bytes(seed).expect("any 32 bytes are a mini secret");
    mini.expand_to_keypair(ExpansionMode::Ed25519)
}

fn sr_step(key: &schnorrkel::Keypair, junction: &Junction) -> schnorrkel::Keypair {
    use schnorrkel::derive::{ChainCode, Derivation as _};
    match junction {
        Junction::Soft(code) => key.derived_key_simple(ChainCode(*code), b"").0,
        Junction::Hard(code) => key
            .secret
            .hard_derive_mini_secret_key(Some(ChainCode(*code)), b"")
            .0
            .expand_to_keypair(ExpansionMode::Ed25519),
    }
}
