//! `META.json`: what a batch directory holds, with the hash of every file and, optionally, its publisher's signature.
//!
//! The signature is over [`DOMAIN`] and the canonical bytes of the manifest without its `signature`, unknown keys of a
//! newer minor version included. A newer minor version may add top-level keys; a newer major version is refused.
//! `tables` of version 1.1 says which files hold a table in parts.

mod error;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::data::canonical::Canonical;
use crate::data::parts::{self, TableParts};
use crate::data::write_options::WriteOptions;
use crate::digest::Digest;
use crate::table::excerpt;
pub use error::ManifestError;

/// Name of the manifest in a batch directory.
pub const MANIFEST_FILE: &str = "META.json";
/// Version of the format that this crate writes where every table is one file; it reads every `1.x`.
pub const SCHEMA_VERSION: &str = "1.0";
/// Version of a batch with tables in parts.
pub const PARTS_VERSION: &str = "1.1";
/// First bytes of what a publisher signs, so that the signature means nothing elsewhere.
pub const DOMAIN: &[u8] = b"aml-batch-manifest/1\n";
/// First bytes of what the digest of a batch with tables in parts is over.
const DAY_DOMAIN: &[u8] = b"aml-batch-day/1\n";

const KNOWN_KEYS: [&str; 8] =
    ["created_at", "files", "network", "processing_date", "publisher", "schema_version", "signature", "window_days"];
/// The key of version 1.1.
const TABLES: &str = "tables";

/// What the manifest says of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

/// The manifest of a batch. [`Manifest::parse`] and [`crate::data::write_batch`] make one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format, `MAJOR.MINOR`.
    pub schema_version: String,
    /// The day the batch is for, `YYYY-MM-DD`.
    pub processing_date: NaiveDate,
    /// Days that the features look back.
    pub window_days: u16,
    /// The chain the addresses are on, such as `torus`.
    pub network: String,
    /// When the batch was made, RFC 3339.
    pub created_at: String,
    /// File name to what it must be.
    pub files: BTreeMap<String, FileEntry>,
    /// The tables that several files hold; empty where each is one file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, TableParts>,
    /// Publisher's ed25519 public key, 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Publisher's signature, 128 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Keys of a newer minor version, which are part of what is signed.
    #[serde(skip)]
    newer: BTreeMap<String, Canonical>,
}

