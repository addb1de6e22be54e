//! Reads one part of a body: from the beginning or from a row, up to the row where the next part begins.

use super::rows::TableReader;
use super::split::Start;
use super::{Reading, TABLES};
use crate::wire::json::scan::Next;
use crate::wire::json::{Scanner, SyntaxError};
use crate::wire::problem::Fault;

/// Keys of the body that are no table: more than any caller has, few enough to compare.
const MAX_OTHER_KEYS: usize = 64;

/// What one reader found.
pub(super) struct Part<'a> {
    pub start: Start,
    pub segments: Vec<Segment<'a>>,
    /// Whether the body is an object.
    pub is_object: bool,
    pub other_keys: Vec<&'a str>,
    pub end: End,
}

/// Rows of one table that one reader read.
pub(super) struct Segment<'a> {
    /// Whether the table's list was opened here, rather than continued.
    pub opened: bool,
    /// What is wrong with the table itself.
    pub fault: Option<Fault>,
    pub rows: TableReader<'a>,
}

/// Where a reader stopped.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// At the end of the text.
    Finished,
    /// Before a row that it left to the next reader.
    Row(Start),
    /// At something that is not JSON.
    Broken(SyntaxError),
}

impl<'a> Part<'a> {
    /// Reads from `start` up to the first row at or after `until`.
    pub(super) fn read(text: &'a str, reading: &'a Reading, start: Start, until: usize) -> Self {
        let scan = Scanner::new(text, reading.limits.string, reading.limits.depth);
        let bytes = until.saturating_sub(start.at());
        let mut reader = Reader { scan, reading, until, bytes, segments: Vec::new(), other_keys: Vec::new() };
        let (end, is_object) = match reader.run(start) {
            Ok(Some(end)) => (end, true),
            Ok(None) => (End::Finished, false),
            Err(error) => (End::Broken(error), true),
        };
        Self { start, segments: reader.segments, is_object, other_keys: reader.other_keys, end }
    }
}

struct Reader<'a> {
    scan: Scanner<'a>,
    reading: &'a Reading,
    until: usize,
    bytes: usize,
    segments: Vec<Segment<'a>>,
    other_keys: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// `None` when the text is JSON but not an object.
    fn run(&mut self, start: Start) -> Result<Option<End>, SyntaxError> {
        let stopped = match start {
            Start::Document => {
                if self.scan.next_byte() != Some(b'{') {
                    self.scan.value(0)?;
                    return self.nothing_follows().map(|()| None);
                }
                self.scan.skip(1);
                if self.scan.closes(b'}') {
                    return self.nothing_follows().map(|()| Some(End::Finished));
                }
                self.member()?
            }
            Start::Row { table, at } => {
                self.scan.move_to(at);
                self.open(table, false);
                self.rows(table)?
            }
        };
        if stopped.is_some() {
            return Ok(stopped);
        }
        while self.scan.after_item(b'}')? == Next::More {
            if let Some(end) = self.member()? {
                return Ok(Some(end));
            }
        }
        self.nothing_follows().map(|()| Some(End::Finished))
    }

    fn nothing_follows(&mut self) -> Result<(), SyntaxError> {
        match self.scan.next_byte() {
            None => Ok(()),
            Some(_) => self.scan.error("text after the end of the JSON value"),
        }
    }

    /// One member of the body; tells where it stopped if that is inside of it.
    fn member(&mut self) -> Result<Option<End>, SyntaxError> {
        let key = self.scan.string()?;
        let name = crate::wire::json::text::decode(self.scan.slice(key), key.escaped);
        self.scan.colon()?;
        let Some(table) = TABLES.iter().position(|spec| spec.name == name) else {
            if self.other_keys.len() == MAX_OTHER_KEYS {
                return self.scan.error("too many keys beside the tables");
            }
            self.other_keys.push(self.scan.slice(key));
            return self.scan.value(1).map(|()| None);
        };
        self.open(table, true);
        if self.scan.peek() == Some(b'[') {
            self.scan.skip(1);
            return if self.scan.closes(b']') { Ok(None) } else { self.rows(table) };
        }
        if !self.scan.literal("null") {
            self.scan.value(1)?;
            self.fault(Fault::NotAList);
        } else if self.reading.required == TABLES[table].name {
            self.fault(Fault::NotAList);
        }
        Ok(None)
    }

    fn fault(&mut self, fault: Fault) {
        if let Some(segment) = self.segments.last_mut() {
            segment.fault = Some(fault);
        }
    }

    fn open(&mut self, table: usize, opened: bool) {
        self.segments.push(Segment { opened, fault: None, rows: TableReader::new(table, self.reading, self.bytes) });
    }

    fn rows(&mut self, table: usize) -> Result<Option<End>, SyntaxError> {
        let Some(segment) = self.segments.last_mut() else { return Ok(None) };
        loop {
            if self.scan.at() >= self.until && self.scan.peek() == Some(b'{') {
                return Ok(Some(End::Row(Start::Row { table, at: self.scan.at() })));
            }
            segment.rows.row(&mut self.scan)?;
            if self.scan.after_item(b']')? == Next::End {
                return Ok(None);
            }
        }
    }
}
