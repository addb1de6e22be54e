//! The two signature schemes of Bittensor keys, and how a signature is checked.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;

use super::Hotkey;

/// Signing context of sr25519 signatures on Substrate chains.
pub(super) const CONTEXT: &[u8] = b"substrate";

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scheme {
    /// Schnorr over Ristretto, the default of Bittensor.
    #[default]
    Sr25519,
    /// EdDSA as in RFC 8032.
    Ed25519,
}

impl Scheme {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Sr25519, Self::Ed25519];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sr25519 => Self::Ed25519,
            Self::Ed25519 => Self::Sr25519,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature scheme (known are sr25519 and ed25519)")]
pub struct UnknownScheme;

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == text).ok_or(UnknownScheme)
    }
}

impl serde::Serialize for Scheme {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Scheme {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether `signature` is `key`'s over `message`. Never panics, whatever the bytes.
#[must_use]
pub fn verify(scheme: Scheme, key: &Hotkey, message: &[u8], signature: &[u8; 64]) -> bool {
    match scheme {
        Scheme::Sr25519 => {
            let parts =
                (schnorrkel::PublicKey::from_bytes(key.as_bytes()), schnorrkel::Signature::from_bytes(signature));
            matches!(parts, (Ok(key), Ok(signature)) if key.verify_simple(CONTEXT, message, &signature).is_ok())
        }
        Scheme::Ed25519 => VerifyingKey::from_bytes(key.as_bytes())
            .is_ok_and(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()),
    }
}
