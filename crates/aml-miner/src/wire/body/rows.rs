//! Reads the rows of one table. Keys are expected in the order of the first row, so that most need one comparison.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::columns::Columns;
use super::{Reading, TABLES};
use crate::table::Column;
use crate::wire::json::scan::Next;
use crate::wire::json::text::decode;
use crate::wire::json::{Scanner, SyntaxError};
use crate::wire::problem::{Fault, Found, Problems};

/// Brackets open around a value of a row: the body, the table, the row.
pub(super) const DEPTH: u32 = 3;
/// Keys of one row: four times what the widest table has.
const MAX_KEYS: usize = 512;
/// Unknown keys that are remembered by name.
const MAX_UNKNOWN: usize = 64;
/// Cells that a part may hold whatever its length, and bytes of text that each further one must have.
const FREE_CELLS: usize = 1 << 16;
const BYTES_PER_CELL: usize = 4;

/// Cells that `bytes` of text may become.
pub(super) fn cell_budget(bytes: usize) -> usize {
    FREE_CELLS + bytes / BYTES_PER_CELL
}

static KEYS: LazyLock<[HashMap<&'static str, usize>; 4]> = LazyLock::new(|| {
    TABLES.map(|spec| {
        let names = spec.columns.iter().enumerate();
        names.flat_map(|(index, about)| [Some(about.name), about.alias].into_iter().flatten().zip([index; 2])).collect()
    })
});

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Column(usize),
    Unknown,
}

/// A reader of rows and what it has read.
pub(super) struct TableReader<'a> {
    pub(super) table: usize,
    pub(super) reading: &'a Reading,
    pub(super) columns: Columns,
    pub(super) rows: usize,
    pub(super) problems: Problems,
    /// Columns of the current row that have a key, and those that have a value.
    pub(super) seen: u128,
    pub(super) given: u128,
    /// Columns of any row that have a key.
    ever: u128,
    /// Keys in the order of the first row, quotes included.
    learned: Vec<(&'a str, Slot)>,
    unknown_in_row: Vec<Cow<'a, str>>,
    unknown: Vec<String>,
    budget: usize,
    /// Rows are only passed over: there are too many, or they are too sparse.
    full: bool,
}

/// What a reader leaves.
pub(super) struct Rows {
    pub table: usize,
    pub rows: usize,
    pub columns: Vec<Option<Column>>,
    pub problems: Vec<Found>,
    pub unknown: Vec<String>,
}

impl<'a> TableReader<'a> {
    /// A reader of rows of `table` out of `bytes` bytes of text.
    pub(super) fn new(table: usize, reading: &'a Reading, bytes: usize) -> Self {
        Self {
            table,
            reading,
            columns: Columns::new(table, reading.needs),
            rows: 0,
            problems: Problems::at_most(reading.limits.problems),
            seen: 0,
            given: 0,
            ever: 0,
            learned: Vec::new(),
            unknown_in_row: Vec::new(),
            unknown: Vec::new(),
            budget: cell_budget(bytes),
            full: false,
        }
    }

    /// Reads the row that begins here.
    pub(super) fn row(&mut self, scan: &mut Scanner<'a>) -> Result<(), SyntaxError> {
        if scan.peek() != Some(b'{') {
            let start = scan.at();
            scan.value(DEPTH - 1)?;
            let (row, raw) = (self.rows, scan.since(start));
            self.problems.add(|| Found::of_row(row, Fault::NotAnObject).with_input(raw));
            self.rows += 1;
            return Ok(());
        }
        if self.full {
            self.rows += 1;
            return scan.value(DEPTH - 1);
        }
        scan.skip(1);
        (self.seen, self.given) = (0, 0);
        self.unknown_in_row.clear();
        let mut regular = true;
        if !scan.closes(b'}') {
            regular = self.members(scan)?;
        }
        self.end_row(regular);
        Ok(())
    }

    /// Reads the members of a row; whether all keys came in the learned order.
    fn members(&mut self, scan: &mut Scanner<'a>) -> Result<bool, SyntaxError> {
        let (mut expected, mut regular, mut keys) = (0, true, 0);
        loop {
            let slot = match self.learned.get(expected) {
                Some(&(key, slot)) if scan.literal(key) => {
                    expected += 1;
                    if slot == Slot::Unknown {
                        self.unknown_in_row.push(Cow::Borrowed(key));
                    }
                    slot
                }
                _ => {
                    regular = false;
                    self.other_key(scan, &mut expected)?
                }
            };
            scan.colon()?;
            match slot {
                Slot::Column(column) => self.value(scan, column)?,
                Slot::Unknown => scan.value(DEPTH)?,
            }
            keys += 1;
            if keys > MAX_KEYS {
                return scan.error("a row has more keys than the limit");
            }
            if scan.after_item(b'}')? == Next::End {
                return Ok(regular);
            }
        }
    }

    /// A key that is not the expected one; the next is expected after it.
    fn other_key(&mut self, scan: &mut Scanner<'a>, expected: &mut usize) -> Result<Slot, SyntaxError> {
        let start = scan.at();
        let span = scan.string()?;
        let raw = scan.since(start);
        let name = decode(scan.slice(span), span.escaped);
        let slot = KEYS[self.table].get(name.as_ref()).map_or(Slot::Unknown, |&column| Slot::Column(column));
        if self.rows == 0 {
            self.learned.push((raw, slot));
            *expected = self.learned.len();
        } else if let Some(place) = self.learned.iter().position(|(key, _)| *key == raw) {
            *expected = place + 1;
        }
        if slot == Slot::Unknown {
            if self.unknown.len() < MAX_UNKNOWN && !self.unknown.iter().any(|known| *known == name) {
                self.unknown.push(name.chars().take(MAX_UNKNOWN).collect());
            }
            // Predicted keys are compared with their quotes, so all are.
            self.unknown_in_row.push(if span.escaped { Cow::Owned(format!("\"{name}\"")) } else { Cow::Borrowed(raw) });
        }
        Ok(slot)
    }

    fn end_row(&mut self, regular: bool) {
        let row = self.rows;
        if !regular && self.unknown_in_row.len() > 1 {
            self.unknown_in_row.sort_unstable();
            if let Some(twice) = self.unknown_in_row.windows(2).find(|pair| pair[0] == pair[1]) {
                let key = twice[0].trim_matches('"');
                self.problems.add(|| Found::of_row(row, Fault::DuplicateKey).at_key(key));
            }
        }
        for (index, about) in TABLES[self.table].columns.iter().enumerate().filter(|(_, about)| about.required) {
            if self.given >> index & 1 == 0 {
                self.problems.add(|| Found::of_row(row, Fault::Missing).at_key(about.name));
            }
        }
        self.ever |= self.seen;
        self.rows += 1;
        if self.rows > self.reading.limits.rows[self.table] {
            self.give_up();
        } else if self.rows * self.ever.count_ones() as usize > self.budget {
            self.problems.add(|| Found::of_table(Fault::TooSparse));
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.full = true;
        self.columns.clear();
    }

    /// What was read, every column padded to the number of rows.
    pub(super) fn finish(self) -> Rows {
        let columns = if self.full {
            vec![None; TABLES[self.table].columns.len()]
        } else {
            self.columns.finish(self.ever, self.rows)
        };
        Rows {
            table: self.table,
            rows: self.rows,
            columns,
            problems: self.problems.into_found(),
            unknown: self.unknown,
        }
    }
}
