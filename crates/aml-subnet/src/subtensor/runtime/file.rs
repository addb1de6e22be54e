//! From a file to metadata: the forms in which people have it.

use std::borrow::Cow;

use parity_scale_codec::{Compact, Decode};
use subxt::metadata::{ArcMetadata, Metadata};

use crate::chain::refusal::PALLET;

/// The longest file that is read: metadata has 0.3 MB, twice that as digits.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What metadata begins with.
const MAGIC: &[u8] = b"meta";
/// What a WebAssembly program begins with, as it is, and as chains compress it.
const WASM: [&[u8]; 2] = [b"\0asm", &[0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05]];
/// The oldest and the newest version that are read.
const VERSIONS: std::ops::RangeInclusive<u8> = 14..=16;

/// Why a file is not the metadata of a Subtensor.
#[derive(Debug, thiserror::Error)]
pub enum NotMetadata {
    /// Longer than any metadata.
    #[error("it has {0} bytes; metadata has at most {MAX_BYTES}")]
    TooLong(usize),
    /// The program of a runtime.
    #[error("it is the program of a runtime (WASM): `scripts/runtime_check.sh` runs it and asks it for its metadata")]
    Program,
    /// Something else.
    #[error(
        "it is no metadata: neither SCALE that begins with `meta`, nor such bytes in hexadecimal digits, nor a node's answer"
    )]
    Other,
    /// Too old or too new.
    #[error("it is metadata of version {0}; versions 14 to 16 are read")]
    Version(u8),
    /// Damaged.
    #[error("it begins as metadata, but cannot be read: {0}")]
    Damaged(String),
    /// Another chain's.
    #[error("it has no pallet {PALLET}: it is not of a Subtensor")]
    OtherChain,
}

/// A runtime by its metadata.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) metadata: ArcMetadata,
    /// Version of the metadata's own form.
    pub(super) version: u8,
    pub(super) spec_name: String,
    pub(super) spec_version: u32,
}

/// The beginning of `System.Version`.
#[derive(Decode)]
struct Version {
    spec_name: String,
    _impl_name: String,
    _authoring_version: u32,
    spec_version: u32,
}

/// Reads a file in any of its forms.
pub(super) fn read(bytes: &[u8]) -> Result<Described, NotMetadata> {
    if bytes.len() > MAX_BYTES {
        return Err(NotMetadata::TooLong(bytes.len()));
    }
    let raw = undigit(bytes);
    if WASM.iter().any(|magic| raw.starts_with(magic)) {
        return Err(NotMetadata::Program);
    }
    let raw = unwrap(&raw).ok_or(NotMetadata::Other)?;
    let version = *raw.get(MAGIC.len()).ok_or(NotMetadata::Other)?;
    if !VERSIONS.contains(&version) {
        return Err(NotMetadata::Version(version));
    }
    let metadata = Metadata::decode_from(raw).map_err(|error| NotMetadata::Damaged(error.to_string()))?;
    let (spec_name, spec_version) = version_of(&metadata);
    Ok(Described { metadata: metadata.arc(), version, spec_name, spec_version })
}

/// Bytes from hexadecimal digits, alone or as the `result` of an answer; anything else stays as it is.
fn undigit(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.into() };
    let answer: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let answer = answer.as_ref();
    let result = answer.and_then(|answer| answer.get("result").or(Some(answer))?.as_str());
    let digits = result.unwrap_or(text).trim();
    hex::decode(digits.strip_prefix("0x").unwrap_or(digits)).map_or_else(|_| bytes.into(), Cow::Owned)
}

/// The metadata itself, from within the forms that runtime APIs answer in: bytes, and perhaps bytes.
fn unwrap(raw: &[u8]) -> Option<&[u8]> {
    let counted = |mut rest: &'_ [u8]| -> Option<usize> {
        let before = rest.len();
        let length = Compact::<u32>::decode(&mut rest).ok()?.0;
        (usize::try_from(length).ok()? == rest.len()).then_some(before - rest.len())
    };
    let inner = |from: usize| counted(raw.get(from..)?).and_then(|length| raw.get(from + length..));
    let perhaps = raw.first().filter(|tag| **tag == 1).and_then(|_| inner(1));
    [Some(raw), inner(0), perhaps].into_iter().flatten().find(|bytes| bytes.starts_with(MAGIC))
}

/// Name and version, where the runtime says them.
fn version_of(metadata: &Metadata) -> (String, u32) {
    let constant = metadata.pallet_by_name("System").and_then(|pallet| pallet.constant_by_name("Version"));
    let version = constant.and_then(|constant| Version::decode(&mut constant.value()).ok());
    version.map_or_else(Default::default, |version| (version.spec_name, version.spec_version))
}

impl Described {
    /// Whether the metadata lists runtime APIs: version 14 does not.
    pub(super) const fn tells_apis(&self) -> bool {
        self.version > 14
    }

    /// Whether there is neither a storage item nor a call of the pallet, nor a method of a runtime API, of this name.
    pub(super) fn lacks(&self, name: &str) -> bool {
        let pallet = self.metadata.pallet_by_name(PALLET);
        let in_pallet = pallet.is_some_and(|pallet| {
            pallet.call_variant_by_name(name).is_some()
                || pallet.storage().is_some_and(|items| items.entry_by_name(name).is_some())
        });
        let mut apis = self.metadata.runtime_api_traits();
        !in_pallet && !apis.any(|api| api.method_by_name(name).is_some())
    }
}
