//! A task by reference, `amlreference/1`: instead of the body its descriptor is sent, which says where the body lies, encrypted,
//! how long it is, what it hashes to, and the key that opens it.
//!
//! The request's signature covers the descriptor, so whoever has the descriptor trusts no place that the object comes from. A
//! place sees ciphertext alone. Each key encrypts one object, so the nonce is fixed; `docs/tasks.md` has the form.

use std::fmt;

use aml_miner::digest::Digest;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Media type of a descriptor; a miner's answer that names it in `Accept` says that the next task may come so.
pub const MEDIA_TYPE: &str = "application/vnd.aml.reference+json";
/// Longest descriptor that is read.
pub const MAX_DESCRIPTOR: usize = 16 << 10;
/// Places of one object.
pub const MAX_PLACES: usize = 4;
/// Longest URL of a place.
pub const MAX_PLACE: usize = 1024;
/// What encryption adds: the tag of AES-GCM.
pub const TAG: u64 = 16;
/// The only version there is.
const VERSION: u8 = 1;
/// Begins what an object is bound to.
const DOMAIN: &str = "amlreference/1";

/// The key of one object: 32 bytes as hex. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectKey(Zeroizing<[u8; 32]>);

impl ObjectKey {
    /// A given key. It must encrypt no other object.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn cipher(&self) -> Result<LessSafeKey, NotOpened> {
        UnboundKey::new(&AES_256_GCM, &*self.0).map(LessSafeKey::new).map_err(|_| NotOpened::Key)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ObjectKey(…)")
    }
}

impl Serialize for ObjectKey {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(hex::encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let digest: Digest = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self::new(*digest.as_bytes()))
    }
}

/// The encrypted object, as it lies in its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many.
    pub bytes: u64,
}

/// What is said of a body that is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Version of the form.
    pub v: u8,
    /// SHA-256 of the task as JSON, whatever form the body has.
    pub task: Digest,
    /// `Content-Type` of the body.
    pub media: String,
    /// `Content-Encoding` of the body.
    pub encoding: String,
    /// SHA-256 of the body as it would be sent inline.
    pub sent: Digest,
    /// SHA-256 of the body after its encoding is undone.
    pub decoded: Digest,
    /// The object that the body is encrypted in.
    pub object: Object,
    /// What opens it.
    pub key: ObjectKey,
    /// Where it lies: tried in this order.
    pub places: Vec<String>,
}

/// What a descriptor is made of, beside object, key and places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// SHA-256 of the task as JSON.
    pub task: Digest,
    /// `Content-Type` of the body.
    pub media: String,
    /// `Content-Encoding` of the body.
    pub encoding: String,
    /// SHA-256 of the body as it would be sent inline.
    pub sent: Digest,
    /// SHA-256 of the body after its encoding is undone.
    pub decoded: Digest,
}

/// A text that is no descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no descriptor of a task: {0}")]
pub struct NotADescriptor(String);

/// Why an object is not the body that its descriptor describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Fewer or more bytes.
    #[error("the object has {actual} bytes, its descriptor says {expected}")]
    Length {
        /// In the descriptor.
        expected: u64,
        /// At hand.
        actual: u64,
    },
    /// Other bytes.
    #[error("the object is another one than its descriptor says")]
    Digest,
    /// The key does not open it, or it belongs to another task.
    #[error("the key does not open the object")]
    Key,
    /// It opens to another body.
    #[error("the object opens to another body than its descriptor says")]
    Body,
}

impl NotOpened {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "length",
            Self::Digest => "digest",
            Self::Key => "key",
            Self::Body => "body",
        }
    }
}

/// `body` encrypted under `key`, for a task of this digest. The same each time.
///
/// # Errors
/// When the body is longer than the cipher takes.
pub fn encrypt(body: &[u8], key: &ObjectKey, task: &Digest) -> Result<Vec<u8>, NotOpened> {
    let mut object = Vec::with_capacity(body.len() + 16);
    object.extend_from_slice(body);
    let sealed = key.cipher()?.seal_in_place_append_tag(nonce(), bound_to(task), &mut object);
    sealed.map_err(|_| NotOpened::Key)?;
    Ok(object)
}

/// A key is for one object alone.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn bound_to(task: &Digest) -> Aad<Vec<u8>> {
    Aad::from(format!("{DOMAIN}\n{task}").into_bytes())
}

impl Descriptor {
    /// The descriptor of an object that lies at `places`.
    #[must_use]
    pub fn of(described: Described, object: Object, key: ObjectKey, places: Vec<String>) -> Self {
        let Described { task, media, encoding, sent, decoded } = described;
        Self { v: VERSION, task, media, encoding, sent, decoded, object, key, places }
    }

    /// Its bytes: what is sent and signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a descriptor holds only texts and integers")
    }

    /// What the body is remembered by: known to nobody who does not have the key.
    #[must_use]
    pub fn name(&self) -> Digest {
        Digest::of(&[DOMAIN.as_bytes(), self.sent.as_bytes(), &*self.key.0].concat())
    }

    /// Reads a descriptor. Its places are not looked at.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, NotADescriptor> {
        let wrong = |why: &str| Err(NotADescriptor(why.to_owned()));
        if bytes.len() > MAX_DESCRIPTOR {
            return wrong("it is too long");
        }
        let short = |error: serde_json::Error| NotADescriptor(error.to_string().chars().take(200).collect());
        let read: Self = serde_json::from_slice(bytes).map_err(short)?;
        if read.v != VERSION {
            return wrong("only version 1 is known");
        }
        if !(1..=MAX_PLACES).contains(&read.places.len()) {
            return wrong("it has no place, or too many");
        }
        if read.places.iter().any(|place| place.len() > MAX_PLACE) {
            return wrong("a place is too long");
        }
        if read.object.bytes < TAG {
            return wrong("its object is too short");
        }
        Ok(read)
    }

    /// The body that `object` holds. Nothing of it has to be trusted.
    ///
    /// # Errors
    /// What it is not.
    pub fn open(&self, mut object: Vec<u8>) -> Result<Vec<u8>, NotOpened> {
        let actual = object.len() as u64;
        if actual != self.object.bytes {
            return Err(NotOpened::Length { expected: self.object.bytes, actual });
        }
        if Digest::of(&object) != self.object.sha256 {
            return Err(NotOpened::Digest);
        }
        let opened = self.key.cipher()?.open_in_place(nonce(), bound_to(&self.task), &mut object);
        let length = opened.map_err(|_| NotOpened::Key)?.len();
        object.truncate(length);
        if Digest::of(&object) == self.sent { Ok(object) } else { Err(NotOpened::Body) }
    }
}
