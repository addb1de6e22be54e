//! What a submission or a reference says of a round's alerts, as numbers by roster place.

use std::fmt;
use std::str::FromStr;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::validation::v2::calibration::Bins;
use crate::validation::v2::curve::Parts;
use crate::wallet::{Hotkey, NotAnAddress};

/// What the names of references begin with; a hotkey's text has no colon.
const REFERENCE: &str = "reference:";

/// Whose column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnName {
    /// A miner's.
    Miner(Hotkey),
    /// Nobody's: `canonical`, `outcomes`.
    Reference(String),
}

impl fmt::Display for ColumnName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Miner(hotkey) => write!(out, "{hotkey}"),
            Self::Reference(name) => write!(out, "{REFERENCE}{name}"),
        }
    }
}

impl FromStr for ColumnName {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match text.strip_prefix(REFERENCE) {
            Some(name) => Ok(Self::Reference(name.to_owned())),
            None => text.parse().map(Self::Miner),
        }
    }
}

/// Digests of a column as it is stored: of 16-bit integers and of 64-bit floats, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDigests {
    /// SHA-256 of the column.
    pub worths: Digest,
    /// SHA-256 of the scores.
    pub scores: Digest,
}

/// A column with the scores that it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredColumn {
    /// Whose.
    pub name: ColumnName,
    /// In 2048ths, by roster place.
    pub worths: Vec<i16>,
    /// By roster place.
    pub scores: Vec<f64>,
}

impl StoredColumn {
    /// A column of its bytes, little-endian; `None` when they are not one finite score for each worth.
    #[must_use]
    pub fn of_bytes(name: ColumnName, worths: &[u8], scores: &[u8]) -> Option<Self> {
        let (worths, scores) = (worths_of(worths)?, scores_of(scores)?);
        let sound = worths.len() == scores.len() && scores.iter().all(|score| score.is_finite());
        sound.then_some(Self { name, worths, scores })
    }

    /// What the verdict says of it.
    #[must_use]
    pub fn digests(&self) -> ColumnDigests {
        ColumnDigests { worths: Digest::of(&worth_bytes(&self.worths)), scores: Digest::of(&score_bytes(&self.scores)) }
    }
}

/// Known outcomes of a submission's alerts, as integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// By part of its order.
    pub parts: Parts,
    /// By bin of its scores.
    pub bins: Bins,
}

/// Little-endian.
pub(in crate::store) fn worth_bytes(worths: &[i16]) -> Vec<u8> {
    worths.iter().flat_map(|worth| worth.to_le_bytes()).collect()
}

/// Little-endian.
pub(in crate::store) fn score_bytes(scores: &[f64]) -> Vec<u8> {
    scores.iter().flat_map(|score| score.to_le_bytes()).collect()
}

/// The other way; `None` when it does not come out even.
pub(in crate::store) fn worths_of(bytes: &[u8]) -> Option<Vec<i16>> {
    let (whole, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| whole.iter().map(|two| i16::from_le_bytes(*two)).collect())
}

/// The other way; `None` when it does not come out even.
pub(in crate::store) fn scores_of(bytes: &[u8]) -> Option<Vec<f64>> {
    let (whole, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| whole.iter().map(|eight| f64::from_le_bytes(*eight)).collect())
}
