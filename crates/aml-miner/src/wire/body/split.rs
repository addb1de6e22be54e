//! Where a large body may be cut: guesses at the beginnings of rows, to be proven by the reader before each.
//!
//! The number of cuts depends on the body's length alone, so that limits hold in the same way for any number of
//! threads.

use super::{BodyLimits, TABLES};
use crate::wire::json::Scanner;
use crate::wire::json::scan::Next;

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the beginning of the text.
    Document,
    /// At the opening brace of a row.
    Row {
        /// Index in [`TABLES`].
        table: usize,
        /// Byte offset.
        at: usize,
    },
}

impl Start {
    pub(super) fn at(self) -> usize {
        match self {
            Self::Document => 0,
            Self::Row { at, .. } => at,
        }
    }
}

/// A part is worth its own start from this length on.
const PART_BYTES: usize = 2 << 20;
const MAX_PARTS: usize = 64;

/// The beginning of the text and likely beginnings of rows after it, in order.
pub(super) fn starts(text: &str, limits: &BodyLimits) -> Vec<Start> {
    let parts = (text.len() / PART_BYTES).clamp(1, MAX_PARTS);
    let size = text.len() / parts;
    let mut starts = vec![Start::Document];
    for part in 1..parts {
        let from = starts.last().map_or(0, |last| last.at() + 1).max(part * size);
        starts.extend(row_after(text, from, (part + 1) * size, limits));
    }
    starts
}

/// The first brace in `from..to` that follows `},` and opens an object whose keys tell its table.
fn row_after(text: &str, from: usize, to: usize, limits: &BodyLimits) -> Option<Start> {
    let bytes = text.as_bytes();
    let mut tries = 0;
    memchr::memchr_iter(b'{', bytes.get(from..to.min(bytes.len()))?).map(|offset| from + offset).find_map(|at| {
        let before = bytes[..at].trim_ascii_end().strip_suffix(b",")?.trim_ascii_end();
        if before.last() != Some(&b'}') || tries == 8 {
            return None;
        }
        tries += 1;
        table_of_row(text, at, limits).map(|table| Start::Row { table, at })
    })
}

/// The table to which an object with these keys belongs, if it is one of a row.
fn table_of_row(text: &str, at: usize, limits: &BodyLimits) -> Option<usize> {
    let mut scan = Scanner::new(text, limits.string, limits.depth);
    scan.move_to(at + 1);
    scan.next_byte();
    let mut has_address = false;
    loop {
        let key = scan.string().ok()?;
        match scan.slice(key) {
            "alert_id" => return table_called("alerts"),
            "cluster_id" => return table_called("clusters"),
            "from_address" | "source_address" => return table_called("money_flows"),
            "address" => has_address = true,
            _ => {}
        }
        scan.colon().ok()?;
        scan.value(3).ok()?;
        if scan.after_item(b'}').ok()? == Next::End {
            return if has_address { table_called("features") } else { None };
        }
    }
}

fn table_called(name: &str) -> Option<usize> {
    TABLES.iter().position(|spec| spec.name == name)
}
