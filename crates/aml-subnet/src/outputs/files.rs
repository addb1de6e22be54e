//! Published rounds on disk: `published/<date>_<window>/` with three files of the same rows, the
//! calibration of their probabilities, and a signed manifest.
//!
//! A directory is made aside and renamed into place. Whatever is read back is compared with the manifest first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use aml_miner::clock::millis;
use aml_miner::data::{Staging, WriteBatchError, remove_abandoned};
use aml_miner::digest::Digest;

use super::format::{CALIBRATION_FILE, EncodeError, Format, encode, is_known};
use super::manifest::{FileEntry, MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, ManifestError};
use super::rows::{Mismatch, canonical_rows, with_reasons};
use crate::calendar::rfc3339;
use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;
use crate::store::records::{Canonical, RosterRow, Round, RoundId};
use crate::wallet::{Hotkey, Signer};

/// A published file that is longer is not read into memory.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// Nobody writes three files for so long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What is published of a round.
#[derive(Clone, Copy, Debug)]
pub struct Edition<'a> {
    /// The round.
    pub round: &'a Round,
    /// Its alerts.
    pub roster: &'a [RosterRow],
    /// Their scores.
    pub canonical: &'a Canonical,
    /// What their probabilities come from; `None` of a round that has none.
    pub calibration: Option<&'a Calibration>,
    /// Why; `None` of a round without reasons.
    pub reasons: Option<&'a Reasons>,
    /// Who vouches for it.
    pub signer: &'a Signer,
    /// When.
    pub now: Duration,
}

/// A round that was not published; what was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Scores of other alerts.
    #[error("round {round}: {source}")]
    Mismatch {
        /// Which round.
        round: RoundId,
        /// What does not fit.
        source: Mismatch,
    },
    /// A file cannot be made.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The manifest cannot be made.
    #[error("cannot write {MANIFEST_FILE}: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The file system refuses.
    #[error(transparent)]
    Write(#[from] WriteBatchError),
}

/// A published directory that is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The manifest itself.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file that is not part of a published round.
    #[error("{MANIFEST_FILE} names `{0}`, which is not part of a published round")]
    Unknown(String),
    /// A file that should be part of it.
    #[error("{MANIFEST_FILE} does not name {0}")]
    Missing(&'static str),
    /// Another content.
    #[error("{path} has digest {actual}, {MANIFEST_FILE} says {expected}", path = path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// What the manifest says.
        expected: Digest,
        /// What was found.
        actual: Digest,
    },
    /// Another length.
    #[error("{path} has {actual} bytes, {MANIFEST_FILE} says {expected}", path = path.display())]
    Length {
        /// Which.
        path: PathBuf,
        /// What the manifest says.
        expected: u64,
        /// What was found; one more than expected for any longer file.
        actual: u64,
    },
}

/// Where a round is published below `root`.
#[must_use]
pub fn directory(root: &Path, round: &RoundId) -> PathBuf {
    root.join(format!("{}_{}", round.date, round.window_days))
}

/// Publishes a round's canonical scores below `root`. What is published already with the same scores and by the same
/// hotkey stays as it is, so that this may be repeated.
///
/// # Errors
/// When the scores are not the round's, or the file system refuses.
pub fn publish(root: &Path, edition: &Edition<'_>) -> Result<Manifest, PublishError> {
    let Edition { round, roster, canonical, calibration, reasons, signer, now } = *edition;
    let rows = canonical_rows(roster, canonical, calibration).and_then(|rows| with_reasons(rows, reasons));
    let rows = rows.map_err(|source| PublishError::Mismatch { round: round.id, source })?;
    let target = directory(root, &round.id);
    let mut files = Vec::with_capacity(Format::ALL.len() + 1);
    for format in Format::ALL {
        files.push(Written { name: format.file(), bytes: encode(&rows, format)?, rows: rows.len() });
    }
    if let Some(calibration) = calibration {
        let bytes = serde_json::to_vec(calibration).map_err(EncodeError::from)?;
        files.push(Written { name: CALIBRATION_FILE, bytes, rows: calibration.knots.len() });
    }
    let mut manifest = manifest(round, canonical, &files);
    manifest.made_at = rfc3339(millis(now));
    manifest.sign(signer)?;
    if let Ok(there) = verify(&target, Some(&signer.hotkey()))
        && same_but_time(&there, &manifest)
    {
        return Ok(there);
    }
    clear_up(root, now);
    let staging = Staging::beside(&target, true)?;
    for file in &files {
        staging.write(file.name, &file.bytes)?;
    }
    staging.write(MANIFEST_FILE, &manifest.to_json()?)?;
    staging.publish()?;
    Ok(manifest)
}

