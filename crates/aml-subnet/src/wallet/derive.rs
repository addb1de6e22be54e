//! From words and paths to seeds, as Substrate does it.
//!
//! The seed of a phrase is PBKDF2 over the phrase's *entropy*, not over its words as plain BIP-39 has it.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use bip39::{Language, Mnemonic};
use blake2::{Blake2b256, Digest as _};
use zeroize::Zeroizing;

use super::Scheme;

/// The public phrase of development accounts such as `//Alice`.
const DEVELOPMENT_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
/// Rounds of BIP-39.
const ROUNDS: NonZeroU32 = NonZeroU32::new(2048).expect("2048 is not zero");
/// A longer secret URI is not looked at: 24 words and a few junctions fit easily.
const LONGEST_URI: usize = 4096;

/// Why no key came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// Not a phrase. The words are not repeated: they may be almost right.
    #[error("not a valid BIP-39 phrase ({0}); expected 12 to 24 English words")]
    Phrase(&'static str),
    /// `0x...` that is not 32 bytes.
    #[error("a hex seed must be 0x and 64 hex digits")]
    Seed,
    /// A soft junction under ed25519.
    #[error("ed25519 keys have no soft junctions; use // instead of /")]
    Soft,
    /// The bytes are no key of this scheme.
    #[error("not a {0} private key (sr25519: 64 bytes; ed25519: the 32-byte seed)")]
    PrivateKey(Scheme),
    /// Too long to be a secret URI.
    #[error("longer than {LONGEST_URI} characters")]
    TooLong,
}

/// One step of a derivation path, with its chain code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Junction {
    /// `/name`
    Soft([u8; 32]),
    /// `//name`
    Hard([u8; 32]),
}

/// A secret URI, taken apart.
pub(super) struct SecretUri {
    root: Zeroizing<String>,
    password: Zeroizing<String>,
    pub(super) junctions: Vec<Junction>,
}

impl SecretUri {
    /// The seed at the root of the path.
    pub(super) fn seed(&self) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
        match self.root.as_str() {
            "" => seed_of_phrase(DEVELOPMENT_PHRASE, &self.password),
            root if root.starts_with("0x") => seed_of_hex(root),
            root => seed_of_phrase(root, &self.password),
        }
    }
}

/// Splits `root(/soft|//hard)*(///password)?`.
pub(super) fn parse_uri(uri: &str) -> Result<SecretUri, DeriveError> {
    if uri.len() > LONGEST_URI {
        return Err(DeriveError::TooLong);
    }
    let (path, password) = uri.split_once("///").unwrap_or((uri, ""));
    let (root, path) = path.split_at(path.find('/').unwrap_or(path.len()));
    Ok(SecretUri {
        root: Zeroizing::new(root.to_owned()),
        password: Zeroizing::new(password.to_owned()),
        junctions: junctions(path),
    })
}

/// The junctions of `/soft//hard`: an empty segment marks the next one as hard.
fn junctions(path: &str) -> Vec<Junction> {
    let mut found = Vec::new();
    let mut hard = false;
    for segment in path.split('/').skip(1) {
        if segment.is_empty() {
            hard = true;
            continue;
        }
        let code = chain_code(segment);
        found.push(if hard { Junction::Hard(code) } else { Junction::Soft(code) });
        hard = false;
    }
    found
}

/// Numbers are 8 little-endian bytes, other names their SCALE string; what exceeds 32 bytes is hashed.
fn chain_code(name: &str) -> [u8; 32] {
    use parity_scale_codec::Encode as _;
    let encoded = name.parse::<u64>().map_or_else(|_| name.encode(), |number| number.encode());
    if encoded.len() > 32 {
        return Blake2b256::digest(&encoded).into();
    }
    let mut code = [0; 32];
    code[..encoded.len()].copy_from_slice(&encoded);
    code
}

/// The next seed along an ed25519 path.
pub(super) fn ed_step(seed: &[u8; 32], junction: &Junction) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    let Junction::Hard(code) = junction else { return Err(DeriveError::Soft) };
    // The SCALE string "Ed25519HDKD": its length as a compact number, then the text.
    let digest = Blake2b256::new().chain_update([11 << 2]).chain_update(b"Ed25519HDKD").chain_update(seed);
    Ok(Zeroizing::new(digest.chain_update(code).finalize().into()))
}

/// The mini secret of a phrase.
pub(super) fn seed_of_phrase(phrase: &str, password: &str) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    let words = Mnemonic::parse_in(Language::English, phrase).map_err(|error| {
        DeriveError::Phrase(match error {
            bip39::Error::BadWordCount(_) => "wrong number of words",
            bip39::Error::UnknownWord(_) => "a word is not in the list",
            bip39::Error::InvalidChecksum => "the checksum does not match",
            bip39::Error::BadEntropyBitCount(_) | bip39::Error::AmbiguousLanguages(_) => "not English",
        })
    })?;
    let entropy = Zeroizing::new(words.to_entropy());
    let salt = Zeroizing::new(format!("mnemonic{password}"));
    let mut stretched = Zeroizing::new([0_u8; 64]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt.as_bytes(), &entropy, &mut *stretched);
    let mut seed = Zeroizing::new([0_u8; 32]);
    seed.copy_from_slice(&stretched[..32]);
    Ok(seed)
}

/// The seed written as 64 hex digits, with or without `0x`.
pub(super) fn seed_of_hex(text: &str) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut *seed).map_err(|_| DeriveError::Seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_into_soft_and_hard_steps() {
        let uri = parse_uri("//Alice/1///secret").unwrap();
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(uri.junctions.len(), 2);
        assert!(matches!(uri.junctions[0], Junction::Hard(_)));
        assert_eq!(uri.junctions[1], Junction::Soft(one));
        assert_eq!(*uri.password, "secret");
    }

    #[test]
    fn a_phrase_is_never_repeated_in_an_error() {
        let error = seed_of_phrase("legal winner thank year wave sausage worth useful legal winner thank thank", "");
        let text = error.unwrap_err().to_string();
        assert!(!text.contains("legal"), "{text}");
    }
}
