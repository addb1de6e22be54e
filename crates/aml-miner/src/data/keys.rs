//! Keys of a table that were seen, over all of its files.
//!
//! Of a key 128 bits are kept, made under a secret of this process: that two keys share them by chance is as likely as a
//! broken machine, and nobody can make two that do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::table::TextColumn;
use crate::table::excerpt;
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::keyed_hash::{AsItIs, Fingerprint, Fingerprints};

/// Keys that were seen, and where.
#[derive(Default)]
pub(super) struct Keys {
    prints: Fingerprints,
    /// File and row.
    seen: HashMap<Fingerprint, (u32, u32), AsItIs>,
    files: Vec<String>,
}

impl Keys {
    /// The keys that follow are of `file`.
    pub(super) fn next_file(&mut self, file: &str) {
        self.files.push(file.to_owned());
    }

    /// Adds keys that stand in the file from the row `first` on; those that stand before already, at most `most`.
    pub(super) fn add(&mut self, keys: &TextColumn, first: usize, most: usize) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let file = number(self.files.len().saturating_sub(1));
        self.seen.reserve(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let row = first + row;
            match self.seen.entry(self.prints.of(key)) {
                Entry::Vacant(place) => {
                    place.insert((file, number(row)));
                }
                // A missing key is told once, as missing.
                Entry::Occupied(_) if key.is_empty() || flaws.len() >= most => {}
                Entry::Occupied(place) => {
                    let (value, (of, first)) = (excerpt(key), *place.get());
                    let first = first as usize;
                    flaws.push(Flaw::Cell(
                        row,
                        if of == file {
                            CellProblem::Duplicate { value, first }
                        } else {
                            CellProblem::Elsewhere { value, file: self.files[of as usize].clone(), first }
                        },
                    ));
                }
            }
        }
        flaws
    }
}

/// A file has fewer rows, and a table fewer files.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