/// Removes what earlier processes were writing when they were killed. What cannot be removed disturbs nobody.
fn clear_up(root: &Path, now: Duration) {
    let before = UNIX_EPOCH + now.saturating_sub(ABANDONED);
    match remove_abandoned(root, before) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(root = %root.display(), %error, "what a killed process left cannot be removed");
        }
        _ => {}
    }
}

/// A file as it is written.
struct Written {
    name: &'static str,
    bytes: Vec<u8>,
    rows: usize,
}

fn manifest(round: &Round, canonical: &Canonical, files: &[Written]) -> Manifest {
    let entry = |file: &Written| {
        let (bytes, rows) = (file.bytes.len() as u64, file.rows as u64);
        (file.name.to_owned(), FileEntry { bytes, rows, sha256: Digest::of(&file.bytes) })
    };
    Manifest {
        batch: round.batch,
        contributors: canonical.weights.clone(),
        files: files.iter().map(entry).collect::<BTreeMap<_, _>>(),
        hotkey: Hotkey::from_bytes([0; 32]),
        made_at: String::new(),
        round: round.id.to_string(),
        rules: canonical.rules,
        scheme: crate::wallet::Scheme::default(),
        signature: String::new(),
    }
}

fn same_but_time(a: &Manifest, b: &Manifest) -> bool {
    let timeless = |of: &Manifest| Manifest { made_at: String::new(), signature: String::new(), ..of.clone() };
    timeless(a) == timeless(b)
}

/// Checks a published directory: the manifest's signature (by `expected`, where that is given), and length and digest
/// of every file.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(directory: &Path, expected: Option<&Hotkey>) -> Result<Manifest, VerifyError> {
    let published = Published::open(directory, expected)?;
    for format in Format::ALL {
        published.check(format.file(), published.entry(format)?)?;
    }
    if let Some(entry) = published.manifest.files.get(CALIBRATION_FILE) {
        published.check(CALIBRATION_FILE, *entry)?;
    }
    Ok(published.manifest)
}

/// A published round whose manifest was checked.
#[derive(Clone, Debug)]
pub struct Published {
    directory: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

impl Published {
    /// Reads and checks the manifest.
    ///
    /// # Errors
    /// When there is none, or it is not to be believed.
    pub fn open(directory: &Path, expected: Option<&Hotkey>) -> Result<Self, VerifyError> {
        let bytes = read(&directory.join(MANIFEST_FILE), MAX_MANIFEST_BYTES)?;
        let manifest = Manifest::read(&bytes, expected)?;
        if let Some(name) = manifest.files.keys().find(|name| !is_known(name)) {
            return Err(VerifyError::Unknown(name.clone()));
        }
        Ok(Self { directory: directory.to_path_buf(), manifest })
    }

    /// What the manifest says of a file.
    ///
    /// # Errors
    /// When it does not name it.
    pub fn entry(&self, format: Format) -> Result<FileEntry, VerifyError> {
        self.manifest.files.get(format.file()).copied().ok_or(VerifyError::Missing(format.file()))
    }

    /// A file, checked.
    ///
    /// # Errors
    /// When it is not the file that the manifest describes.
    pub fn read(&self, format: Format) -> Result<Vec<u8>, VerifyError> {
        let (path, entry) = (self.directory.join(format.file()), self.entry(format)?);
        let bytes = read(&path, entry.bytes.min(MAX_FILE_BYTES))?;
        compare(path, entry, bytes.len() as u64, Digest::of(&bytes))?;
        Ok(bytes)
    }

    fn check(&self, name: &str, entry: FileEntry) -> Result<(), VerifyError> {
        let path = self.directory.join(name);
        let found = File::open(&path).and_then(|file| Digest::of_reader(file.take(entry.bytes.saturating_add(1))));
        let (digest, length) = found.map_err(|source| VerifyError::Read { path: path.clone(), source })?;
        compare(path, entry, length, digest)
    }
}

fn compare(path: PathBuf, entry: FileEntry, length: u64, digest: Digest) -> Result<(), VerifyError> {
    if length != entry.bytes {
        return Err(VerifyError::Length { path, expected: entry.bytes, actual: length });
    }
    if digest != entry.sha256 {
        return Err(VerifyError::Digest { path, expected: entry.sha256, actual: digest });
    }
    Ok(())
}

/// A file up to a length, and one byte more of a longer one, so that it is seen to be longer.
fn read(path: &Path, longest: u64) -> Result<Vec<u8>, VerifyError> {
    let mut bytes = Vec::new();
    let found = File::open(path).and_then(|file| file.take(longest.saturating_add(1)).read_to_end(&mut bytes));
    found.map_err(|source| VerifyError::Read { path: path.to_path_buf(), source })?;
    Ok(bytes)
}
