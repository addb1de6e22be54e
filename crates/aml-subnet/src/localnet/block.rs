//! Blocks: headers, their hashes, their JSON.

use parity_scale_codec::{Compact, Decode, Encode};
use serde_json::{Value, json};

use super::extrinsic::blake2_256;
use super::mirror::H256;
use super::mirror::sp_runtime::generic::digest::{Digest, DigestItem};
use super::spec::Spec;
use super::state::Changes;

/// Engine that the digest names; clients expect one.
const AURA: [u8; 4] = *b"aura";

/// A header; its hash is the block's name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Header {
    /// The block before.
    pub(crate) parent_hash: H256,
    /// Its height.
    pub(crate) number: Compact<u64>,
    /// A running digest of all changes: not the root of a trie.
    pub(crate) state_root: H256,
    /// A digest of the transactions.
    pub(crate) extrinsics_root: H256,
    /// Who made it, and when.
    pub(crate) digest: Digest,
}

impl Header {
    /// The block's name.
    pub(crate) fn hash(&self) -> H256 {
        blake2_256(&self.encode())
    }

    /// As the RPC shows it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "parentHash": self.parent_hash.to_string(),
            "number": format!("{:#x}", self.number.0),
            "stateRoot": self.state_root.to_string(),
            "extrinsicsRoot": self.extrinsics_root.to_string(),
            "digest": { "logs": self.digest.logs.iter().map(|log| hex_text(&log.encode())).collect::<Vec<_>>() },
        })
    }
}

/// The digest of a block that is made at this time.
pub(crate) fn digest(now_ms: u64) -> Digest {
    Digest { logs: vec![DigestItem::PreRuntime(AURA, now_ms.encode())] }
}

/// A digest over the state so far and what a block changes.
pub(crate) fn state_root(parent: H256, changes: &Changes) -> H256 {
    blake2_256(&(parent, changes).encode())
}

/// A digest of a block's transactions.
pub(crate) fn extrinsics_root(extrinsics: &[Vec<u8>]) -> H256 {
    blake2_256(&extrinsics.encode())
}

/// A block that was made.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Its name.
    pub(crate) hash: H256,
    /// Its header.
    pub(crate) header: Header,
    /// Its transactions.
    pub(crate) extrinsics: Vec<Vec<u8>>,
    /// The runtime that made it.
    pub(crate) spec: Spec,
    /// When, in milliseconds since 1970.
    pub(crate) time_ms: u64,
}

impl Block {
    /// Its height.
    pub(crate) fn number(&self) -> u64 {
        self.header.number.0
    }
}

/// Bytes as the RPC shows them.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

impl std::fmt::Display for H256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex_text(&self.0))
    }
}
