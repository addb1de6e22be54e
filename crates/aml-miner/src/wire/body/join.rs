//! Joins the parts of a body: proves each cut, adds up columns, collects problems, checks identifiers.

use super::document::{End, Part, Segment};
use super::rows::{Rows, cell_budget};
use super::split::Start;
use super::{Body, ReadBodyError, Reading, TABLES};
use crate::table::Batch;
use crate::table::rules::{Repeated, repeated};
use crate::table::{Column, Table, excerpt};
use crate::wire::json::SyntaxError;
use crate::wire::problem::{Fault, Found, Problem};

pub(super) fn broken(bytes: &[u8], error: SyntaxError) -> ReadBodyError {
    let (line, column) = error.line_and_column(bytes);
    ReadBodyError::Broken { line, column, offset: error.at, what: error.what }
}

/// Follows the parts from the beginning. A part counts when the one before it stopped exactly where it began;
/// text that no counted part covers is read again.
pub(super) fn join(text: &str, reading: &Reading, parts: Vec<Part<'_>>) -> Result<Body, ReadBodyError> {
    let mut parts = parts.into_iter().peekable();
    let mut joined = Joined::new(text.len(), reading);
    let mut at = Start::Document;
    loop {
        let proven = loop {
            match parts.next_if(|part| part.start.at() <= at.at()) {
                Some(part) if part.start == at => break Some(part),
                Some(_) => {}
                None => break None,
            }
        };
        let part = proven.unwrap_or_else(|| {
            let until = parts.peek().map_or(text.len(), |next| next.start.at());
            Part::read(text, reading, at, until)
        });
        let end = part.end;
        joined.add(part);
        match end {
            End::Finished => return joined.finish(),
            End::Row(start) => at = start,
            End::Broken(error) => return Err(broken(text.as_bytes(), error)),
        }
    }
}

struct Joined<'r> {
    reading: &'r Reading,
    bytes: usize,
    tables: [Sum; 4],
    other_keys: Vec<String>,
    problems: Vec<Problem>,
}

/// The rows of one table so far.
#[derive(Default)]
struct Sum {
    opened: bool,
    rows: usize,
    columns: Vec<Option<Column>>,
    unknown: Vec<String>,
}

impl<'r> Joined<'r> {
    fn new(bytes: usize, reading: &'r Reading) -> Self {
        let tables = TABLES.map(|spec| Sum { columns: vec![None; spec.columns.len()], ..Sum::default() });
        Self { reading, bytes, tables, other_keys: Vec::new(), problems: Vec::new() }
    }

    fn tell(&mut self, table: &str, base: usize, found: Found) {
        if self.problems.len() < self.reading.limits.problems {
            self.problems.push(found.tell(table, base));
        }
    }

    fn add(&mut self, part: Part<'_>) {
        if !part.is_object {
            self.tell("", 0, Found::of_table(Fault::NotAnObject));
        }
        for key in part.other_keys {
            if self.other_keys.iter().any(|known| known == key) {
                self.tell(key, 0, Found::of_table(Fault::DuplicateKey));
            }
            self.other_keys.push(key.to_owned());
        }
        for segment in part.segments {
            self.add_segment(segment);
        }
    }

    fn add_segment(&mut self, segment: Segment<'_>) {
        let Segment { opened, fault, rows } = segment;
        let rows = rows.finish();
        let (table, name) = (rows.table, TABLES[rows.table].name);
        if opened && self.tables[table].opened {
            self.tell(name, 0, Found::of_table(Fault::DuplicateKey));
        }
        self.tables[table].opened |= opened;
        if let Some(fault) = fault {
            self.tell(name, 0, Found::of_table(fault));
        }
        self.add_rows(rows);
    }

