//! The digest of a table's values: the same however its rows are split into files, and whatever types hold them.
//!
//! Each column has a SHA-256 over its values in the order of the rows. A number is its 8 bytes, little-endian (all bits
//! set where it is missing); a text its length in bytes (4 bytes, little-endian) and its bytes; a list the number of its
//! items (4 bytes) and the items. The table's digest is over a line `aml-table/1`, a line with its name, one with the
//! number of its rows, and a line `COLUMN DIGEST` for each column that a file has, in the order of the format.

use std::sync::{Mutex, PoisonError};

use crate::digest::{Digest, Hashing};
use crate::table::Column;
use crate::table::spec::TableSpec;

/// First line of what is hashed for a table.
const FIRST_LINE: &str = "aml-table/1";
/// Bytes that are collected before they are hashed.
const BUFFER: usize = 1 << 15;

/// The digest of a table in the making.
pub(super) struct Content {
    spec: &'static TableSpec,
    columns: Vec<Mutex<Option<OfColumn>>>,
}

struct OfColumn {
    hashing: Hashing,
    rows: u64,
}

impl Content {
    /// Of no rows yet.
    pub(super) fn new(spec: &'static TableSpec) -> Self {
        Self { spec, columns: spec.columns.iter().map(|_| Mutex::new(None)).collect() }
    }

    /// Adds rows of the column at `position`, which follow `before` rows of the table.
    pub(super) fn add(&self, position: usize, column: &Column, before: u64) {
        let mut of = self.columns[position].lock().unwrap_or_else(PoisonError::into_inner);
        let of = of.get_or_insert_with(|| OfColumn { hashing: Hashing::default(), rows: 0 });
        of.pad(&self.spec.columns[position].kind, before);
        of.add(column);
    }

    /// The digest of a table of `rows` rows.
    pub(super) fn finish(self, rows: u64) -> Digest {
        let mut text = format!("{FIRST_LINE}\n{}\n{rows}\n", self.spec.name);
        for (about, of) in self.spec.columns.iter().zip(self.columns) {
            if let Some(mut of) = of.into_inner().unwrap_or_else(PoisonError::into_inner) {
                of.pad(&about.kind, rows);
                text.push_str(&format!("{} {}\n", about.name, of.hashing.finish()));
            }
        }
        Digest::of(text.as_bytes())
    }
}

impl OfColumn {
    /// Adds missing rows until there are so many.
    fn pad(&mut self, kind: &crate::table::spec::ColumnType, rows: u64) {
        let missing: &[u8] = if kind.is_number() { &[0xff; 8] } else { &[0; 4] };
        let lacking = rows.saturating_sub(self.rows);
        (0..lacking).for_each(|_| self.hashing.update(missing));
        self.rows += lacking;
    }

    fn add(&mut self, column: &Column) {
        let mut bytes = Vec::with_capacity(BUFFER + 64);
        for row in 0..column.len() {
            match column {
                Column::Numbers(values) => number(values[row], &mut bytes),
                Column::Texts(values) => text(values.get(row), &mut bytes),
                Column::TextLists(values) => {
                    count(values.count(row), &mut bytes);
                    values.get(row).for_each(|item| text(item, &mut bytes));
                }
                Column::NumberLists(values) => {
                    count(values.get(row).len(), &mut bytes);
                    values.get(row).iter().for_each(|&item| number(item, &mut bytes));
                }
            }
            if bytes.len() >= BUFFER {
                self.hashing.update(&bytes);
                bytes.clear();
            }
        }
        self.hashing.update(&bytes);
        self.rows += column.len() as u64;
    }
}

fn number(value: f64, bytes: &mut Vec<u8>) {
    let bits = if value.is_nan() { u64::MAX } else { value.to_bits() };
    bytes.extend_from_slice(&bits.to_le_bytes());
}

/// A text or list is far shorter than 2^32: both have bounds.
fn count(items: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&u32::try_from(items).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    count(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}
