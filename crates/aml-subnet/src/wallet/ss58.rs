//! Public keys and their ss58 text form (prefix 42, checksum of Substrate).

use std::fmt;
use std::str::FromStr;

use blake2::{Blake2b512, Digest as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Prefix of Bittensor's addresses.
const PREFIX: u8 = 42;
/// Domain of the checksum.
const DOMAIN: &[u8] = b"SS58PRE";

/// A 32-byte public key: a neuron's hotkey, or an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hotkey([u8; 32]);

impl Hotkey {
    /// A key from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key in an address of any network. The old SDKs accept those: the same key under another prefix is the same
    /// sender.
    ///
    /// # Errors
    /// [`NotAnAddress`], never for the prefix.
    pub fn from_any_network(text: &str) -> Result<Self, NotAnAddress> {
        let mut raw = [0_u8; 36];
        let length = (text.len() <= 50).then(|| bs58::decode(text).onto(&mut raw[..]).ok()).flatten();
        // Prefixes from 64 on take two bytes, marked by the second highest bit of the first.
        let start = match (length, raw[0]) {
            (Some(35), 0..=63) => 1,
            (Some(36), 64..=127) => 2,
            _ => return Err(NotAnAddress::Shape),
        };
        if checksum(&raw[..start + 32]) != raw[start + 32..start + 34] {
            return Err(NotAnAddress::Checksum);
        }
        let mut key = [0; 32];
        key.copy_from_slice(&raw[start..start + 32]);
        Ok(Self(key))
    }
}

impl fmt::Display for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut raw = vec![PREFIX];
        raw.extend_from_slice(&self.0);
        let sum = checksum(&raw);
        raw.extend_from_slice(&sum);
        f.write_str(&bs58::encode(raw).into_string())
    }
}

/// As its address.
impl Serialize for Hotkey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// From its address.
impl<'de> Deserialize<'de> for Hotkey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is no address of this network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// Not base58, or not 35 bytes.
    #[error("not an ss58 address of 32 bytes")]
    Shape,
    /// Another network's prefix.
    #[error("ss58 prefix is {0}, not 42")]
    Prefix(u8),
    /// Mistyped.
    #[error("ss58 checksum does not match")]
    Checksum,
}

impl FromStr for Hotkey {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut raw = [0_u8; 35];
        // 48 characters hold 35 bytes; a longer text is not decoded at all.
        let length = (text.len() <= 50).then(|| bs58::decode(text).onto(&mut raw[..]).ok()).flatten();
        if length != Some(raw.len()) {
            return Err(NotAnAddress::Shape);
        }
        if raw[0] != PREFIX {
            return Err(NotAnAddress::Prefix(raw[0]));
        }
        if checksum(&raw[..33]) != raw[33..] {
            return Err(NotAnAddress::Checksum);
        }
        let mut key = [0; 32];
        key.copy_from_slice(&raw[1..33]);
        Ok(Self(key))
    }
}

fn checksum(prefix_and_key: &[u8]) -> [u8; 2] {
    let digest = Blake2b512::new().chain_update(DOMAIN).chain_update(prefix_and_key).finalize();
    [digest[0], digest[1]]
}