    fn add_rows(&mut self, rows: Rows) {
        let (table, name) = (rows.table, TABLES[rows.table].name);
        let most = self.reading.limits.rows[table];
        let base = self.tables[table].rows;
        for found in rows.problems {
            self.tell(name, base, found);
        }
        let total = base + rows.rows;
        self.tables[table].rows = total;
        if total > most && base <= most {
            self.tell(name, 0, Found::of_table(Fault::TooManyRows(most)));
        }
        let sum = &mut self.tables[table];
        let pairs = sum.columns.iter().zip(&rows.columns);
        let width = pairs.filter(|(mine, more)| mine.is_some() || more.is_some()).count();
        if total * width > cell_budget(self.bytes) {
            self.tell(name, 0, Found::of_table(Fault::TooSparse));
        }
        if !self.problems.is_empty() {
            // No batch will come of it: only problems are collected from here on.
            self.tables.iter_mut().for_each(|sum| sum.columns.iter_mut().for_each(|column| *column = None));
            return;
        }
        let sum = &mut self.tables[table];
        for (index, more) in rows.columns.into_iter().enumerate() {
            let kind = TABLES[table].columns[index].kind;
            add_column(&mut sum.columns[index], more, Span { base, total }, || Column::empty(kind));
        }
        for unknown in rows.unknown {
            if !sum.unknown.contains(&unknown) {
                sum.unknown.push(unknown);
            }
        }
    }

    fn finish(mut self) -> Result<Body, ReadBodyError> {
        let missing =
            TABLES.iter().zip(&self.tables).any(|(spec, sum)| spec.name == self.reading.required && !sum.opened);
        if missing && self.problems.is_empty() {
            self.tell(self.reading.required, 0, Found::of_table(Fault::Missing));
        }
        if !self.problems.is_empty() {
            return Err(ReadBodyError::Invalid(self.problems));
        }
        let mut sums = self.tables.into_iter().zip(TABLES);
        let mut next = || sums.next().map(|(sum, spec)| Table::new(spec, sum.rows, sum.columns, sum.unknown));
        let (Some(alerts), Some(features), Some(clusters), Some(money_flows)) = (next(), next(), next(), next()) else {
            return Ok(Body { batch: Batch::empty(), other_keys: Vec::new() });
        };
        let most = self.reading.limits.problems;
        let mut problems = Vec::new();
        for table in [&alerts, &features, &clusters] {
            problems.extend(duplicates(table, most - problems.len()));
        }
        if problems.is_empty() {
            let other_keys = self.other_keys.iter().map(|key| excerpt(key)).collect();
            Ok(Body { batch: Batch { alerts, features, clusters, money_flows }, other_keys })
        } else {
            Err(ReadBodyError::Invalid(problems))
        }
    }
}

/// The rows of a table before and after some are added.
#[derive(Clone, Copy)]
struct Span {
    base: usize,
    total: usize,
}

/// Adds the rows of `span`, which `more` holds, to `sum`.
fn add_column(sum: &mut Option<Column>, more: Option<Column>, span: Span, empty: impl FnOnce() -> Column) {
    let Span { base, total } = span;
    match (sum.as_mut(), more) {
        (None, None) => {}
        (Some(sum), None) => sum.pad(total),
        (Some(sum), Some(more)) => sum.append(&more),
        (None, Some(more)) if base == 0 => *sum = Some(more),
        (None, Some(more)) => {
            let mut column = empty();
            column.pad(base);
            column.append(&more);
            *sum = Some(column);
        }
    }
}

/// Rows whose identifier an earlier row has, at most `most`.
fn duplicates(table: &Table, most: usize) -> Vec<Problem> {
    let spec = table.spec();
    let Some((key, ids)) = spec.key.and_then(|key| Some((key, table.texts(key)?))) else { return Vec::new() };
    let found = |repeated: Repeated<'_>| {
        Found::of_row(repeated.row, Fault::DuplicateId)
            .at_key(key)
            .with_input(&serde_json::Value::from(repeated.key).to_string())
            .tell(spec.name, 0)
    };
    repeated(ids).take(most).map(found).collect()
}
