//! Evidence packs: all that a round's canonical scores come from, in one ZIP file that anybody can check offline.
//!
//! Members are stored as they are (those that are large are zstd frames), so that any ZIP reader opens a pack; the manifest
//! names each with its length and digest and is signed by the validator's hotkey. `docs/evidence.md` has the form.

mod read;
mod zip;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use super::signed::signed_bytes;
use crate::store::records::RoundId;
use crate::wallet::{Hotkey, Scheme, Signer};
pub use read::{LONGEST_PACK, PackReader, ReadPackError, names};
pub use zip::NotAZip;
use zip::Zip;

/// First bytes of what is signed, so that the signature means nothing elsewhere.
pub const PACK_DOMAIN: &[u8] = b"aml-evidence/1\n";
/// Name of the manifest in a pack.
pub const PACK_MANIFEST: &str = "MANIFEST.json";
/// What a manifest says it is.
const FORMAT: &str = "aml-evidence";
/// Version of the form.
const VERSION: u16 = 1;
/// Level of zstd: packs are written once and kept.
const LEVEL: i32 = 9;

/// Where the pack of a round is kept, beside what is published below `published`.
#[must_use]
pub fn pack_path(published: &Path, round: &RoundId) -> PathBuf {
    published.with_file_name("evidence").join(format!("{round}.zip"))
}

/// A member of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// Its length in the pack.
    pub bytes: u64,
    /// SHA-256 of it as it lies in the pack.
    pub sha256: Digest,
}

/// What a pack consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackManifest {
    /// `aml-evidence`.
    pub format: String,
    /// Version of the form.
    pub version: u16,
    /// The round.
    pub round: String,
    /// SHA-256 of the batch's `META.json`.
    pub batch: Digest,
    /// Version of the program that wrote it.
    pub program: String,
    /// When, RFC 3339 in UTC.
    pub made_at: String,
    /// Whether raw answers are there.
    pub full: bool,
    /// The alert that it was asked for, by its id.
    pub alert: Option<String>,
    /// What is not there, and why.
    pub absent: BTreeMap<String, String>,
    /// The members, by name.
    pub files: BTreeMap<String, PackEntry>,
    /// The validator's hotkey, which signs.
    pub hotkey: Hotkey,
    /// How it signs.
    pub scheme: Scheme,
    /// Over everything else: 128 hex digits.
    pub signature: String,
}

/// What a pack is about.
#[derive(Clone, Debug)]
pub struct PackHead {
    /// The round.
    pub round: RoundId,
    /// SHA-256 of the batch's `META.json`.
    pub batch: Digest,
    /// When it is made, RFC 3339 in UTC.
    pub made_at: String,
    /// The alert that it was asked for.
    pub alert: Option<String>,
}

/// A pack that is being written.
pub struct PackWriter<W> {
    zip: Zip<W>,
    files: BTreeMap<String, PackEntry>,
    absent: BTreeMap<String, String>,
}

impl<W: Write> PackWriter<W> {
    /// Nothing yet.
    pub fn new(out: W) -> Self {
        Self { zip: Zip::new(out), files: BTreeMap::new(), absent: BTreeMap::new() }
    }

    /// Adds a member as it is.
    ///
    /// # Errors
    /// When it cannot be written, or a ZIP file cannot hold so much.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.zip.add(name, bytes)?;
        let entry = PackEntry { bytes: bytes.len() as u64, sha256: Digest::of(bytes) };
        self.files.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Adds a member as a zstd frame, with `.zst` behind its name.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_compressed(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.add(&format!("{name}.zst"), &zstd::bulk::compress(bytes, LEVEL)?)
    }

    /// Says that something is not there, and why.
    pub fn lacks(&mut self, what: &str, why: String) {
        self.absent.insert(what.to_owned(), why);
    }

    /// Signs and ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, head: PackHead, full: bool, signer: &Signer) -> io::Result<(PackManifest, W)> {
        let PackHead { round, batch, made_at, alert } = head;
        let mut manifest = PackManifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            round: round.to_string(),
            batch,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            full,
            alert,
            absent: self.absent,
            files: self.files,
            hotkey: signer.hotkey(),
            scheme: signer.scheme(),
            signature: String::new(),
        };
        manifest.signature = hex::encode(signer.sign(&signed_bytes(PACK_DOMAIN, &manifest)?));
        let mut bytes = serde_json::to_vec_pretty(&manifest)?;
        bytes.push(b'\n');
        self.zip.add(PACK_MANIFEST, &bytes)?;
        Ok((manifest, self.zip.finish()?))
    }
}
