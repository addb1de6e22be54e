//! What the batch of a round says that its alerts are sliced by, kept for good: batches are swept after weeks, months are compared
//! for years. A small file a round, `slices/<round>.json`, beside the published files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
use aml_miner::whole_file::{self, Readers};
use serde::{Deserialize, Serialize};

use crate::store::records::RoundId;

/// The version of the bands.
const VERSION: u16 = 1;
/// What stands for an alert of which it is not known.
const UNKNOWN: char = '-';
/// Two letters an alert of the largest batch, and some more.
const MOST_BYTES: u64 = 16 << 20;

/// What the alerts of a round are sliced by, as far as the ledger does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceFacts {
    /// Of the bands.
    version: u16,
    /// SHA-256 of the batch's manifest.
    pub batch: Digest,
    /// The batch's network.
    pub network: String,
    /// The band of the address's age, a letter an alert in the order of the roster.
    age: String,
    /// The band of the alert's volume, likewise.
    volume: String,
}

/// A band by its place; `None` where it is not known.
pub type Band = Option<u8>;

impl SliceFacts {
    /// From what a batch says of each alert of the roster: its age and its volume.
    #[must_use]
    pub fn new(batch: Digest, network: &str, bands: impl Iterator<Item = (Band, Band)>) -> Self {
        let letter = |band: Band| band.and_then(|band| char::from_digit(band.into(), 10)).unwrap_or(UNKNOWN);
        let (age, volume) = bands.map(|(age, volume)| (letter(age), letter(volume))).unzip();
        Self { version: VERSION, batch, network: network.to_owned(), age, volume }
    }

    /// The bands of each alert, age and volume.
    pub fn bands(&self) -> impl Iterator<Item = (Band, Band)> + '_ {
        let band = |letter: char| letter.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        self.age.chars().zip(self.volume.chars()).map(move |(age, volume)| (band(age), band(volume)))
    }

    /// The facts of a round of so many alerts, made from this batch; `None` where there are none of it that can be used.
    #[must_use]
    pub fn read(published: &Path, round: &RoundId, batch: Digest, alerts: usize) -> Option<Self> {
        let path = path(published, round);
        if fs::metadata(&path).ok()?.len() > MOST_BYTES {
            return None;
        }
        let read: Self = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let fits = read.age.chars().count() == alerts && read.volume.chars().count() == alerts;
        (read.version == VERSION && read.batch == batch && fits).then_some(read)
    }

    /// Keeps them.
    ///
    /// # Errors
    /// The file system's.
    pub fn keep(&self, published: &Path, round: &RoundId) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        whole_file::write(&path(published, round), &bytes, Readers::Everyone)
    }
}

/// Where they are kept: beside the published files.
fn path(published: &Path, round: &RoundId) -> PathBuf {
    published.with_file_name("slices").join(format!("{round}.json"))
}

#[cfg(test)]
mod tests {
    use aml_miner::digest::Digest;

    use super::SliceFacts;

    #[test]
    fn what_was_kept_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let published = folder.path().join("published");
        let round = "1-2026-01-05-30".parse().expect("a round");
        let bands = [(Some(0), None), (None, Some(4)), (Some(3), Some(1))];
        let batch = Digest::of(b"batch");
        let facts = SliceFacts::new(batch, "bitcoin", bands.into_iter());
        assert_eq!(SliceFacts::read(&published, &round, batch, 3), None);
        facts.keep(&published, &round).expect("kept");
        let read = SliceFacts::read(&published, &round, batch, 3).expect("it is there");
        assert_eq!((read.bands().collect::<Vec<_>>(), read.network.as_str()), (bands.to_vec(), "bitcoin"));
        assert_eq!(SliceFacts::read(&published, &round, batch, 4), None, "of another roster");
        assert_eq!(SliceFacts::read(&published, &round, Digest::of(b"other"), 3), None, "of another batch");
        std::fs::write(super::path(&published, &round), b"{").expect("damaged");
        assert_eq!(SliceFacts::read(&published, &round, batch, 3), None);
    }
}
