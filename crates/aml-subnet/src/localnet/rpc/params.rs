//! Parameters as clients write them: hex for bytes and hashes, numbers plain or in hex, addresses.

use std::sync::Arc;

use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Deserializer, de};

use super::super::block::Block;
use super::super::ledger::Ledger;
use super::super::mirror::{AccountId32, H256};
use super::errors;
use crate::wallet::Hotkey;

/// Bytes as hex, with or without `0x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text.strip_prefix("0x").unwrap_or(&text)).map(Self).map_err(de::Error::custom)
    }
}

/// A hash of 32 bytes as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(pub(super) H256);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let length = bytes.len();
        let hash = <[u8; 32]>::try_from(bytes);
        hash.map(|hash| Self(H256(hash))).map_err(|_| de::Error::custom(format!("a hash has 32 bytes, not {length}")))
    }
}

/// A number, plain or in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(u64),
            Text(String),
        }
        let number = match Either::deserialize(deserializer)? {
            Either::Plain(number) => Some(number),
            Either::Text(text) => match text.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok(),
                None => text.parse().ok(),
            },
        };
        number.map(Self).ok_or_else(|| de::Error::custom("not a block number"))
    }
}

/// An account as an address, or its 32 bytes as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account(pub(super) AccountId32);

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(hash) = text.strip_prefix("0x").and_then(|hex| hex::decode(hex).ok()) {
            let bytes = <[u8; 32]>::try_from(hash).map_err(|_| de::Error::custom("an account has 32 bytes"))?;
            return Ok(Self(AccountId32(bytes)));
        }
        let hotkey: Hotkey = text.parse().map_err(de::Error::custom)?;
        Ok(Self(AccountId32(*hotkey.as_bytes())))
    }
}

/// The block that a caller means; the newest, if he names none.
pub(super) fn block_at(ledger: &Ledger, at: Option<Hash>) -> Result<Arc<Block>, ErrorObjectOwned> {
    match at {
        None => Ok(ledger.head()),
        Some(Hash(hash)) => ledger.by_hash(hash).ok_or_else(|| errors::unknown_block(hash)),
    }
}
