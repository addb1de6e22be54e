//! `manifest.json`: what a published round consists of, signed by the validator's hotkey.
//!
//! The signature is over [`DOMAIN`] followed by the manifest without its `signature`, as JSON with sorted keys and no
//! spaces; `docs/validator_api.md` shows how to check it with other tools.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use super::signed::{is_signed, signed_bytes};
use crate::validation::rules::RulesVersion;
use crate::wallet::{Hotkey, Scheme, Signer};

/// First bytes of what is signed, so that the signature means nothing elsewhere.
pub const DOMAIN: &[u8] = b"aml-canonical-scores/1\n";
/// Its name.
pub const MANIFEST_FILE: &str = "manifest.json";
/// A manifest that is longer is not read: 256 contributors take about 20 KiB.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// One file of a published round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its length.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// Its SHA-256, 64 lower-case hex digits.
    #[schema(value_type = String)]
    pub sha256: Digest,
}

/// What a published round consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// SHA-256 of the `META.json` of the batch that was scored.
    #[schema(value_type = String)]
    pub batch: Digest,
    /// Each contributor's weight in the ensemble, by hotkey; they add up to 1.
    #[schema(value_type = BTreeMap<String, f64>)]
    pub contributors: BTreeMap<Hotkey, f64>,
    /// The files, by name.
    pub files: BTreeMap<String, FileEntry>,
    /// The validator's hotkey, which signs.
    #[schema(value_type = String)]
    pub hotkey: Hotkey,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// The round, `NETUID-YYYY-MM-DD-WINDOW`.
    pub round: String,
    /// Rules the scores were made under.
    #[schema(value_type = String)]
    pub rules: RulesVersion,
    /// How the hotkey signs: `sr25519` or `ed25519`.
    #[schema(value_type = String)]
    pub scheme: Scheme,
    /// Over everything else: 128 hex digits.
    pub signature: String,
}

/// A manifest that is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON of a manifest.
    #[error("{MANIFEST_FILE}: {0}")]
    Json(#[from] serde_json::Error),
    /// The signature is not 128 hex digits, or not the hotkey's over this manifest.
    #[error("{MANIFEST_FILE}: the signature is not {0}'s over this manifest")]
    Signature(Hotkey),
    /// Another hotkey signed.
    #[error("{MANIFEST_FILE}: {actual} signed, {expected} was expected")]
    Signer {
        /// Who should have.
        expected: Hotkey,
        /// Who did.
        actual: Hotkey,
    },
}

impl Manifest {
    /// Reads a manifest and checks its signature; by `expected` where that is given.
    ///
    /// # Errors
    /// When it is no manifest, or not signed as it says, or by somebody else.
    pub fn read(bytes: &[u8], expected: Option<&Hotkey>) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(bytes)?;
        let hotkey = manifest.hotkey;
        if !is_signed(&manifest.signature, manifest.scheme, &hotkey, &manifest.signed_bytes()?) {
            return Err(ManifestError::Signature(hotkey));
        }
        match expected {
            Some(expected) if *expected != hotkey => Err(ManifestError::Signer { expected: *expected, actual: hotkey }),
            _ => Ok(manifest),
        }
    }

    /// Signs it: sets hotkey, scheme and signature.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn sign(&mut self, signer: &Signer) -> Result<(), serde_json::Error> {
        (self.hotkey, self.scheme) = (signer.hotkey(), signer.scheme());
        self.signature = hex::encode(signer.sign(&self.signed_bytes()?));
        Ok(())
    }

    /// As it is written to disk.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// [`DOMAIN`] and the canonical form of everything but the signature.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        signed_bytes(DOMAIN, self)
    }
}