impl Manifest {
    /// An unsigned manifest of `files`.
    #[must_use]
    pub fn new(options: &WriteOptions<'_>, files: BTreeMap<String, FileEntry>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            processing_date: options.processing_date,
            window_days: options.window_days,
            network: options.network.to_owned(),
            created_at: options.created_at.to_owned(),
            files,
            tables: BTreeMap::new(),
            publisher: None,
            signature: None,
            newer: BTreeMap::new(),
        }
    }

    /// The same of a batch with `tables` in parts.
    #[must_use]
    pub fn with_tables(mut self, tables: BTreeMap<String, TableParts>) -> Self {
        if !tables.is_empty() {
            PARTS_VERSION.clone_into(&mut self.schema_version);
        }
        Self { tables, ..self }
    }

    /// The files of the table `name`, in the order of its rows; `None` where the batch does not have it.
    #[must_use]
    pub fn files_of(&self, name: &str) -> Option<Vec<(&str, &FileEntry)>> {
        if let Some(table) = self.tables.get(name) {
            return table.parts.iter().map(|part| Some((part.as_str(), self.files.get(part)?))).collect();
        }
        let (file, entry) = self.files.get_key_value(&format!("{name}.parquet"))?;
        Some(vec![(file.as_str(), entry)])
    }

    /// What tells the table `name` from others: the digest of its file, or of its values where it stands in parts.
    #[must_use]
    pub fn digest_of(&self, name: &str) -> Option<Digest> {
        match self.tables.get(name) {
            Some(table) => Some(table.content_sha256),
            None => Some(self.files.get(&format!("{name}.parquet"))?.sha256),
        }
    }

    /// Reads a manifest, checks its version, names and, where it is signed, its signature.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(bytes: &[u8], max_files: usize) -> Result<Self, ManifestError> {
        let canonical: Canonical = serde_json::from_slice(bytes)?;
        let mut manifest: Self = serde_json::from_slice(bytes)?;
        let newer_minor = is_newer_minor(&manifest.schema_version)?;
        for (key, value) in canonical.object().into_iter().flatten() {
            if KNOWN_KEYS.contains(&key.as_str()) || (newer_minor && key == TABLES) {
                continue;
            }
            if !newer_minor {
                return Err(ManifestError::UnknownKey { key: excerpt(key), version: manifest.schema_version });
            }
            manifest.newer.insert(key.clone(), value.clone());
        }
        if Canonical::Object(manifest.entries()) != canonical {
            return Err(ManifestError::NotCanonical);
        }
        parts::check(&manifest.tables, &manifest.files)?;
        let whole = manifest.files.len() - manifest.tables.values().map(|table| table.parts.len()).sum::<usize>();
        if whole > max_files {
            return Err(ManifestError::Files(whole, max_files));
        }
        if let Some(name) = manifest.files.keys().find(|name| !is_plain_name(name)) {
            return Err(ManifestError::FileName(excerpt(name)));
        }
        DateTime::parse_from_rfc3339(&manifest.created_at)
            .map_err(|_| ManifestError::CreatedAt(excerpt(&manifest.created_at)))?;
        manifest.verify_signature()?;
        Ok(manifest)
    }

    /// Checks that the manifest is signed by `required` (64 hex digits).
    ///
    /// # Errors
    /// When it is unsigned or signed by another key.
    pub fn require_publisher(&self, required: &str) -> Result<(), ManifestError> {
        let found = self.publisher.as_deref().unwrap_or("nobody");
        if self.signature.is_some() && found.eq_ignore_ascii_case(required) {
            return Ok(());
        }
        Err(ManifestError::Publisher { found: found.to_owned(), required: excerpt(required) })
    }

    /// Signs the manifest, naming the key's owner as its publisher.
    pub fn sign(&mut self, key: &SigningKey) {
        self.publisher = Some(hex::encode(key.verifying_key().as_bytes()));
        self.signature = None;
        self.signature = Some(hex::encode(key.sign(&self.signed_bytes()).to_bytes()));
    }

    /// [`DOMAIN`] and the canonical form of everything but the signature.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut entries = self.entries();
        entries.remove("signature");
        [DOMAIN, &Canonical::Object(entries).bytes()].concat()
    }

    /// Names the content of the batch, signed or not by the same publisher: the digest of [`Manifest::signed_bytes`]. Where
    /// tables stand in parts it is over their values instead of their files, so that it does not depend on the split.
    #[must_use]
    pub fn digest(&self) -> Digest {
        if self.tables.is_empty() {
            return Digest::of(&self.signed_bytes());
        }
        let mut day = self.clone();
        for table in day.tables.values_mut() {
            for part in std::mem::take(&mut table.parts) {
                day.files.remove(&part);
            }
        }
        let mut entries = day.entries();
        entries.remove("signature");
        Digest::of(&[DAY_DOMAIN, &Canonical::Object(entries).bytes()].concat())
    }

    /// Names the batch whose manifest is `written`: SHA-256 of the file, and where tables stand in parts
    /// [`Manifest::digest`].
    #[must_use]
    pub fn name_of(&self, written: &[u8]) -> Digest {
        if self.tables.is_empty() { Digest::of(written) } else { self.digest() }
    }

    /// The file's text: indented, one line feed at the end, keys of a newer minor version last.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Written<'a> {
            #[serde(flatten)]
            known: &'a Manifest,
            #[serde(flatten)]
            newer: &'a BTreeMap<String, Canonical>,
        }
        let written = Written { known: self, newer: &self.newer };
        let mut bytes = serde_json::to_vec_pretty(&written).expect("a manifest has only text keys");
        bytes.push(b'\n');
        bytes
    }

    fn entries(&self) -> BTreeMap<String, Canonical> {
        let json = serde_json::to_vec(self).expect("a manifest has only text keys");
        let mut entries: BTreeMap<String, Canonical> = serde_json::from_slice(&json).expect("just written");
        entries.extend(self.newer.clone());
        entries
    }

    fn verify_signature(&self) -> Result<(), ManifestError> {
        let (publisher, signature) = match (&self.publisher, &self.signature) {
            (None, None) => return Ok(()),
            (Some(publisher), Some(signature)) => (publisher, signature),
            _ => return Err(ManifestError::HalfSigned),
        };
        let mut key = [0_u8; 32];
        let mut raw = [0_u8; 64];
        hex::decode_to_slice(publisher, &mut key).map_err(|_| ManifestError::Malformed("publisher"))?;
        hex::decode_to_slice(signature, &mut raw).map_err(|_| ManifestError::Malformed("signature"))?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| ManifestError::Malformed("publisher"))?;
        key.verify_strict(&self.signed_bytes(), &Signature::from_bytes(&raw))
            .map_err(|_| ManifestError::Signature(publisher.clone()))
    }
}

/// Whether `name` stays in its directory whatever the file system: no separators, no leading dot, no spaces.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=100).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with(['.', '-']) && name != MANIFEST_FILE
}

fn is_newer_minor(version: &str) -> Result<bool, ManifestError> {
    let minor =
        version.strip_prefix("1.").filter(|minor| minor.len() <= 4 && minor.bytes().all(|b| b.is_ascii_digit()));
    let minor: u16 =
        minor.and_then(|minor| minor.parse().ok()).ok_or_else(|| ManifestError::Version(excerpt(version)))?;
    Ok(minor > 0)
}
