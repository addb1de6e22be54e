//! Stretches of bytes that grow side by side: in memory as long as they are few, then in a temporary file without a name.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Stretches of bytes, by number.
pub(super) struct Spools {
    file: File,
    end: u64,
    held: usize,
    most: usize,
    spools: Vec<Spool>,
}

#[derive(Clone, Default)]
struct Spool {
    /// Where the pieces that were written lie, and how long they are.
    pieces: Vec<(u64, usize)>,
    /// What was not written yet.
    held: Vec<u8>,
}

impl Spools {
    /// So many empty stretches, of which `most` bytes are held in memory and the others in a file in `directory`.
    pub(super) fn new(directory: &Path, count: usize, most: usize) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        Ok(Self { file, end: 0, held: 0, most, spools: vec![Spool::default(); count] })
    }

    /// Adds `bytes` to a stretch.
    pub(super) fn add(&mut self, spool: usize, bytes: &[u8]) -> io::Result<()> {
        self.spools[spool].held.extend_from_slice(bytes);
        self.held += bytes.len();
        if self.held > self.most { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        for spool in self.spools.iter_mut().filter(|spool| !spool.held.is_empty()) {
            self.file.write_all(&spool.held)?;
            spool.pieces.push((self.end, spool.held.len()));
            self.end += spool.held.len() as u64;
            spool.held = Vec::new();
        }
        self.held = 0;
        Ok(())
    }

    /// All bytes of a stretch.
    pub(super) fn read(&mut self, spool: usize) -> io::Result<Vec<u8>> {
        let Spool { pieces, held } = &self.spools[spool];
        let mut bytes = Vec::with_capacity(pieces.iter().map(|(_, length)| length).sum::<usize>() + held.len());
        for &(at, length) in pieces {
            self.file.seek(SeekFrom::Start(at))?;
            (&self.file).take(length as u64).read_to_end(&mut bytes)?;
        }
        bytes.extend_from_slice(held);
        Ok(bytes)
    }
}
