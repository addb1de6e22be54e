//! Reads the rows of one table. Keys are expected in the order of the first row and written as there, so that most need
//! one comparison, together with the punctuation around them.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::columns::Columns;
use super::names::Names;
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

static KEYS: LazyLock<[Names; 4]> = LazyLock::new(|| {
    TABLES.map(|spec| {
        let names = spec.columns.iter().enumerate();
        Names::new(names.flat_map(|(index, about)| {
            [Some(about.name), about.alias].into_iter().flatten().map(move |name| (name, index))
        }))
    })
});

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Column(usize),
    Unknown,
}

/// A key of the first row.
struct Learned<'a> {
    /// All that stood between the value before it and its own.
    lead: &'a [u8],
    /// Its quotes included.
    key: &'a str,
    slot: Slot,
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
    /// Keys in the order of the first row.
    learned: Vec<Learned<'a>>,
    /// By column: the place after its key in that order; 0 where it has none.
    after: Vec<u16>,
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
            after: vec![0; TABLES[table].columns.len()],
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
                // The first lead has no comma, so it counts only where none is due.
                Some(&Learned { lead, key, slot }) if (expected > 0 || keys == 0) && scan.pass(lead) => {
                    expected += 1;
                    self.note(slot, key);
                    slot
                }
                _ => {
                    let before = scan.at();
                    if keys > 0 && scan.after_item(b'}')? == Next::End {
                        return Ok(regular);
                    }
                    self.other_lead(scan, before, &mut expected, &mut regular)?
                }
            };
            match slot {
                Slot::Column(column) => self.value(scan, column)?,
                Slot::Unknown => scan.value(DEPTH)?,
            }
            keys += 1;
            if keys > MAX_KEYS {
                return scan.error("a row has more keys than the limit");
            }
        }
    }

    /// A key and its colon that are not as in the first row, or not where they are expected.
    fn other_lead(
        &mut self,
        scan: &mut Scanner<'a>,
        before: usize,
        expected: &mut usize,
        regular: &mut bool,
    ) -> Result<Slot, SyntaxError> {
        let slot = match self.learned.get(*expected) {
            Some(&Learned { key, slot, .. }) if scan.literal(key) => {
                *expected += 1;
                self.note(slot, key);
                slot
            }
            _ => {
                *regular = false;
                self.other_key(scan, expected)?
            }
        };
        scan.colon()?;
        if self.rows == 0
            && let Some(learned) = self.learned.last_mut()
        {
            learned.lead = scan.since(before).as_bytes();
        }
        Ok(slot)
    }

    /// Unknown keys are remembered until the row ends.
    #[inline]
    fn note(&mut self, slot: Slot, key: &'a str) {
        if slot == Slot::Unknown {
            self.unknown_in_row.push(Cow::Borrowed(key));
        }
    }

    /// A key that is not the expected one; the next is expected after it.
    fn other_key(&mut self, scan: &mut Scanner<'a>, expected: &mut usize) -> Result<Slot, SyntaxError> {
        let start = scan.at();
        let span = scan.string()?;
        let raw = scan.since(start);
        let name = decode(scan.slice(span), span.escaped);
        let slot = KEYS[self.table].get(&name).map_or(Slot::Unknown, Slot::Column);
        if self.rows == 0 {
            self.learned.push(Learned { lead: b"", key: raw, slot });
            *expected = self.learned.len();
            if let (Slot::Column(column), Ok(after)) = (slot, u16::try_from(*expected)) {
                self.after[column] = after;
            }
        } else {
            *expected = match slot {
                Slot::Column(column) if self.after[column] > 0 => self.after[column].into(),
                Slot::Column(_) => *expected,
                Slot::Unknown => {
                    self.learned.iter().position(|learned| learned.key == raw).map_or(*expected, |place| place + 1)
                }
            };
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
