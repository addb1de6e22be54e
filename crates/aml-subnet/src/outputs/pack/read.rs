//! Packs of others, read with distrust: nothing of a pack is looked at before its signature and all digests hold.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;

use aml_miner::digest::Digest;
use serde::de::DeserializeOwned;

use super::zip::{NotAZip, members};
use super::{FORMAT, PACK_DOMAIN, PACK_MANIFEST, PackManifest, VERSION};
use crate::outputs::signed::{is_signed, signed_bytes};
use crate::store::Needle;
use crate::wallet::Hotkey;

/// A pack that is longer is not read.
pub const LONGEST_PACK: u64 = 1 << 29;
/// A manifest that is longer is not read.
const LONGEST_MANIFEST: usize = 4 << 20;
/// A member that unpacks to more is not read.
const LARGEST: u64 = 1 << 29;

/// A pack that is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum ReadPackError {
    /// Not a ZIP file of the form.
    #[error("it is no evidence pack: {0}")]
    Zip(#[from] NotAZip),
    /// The manifest.
    #[error("{PACK_MANIFEST}: {0}")]
    Manifest(String),
    /// Somebody else signed.
    #[error("it is signed by {actual}, expected was {expected}")]
    Signer {
        /// Who should have.
        expected: Hotkey,
        /// Who did.
        actual: Hotkey,
    },
    /// A member.
    #[error("{name}: {why}")]
    Member {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// A pack whose bytes are those that its validator signed.
pub struct PackReader {
    bytes: Vec<u8>,
    members: BTreeMap<String, Range<usize>>,
    /// What it says of itself.
    pub manifest: PackManifest,
}

impl PackReader {
    /// Reads a pack that `expected` must have signed.
    ///
    /// # Errors
    /// When it is none, is signed by somebody else, or a member is not the one that was signed.
    pub fn open(bytes: Vec<u8>, expected: &Hotkey) -> Result<Self, ReadPackError> {
        let members = members(&bytes)?;
        let manifest = members.get(PACK_MANIFEST).and_then(|range| bytes.get(range.clone())).unwrap_or_default();
        let manifest = signed(manifest, expected)?;
        for (name, range) in members.iter().filter(|(name, _)| *name != PACK_MANIFEST) {
            let wrong = |why: &str| ReadPackError::Member { name: name.clone(), why: why.to_owned() };
            let entry = manifest.files.get(name).ok_or_else(|| wrong("the manifest does not name it"))?;
            let content = bytes.get(range.clone()).unwrap_or_default();
            if (content.len() as u64, Digest::of(content)) != (entry.bytes, entry.sha256) {
                return Err(wrong("it is not what the manifest says"));
            }
        }
        if let Some(name) = manifest.files.keys().find(|name| !members.contains_key(*name)) {
            return Err(ReadPackError::Member { name: name.clone(), why: "it is not there".to_owned() });
        }
        Ok(Self { bytes, members, manifest })
    }

    /// A member that is kept compressed, by its name without `.zst`; `None` where it is not there.
    ///
    /// # Errors
    /// When it does not unpack, or to too much.
    pub fn unpacked(&self, name: &str) -> Result<Option<Vec<u8>>, ReadPackError> {
        let Some(range) = self.members.get(&format!("{name}.zst")) else { return Ok(None) };
        let wrong = |why: String| ReadPackError::Member { name: name.to_owned(), why };
        let content = self.bytes.get(range.clone()).unwrap_or_default();
        let mut plain = Vec::new();
        let decoder = zstd::stream::read::Decoder::with_buffer(content).map_err(|error| wrong(error.to_string()))?;
        let read = decoder.take(LARGEST + 1).read_to_end(&mut plain).map_err(|error| wrong(error.to_string()))?;
        if read as u64 > LARGEST {
            Err(wrong(format!("it unpacks to more than {LARGEST} bytes")))
        } else {
            Ok(Some(plain))
        }
    }

    /// A table, one row per line; it must be there.
    ///
    /// # Errors
    /// As [`unpacked`](Self::unpacked), and when it is not there.
    pub fn table(&self, name: &str) -> Result<Vec<u8>, ReadPackError> {
        let file = format!("{name}.jsonl");
        let absent = || ReadPackError::Member { name: file.clone(), why: "it is not there".to_owned() };
        self.unpacked(&file)?.ok_or_else(absent)
    }

    /// The rows of a table, as values.
    ///
    /// # Errors
    /// As [`table`](Self::table), and when a row is not of that form.
    pub fn rows<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, ReadPackError> {
        let table = self.table(name)?;
        let lines = table.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let wrong = |error: serde_json::Error| ReadPackError::Member { name: name.to_owned(), why: error.to_string() };
        lines.map(|line| serde_json::from_slice(line).map_err(wrong)).collect()
    }

    /// A JSON member, as a zstd frame or as it is; `None` where it is not there.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ReadPackError> {
        let unpacked = self.unpacked(name)?;
        let stored = self.members.get(name).and_then(|range| self.bytes.get(range.clone()));
        let Some(plain) = unpacked.as_deref().or(stored) else { return Ok(None) };
        let read = serde_json::from_slice(plain);
        read.map(Some).map_err(|error| ReadPackError::Member { name: name.to_owned(), why: error.to_string() })
    }
}

/// Whether a pack names an address anywhere, whoever signed it.
///
/// # Errors
/// When it is no pack, or a member does not unpack.
pub fn names(bytes: &[u8], needle: &Needle) -> Result<bool, ReadPackError> {
    for (name, range) in members(bytes)? {
        let content = bytes.get(range).unwrap_or_default();
        let found = needle.is_read_in(content);
        if found.map_err(|error| ReadPackError::Member { name, why: error.to_string() })? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The manifest, if `expected` signed it.
fn signed(bytes: &[u8], expected: &Hotkey) -> Result<PackManifest, ReadPackError> {
    let wrong = |why: String| ReadPackError::Manifest(why);
    if bytes.is_empty() || bytes.len() > LONGEST_MANIFEST {
        return Err(wrong(format!("it has {} bytes", bytes.len())));
    }
    let manifest: PackManifest = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if (manifest.format.as_str(), manifest.version) != (FORMAT, VERSION) {
        return Err(wrong(format!("it is of version {}, which is not known here", manifest.version)));
    }
    if manifest.hotkey != *expected {
        return Err(ReadPackError::Signer { expected: *expected, actual: manifest.hotkey });
    }
    let told = signed_bytes(PACK_DOMAIN, &manifest).map_err(|error| wrong(error.to_string()))?;
    if is_signed(&manifest.signature, manifest.scheme, expected, &told) {
        return Ok(manifest);
    }
    Err(wrong(format!("the signature is not {expected}'s over it")))
}
