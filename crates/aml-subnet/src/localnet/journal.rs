//! The chain on disk: a journal of blocks that is read again at the next start.
//!
//! Records are checked one by one; what a crash left half-written at the end is cut off, so the chain goes on from its
//! last whole block. When the journal is long it is replaced, by one rename, by a new one that begins with a snapshot.

#![allow(clippy::cast_possible_truncation, reason = "the codec's derive casts variant indices, which are below 256")]

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aml_miner::locked_file::LockedFile;
use parity_scale_codec::{Decode, DecodeAll, Encode};

use super::block::{Block, Header};
use super::extrinsic::blake2_256;
use super::mirror::H256;
use super::spec::{Generation, Spec};
use super::state::Changes;

/// What the file begins with.
const MAGIC: &[u8; 8] = b"AMLNET1\n";
/// Length of a journal that is replaced by a snapshot.
const COMPACT_AT: u64 = 64 * 1024 * 1024;
/// Longest record, and so the largest snapshot.
const MAX_RECORD: usize = 512 * 1024 * 1024;
/// Bytes before a record: its length and the beginning of its digest.
const FRAME: usize = 12;

/// A block as it is stored.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Stored {
    hash: H256,
    header: Header,
    extrinsics: Vec<Vec<u8>>,
    generation: u32,
    version: u32,
    time_ms: u64,
}

/// One step of the chain.
#[derive(Debug, Encode, Decode)]
pub(crate) enum Record {
    /// Everything at one block.
    Snapshot { genesis: H256, head: Stored, cells: Vec<(Vec<u8>, Vec<u8>)> },
    /// A new block.
    Block { block: Stored, changes: Changes },
    /// Blocks after this height were taken back.
    TakenBack { to: u64 },
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory or file cannot be opened or read.
    #[error("cannot use {path} for the chain", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another process", path = path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is none of ours.
    #[error("{path} is not a journal of a localnet; give another directory, or remove it", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl From<&Block> for Stored {
    fn from(block: &Block) -> Self {
        let generation = match block.spec.generation {
            Generation::G218 => 218,
            Generation::G381 => 381,
            Generation::G463 => 463,
        };
        Self {
            hash: block.hash,
            header: block.header.clone(),
            extrinsics: block.extrinsics.clone(),
            generation,
            version: block.spec.version,
            time_ms: block.time_ms,
        }
    }
}

impl From<Stored> for Block {
    fn from(stored: Stored) -> Self {
        let generation = match stored.generation {
            218 => Generation::G218,
            381 => Generation::G381,
            _ => Generation::G463,
        };
        Self {
            hash: stored.hash,
            header: stored.header,
            extrinsics: stored.extrinsics,
            spec: Spec { generation, version: stored.version },
            time_ms: stored.time_ms,
        }
    }
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    file: LockedFile,
    path: PathBuf,
    length: u64,
}

impl Journal {
    /// Opens the journal of a directory, making both if they are missing; gives what it holds.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Vec<Record>), JournalError> {
        let path = directory.join("journal");
        let failed = |source| JournalError::Open { path: path.clone(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let Ok(mut file) = LockedFile::try_lock(file) else { return Err(JournalError::InUse { path }) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.is_empty() {
            file.write_all(MAGIC).map_err(failed)?;
            bytes.extend_from_slice(MAGIC);
        }
        let Some(body) = bytes.strip_prefix(MAGIC) else { return Err(JournalError::Foreign { path }) };
        let (records, used) = read_records(body);
        let length = (MAGIC.len() + used) as u64;
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok((Self { file, path, length }, records))
    }

    /// Adds a step.
    pub(crate) fn append(&mut self, record: &Record) -> io::Result<()> {
        let framed = frame(record);
        self.file.write_all(&framed)?;
        self.length += framed.len() as u64;
        Ok(())
    }

    /// Whether a snapshot is due.
    pub(crate) fn is_long(&self) -> bool {
        self.length > COMPACT_AT
    }

    /// Replaces everything by a snapshot.
    pub(crate) fn replace(&mut self, snapshot: &Record) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&fresh)?;
        let mut file = LockedFile::try_lock(file).map_err(|(_, error)| error)?;
        let framed = frame(snapshot);
        file.write_all(MAGIC)?;
        file.write_all(&framed)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        self.length = (MAGIC.len() + framed.len()) as u64;
        self.file = file;
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

fn frame(record: &Record) -> Vec<u8> {
    let body = record.encode();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut framed = length.to_le_bytes().to_vec();
    framed.extend_from_slice(&blake2_256(&body).0[..FRAME - 4]);
    framed.extend_from_slice(&body);
    framed
}

/// The whole records from the beginning, and how many bytes they take.
fn read_records(mut bytes: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, total) = (Vec::new(), bytes.len());
    while let Some((record, rest)) = read_record(bytes) {
        records.push(record);
        bytes = rest;
    }
    (records, total - bytes.len())
}

fn read_record(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(FRAME)?;
    let (length, digest) = head.split_at(4);
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (body, rest) = rest.split_at_checked(length).filter(|_| length <= MAX_RECORD)?;
    let whole = blake2_256(body).0[..FRAME - 4] == *digest;
    let record = Record::decode_all(&mut &*body).ok().filter(|_| whole)?;
    Some((record, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn three() -> Vec<u8> {
        (1..=3).flat_map(|to| frame(&Record::TakenBack { to })).collect()
    }

    #[test]
    fn a_torn_end_is_cut_off_and_the_rest_is_kept() {
        let bytes = three();
        let one = bytes.len() / 3;
        for end in 0..bytes.len() {
            let (records, used) = read_records(&bytes[..end]);
            assert_eq!((records.len(), used), (end / one, end / one * one));
        }
    }

    #[test]
    fn a_second_process_is_kept_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Journal::open(directory.path()).expect("opens");
        assert!(matches!(Journal::open(directory.path()), Err(JournalError::InUse { .. })));
        drop(first);
        assert!(Journal::open(directory.path()).is_ok());
    }

    #[test]
    fn another_file_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("journal"), "dear diary").expect("writes");
        assert!(matches!(Journal::open(directory.path()), Err(JournalError::Foreign { .. })));
        assert_eq!(fs::read(directory.path().join("journal")).expect("reads"), b"dear diary");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..100) {
            let mut damaged = three();
            let place = at % damaged.len();
            damaged.splice(place.., bytes);
            let _ = read_records(&damaged);
        }
    }
}
