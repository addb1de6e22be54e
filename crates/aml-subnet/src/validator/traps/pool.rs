//! The pool of a round: settled alerts of past batches that may be issued again, as a value and as a file.
//!
//! Traps must be made again, byte for byte, when a round is resumed, though outcomes may have been added in between. So
//! a pool is gathered once per round, kept as a file, and named by its digest in the round's task.

use std::collections::BTreeMap;
use std::io::Read as _;

use aml_miner::digest::Digest;
use aml_miner::wire::{Batch, InOrder, ReadBodyError, Reading, read_body, write_body};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::draw::Draw;
use super::fineness::Fineness;
use super::levels::Levels;
use super::slice::{Candidate, Kind, SettledBatch, Slice};

/// Alerts of a class that are kept of one batch.
const PER_CLASS: usize = 60;
/// Bytes of a pool: far above what a handful of slices need.
const MAX_BYTES: u64 = 1 << 30;
/// Level of compression: a pool is made once a round and read again after a restart only.
const LEVEL: i32 = 1;

/// Settled alerts that may be issued again.
#[derive(Clone, Debug, PartialEq)]
pub struct TrapPool {
    pub(super) slices: Vec<Slice>,
    /// Each slice as it stands in the file.
    texts: Vec<String>,
}

/// What a pool takes from one settled batch.
#[derive(Debug)]
pub struct PoolPart {
    slice: Slice,
    text: String,
}

impl PoolPart {
    /// Alerts of a settled batch, chosen by `draw`; `None` when it has none that can be used, or rows that no miner would
    /// accept.
    #[must_use]
    pub fn cut(settled: &SettledBatch<'_>, draw: &mut Draw) -> Option<Self> {
        let file = SliceFile::of(&Slice::cut(settled, PER_CLASS, draw)?);
        let text = serde_json::to_string(&file).expect("texts and finite numbers have a JSON form");
        // What is used is what would be read back, so that a resumed round has the very same rows.
        Some(Self { slice: file.open().ok()?, text })
    }
}

/// A file that is no pool.
#[derive(Debug, thiserror::Error)]
pub enum ReadPoolError {
    /// It cannot be decompressed.
    #[error("the pool of traps cannot be decompressed: {0}")]
    Compression(#[source] std::io::Error),
    /// More bytes than a pool may have.
    #[error("the pool of traps has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Another shape.
    #[error("the pool of traps has another shape: {0}")]
    Shape(#[from] serde_json::Error),
    /// Its rows are no batch.
    #[error("the pool of traps has rows that are no batch: {0}")]
    Rows(#[from] ReadBodyError),
    /// A candidate that has no row.
    #[error("the pool of traps names row {row}, its slice has {rows}")]
    Row {
        /// The row.
        row: usize,
        /// Rows of the slice.
        rows: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct SliceFile {
    date: NaiveDate,
    candidates: Vec<Candidate>,
    ranges: BTreeMap<String, (f64, f64)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fineness: BTreeMap<String, Fineness>,
    #[serde(default, skip_serializing_if = "Levels::is_empty")]
    levels: Levels,
    mentions: BTreeMap<String, Kind>,
    batch: Box<RawValue>,
}

impl TrapPool {
    /// A pool without alerts: nothing is settled yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { slices: Vec::new(), texts: Vec::new() }
    }

    /// Adds alerts of a settled batch, chosen by `draw`; nothing of a batch whose rows no miner would accept.
    #[must_use]
    pub fn with(mut self, settled: &SettledBatch<'_>, draw: &mut Draw) -> Self {
        if let Some(part) = PoolPart::cut(settled, draw) {
            self.add(part);
        }
        self
    }

    /// Adds what was cut out of a batch.
    pub fn add(&mut self, PoolPart { slice, text }: PoolPart) {
        let place = self.slices.partition_point(|other| other.date <= slice.date);
        self.slices.insert(place, slice);
        self.texts.insert(place, text);
    }

    /// How many alerts may be issued again.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slices.iter().map(|slice| slice.candidates.len()).sum()
    }

    /// Whether there is nothing to issue.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of its JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.json())
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// When memory for the compressor cannot be had.
    pub fn to_file(&self) -> Result<Vec<u8>, std::io::Error> {
        zstd::encode_all(self.json().as_slice(), LEVEL)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are no pool.
    pub fn from_file(bytes: &[u8]) -> Result<Self, ReadPoolError> {
        let mut json = Vec::new();
        let decoder = zstd::Decoder::new(bytes).map_err(ReadPoolError::Compression)?;
        decoder.take(MAX_BYTES + 1).read_to_end(&mut json).map_err(ReadPoolError::Compression)?;
        if json.len() as u64 > MAX_BYTES {
            return Err(ReadPoolError::TooLarge);
        }
        Self::parse(&json)
    }

    fn parse(json: &[u8]) -> Result<Self, ReadPoolError> {
        let texts: Vec<Box<RawValue>> = serde_json::from_slice(json)?;
        let texts: Vec<String> = texts.into_iter().map(|text| String::from(Box::<str>::from(text))).collect();
        let one = |text: &String| serde_json::from_str::<SliceFile>(text)?.open();
        let slices = texts.iter().map(one).collect::<Result<_, ReadPoolError>>()?;
        Ok(Self { slices, texts })
    }

    fn json(&self) -> Vec<u8> {
        format!("[{}]", self.texts.join(",")).into_bytes()
    }
}

impl SliceFile {
    fn of(slice: &Slice) -> Self {
        let body = String::from_utf8(write_body(&slice.batch)).expect("a body is JSON, which is UTF-8");
        Self {
            date: slice.date,
            candidates: slice.candidates.clone(),
            ranges: slice.ranges.clone(),
            fineness: slice.fineness.clone(),
            levels: slice.levels.clone(),
            mentions: slice.mentions.clone(),
            batch: RawValue::from_string(body).expect("a body is JSON"),
        }
    }

    fn open(self) -> Result<Slice, ReadPoolError> {
        let batch: Batch = read_body(self.batch.get().as_bytes(), &Reading::default(), &InOrder)?;
        let rows = batch.alerts.rows();
        match self.candidates.iter().find(|candidate| candidate.row >= rows) {
            Some(stray) => Err(ReadPoolError::Row { row: stray.row, rows }),
            None => Ok(Slice {
                date: self.date,
                batch,
                candidates: self.candidates,
                ranges: self.ranges,
                fineness: self.fineness,
                levels: self.levels,
                mentions: self.mentions,
            }),
        }
    }
}
