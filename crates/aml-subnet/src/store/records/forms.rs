//! The encoded forms of a common task: what is recorded of them, and their bytes.

use std::collections::BTreeSet;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::wallet::Hotkey;

/// A common task in a form that is encoded, for those who take it. Its bytes are a file of the round: encoding it again may
/// give others, and a round that is resumed sends the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedTask {
    /// SHA-256 of the body as it is sent: what signatures name.
    pub sent: Digest,
    /// SHA-256 of the body after its `Content-Encoding` is undone: what receipts name.
    pub decoded: Digest,
    /// Bytes as they are sent.
    pub bytes: u64,
    /// Who is sent it.
    pub to: BTreeSet<Hotkey>,
}

impl EncodedTask {
    /// The file of a round that holds it.
    pub const FILE: &str = "form/arrow";
}

/// The Arrow form of a common task by reference. The bytes of its descriptor are a file of the round, the object's are not: they
/// follow from the descriptor's key and the Arrow form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferencedTask {
    /// SHA-256 of the descriptor: what signatures name.
    pub sent: Digest,
    /// SHA-256 of what it refers to, after its encoding is undone: what receipts name.
    pub decoded: Digest,
    /// Bytes of the descriptor.
    pub bytes: u64,
    /// SHA-256 of the encrypted object that is fetched.
    pub object: Digest,
    /// Bytes of the object.
    pub object_bytes: u64,
    /// Who is sent it.
    pub to: BTreeSet<Hotkey>,
}

impl ReferencedTask {
    /// The file of a round that holds the descriptor.
    pub const FILE: &str = "form/reference";
}

/// The bytes of a task's encoded forms, as they are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormBytes<'a> {
    /// Of its Arrow form.
    pub arrow: Option<&'a [u8]>,
    /// Of its descriptor.
    pub reference: Option<&'a [u8]>,
}
