//! A table on its way through the rules: file after file, a group of rows after another, column by column.
//!
//! Memory is that of the columns of one group that somebody keeps, and of one column for each thread beside them. What is
//! wrong is told as for a table that is held whole: columns first, then keys, lists and times.

use std::ops::Range;

use chrono::NaiveDate;

use crate::data::content::Content;
use crate::data::days_of;
use crate::data::keys::Keys;
use crate::data::limits::FileLimits;
use crate::data::page_guard::at_most;
use crate::data::parquet::ParquetFile;
use crate::data::table_error::TableError;
use crate::digest::Digest;
use crate::table::cells::day_text;
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::table::{Column, Table, lists, rules};
use crate::wire::Spread;

/// Rows of a table in parts: both ends of as many edges have numbers of 32 bits.
const MOST_ROWS: u64 = (1 << 31) - 1;

/// Which columns somebody wants to have, by their place in the specification.
pub(crate) struct Keeping<'a> {
    keeps: &'a (dyn Fn(usize) -> bool + Sync),
    /// Whether the rows of all groups are held together, so that their texts share one bound.
    together: bool,
    /// Rows that are decoded at once, at most.
    rows: usize,
}

impl<'a> Keeping<'a> {
    /// All columns, held together.
    pub(crate) fn whole() -> Self {
        Self { keeps: &|_| true, together: true, rows: usize::MAX }
    }

    /// No column.
    pub(crate) fn nothing() -> Self {
        Self { keeps: &|_| false, together: false, rows: usize::MAX }
    }

    /// Whether files of a table can be taken whose pages and rows add up to so much.
    pub(crate) fn fits(&self, file: &str, pages: u64, rows: u64, limits: &FileLimits) -> Result<(), TableError> {
        let most = if self.together { limits.rows as u64 } else { MOST_ROWS };
        let of_rows = at_most("the number of rows", rows, most);
        let pages = if self.together { pages } else { 0 };
        let of_pages = || at_most("the size of all pages", pages, limits.page_bytes);
        of_rows.and_then(|()| of_pages()).map_err(|problem| TableError::File { file: file.to_owned(), problem })
    }

    /// These columns, so many rows after another at most.
    #[cfg(feature = "inference")]
    pub(crate) fn these(keeps: &'a (dyn Fn(usize) -> bool + Sync), rows: usize) -> Self {
        Self { keeps, together: false, rows: rows.max(1) }
    }
}

/// The order in which problems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Unreadable,
    Rule,
    Key,
    List,
    Time,
    /// Of another day or window than the manifest's: told where nothing else is wrong.
    Stray,
}

struct Told(Phase, usize, Flaw);

/// One column of one group.
struct Checked {
    column: Option<Column>,
    told: Vec<Told>,
}

/// A table on its way through the rules.
pub(crate) struct Walk<'a> {
    spec: &'static TableSpec,
    limits: &'a FileLimits,
    most: usize,
    day: Option<NaiveDate>,
    window: Option<u16>,
    keys: Keys,
    content: Option<Content>,
    rows: u64,
    text_bytes: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// A walk through the files of the table `spec` that tells at most `most` problems, and at least one.
    pub(crate) fn new(spec: &'static TableSpec, limits: &'a FileLimits, most: usize) -> Self {
        Self {
            spec,
            limits,
            most: most.max(1),
            day: None,
            window: None,
            keys: Keys::default(),
            content: None,
            rows: 0,
            text_bytes: vec![0; spec.columns.len()],
        }
    }

    /// The same, with times of `day`, where that is known.
    pub(crate) fn of_day(self, day: Option<NaiveDate>) -> Self {
        Self { day, ..self }
    }

    /// The same, with rows that state this day and window, or none.
    pub(crate) fn of_batch(self, day: NaiveDate, window: u16) -> Self {
        Self { day: Some(day), window: Some(window), ..self }
    }

    /// The same, with a digest of the values.
    pub(crate) fn with_content(self) -> Self {
        Self { content: Some(Content::new(self.spec)), ..self }
    }

    /// Rows of all files so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The digest of the values of all files, where it was asked for.
    pub(crate) fn content(self) -> Option<Digest> {
        self.content.map(|content| content.finish(self.rows))
    }

    /// Walks through the next file and gives the rows of each group to `use_rows`, with the columns that `keeping` wants.
    ///
    /// # Errors
    /// What is wrong with the file: at most so many problems.
    pub(crate) fn file<S: Spread>(
        &mut self,
        file: &ParquetFile<'_>,
        keeping: &Keeping<'_>,
        spread: &S,
        use_rows: &mut dyn FnMut(Table),
    ) -> Result<(), Vec<TableError>> {
        self.keys.next_file(file.name());
        let mut told: Vec<Told> = Vec::new();
        let mut first = 0;
        for (group, rows) in stretches(file, keeping.rows) {
            let (start, length) = (first, rows.len());
            let column = |position| self.column(file, (group, rows.clone(), start), position, keeping);
            let checked = spread.map(self.spec.columns.len(), column);
            let mut columns = Vec::with_capacity(checked.len());
            for one in checked {
                told.extend(one.told);
                columns.push(one.column);
            }
            told.extend(self.repeated(&columns, first));
            self.learn(&mut columns, length, keeping);
            told.sort_by_key(|told| (told.0, told.1));
            told.truncate(self.most);
            if told.is_empty() {
                use_rows(Table::new(self.spec, length, columns, Vec::new()));
            }
            first += length;
        }
        if told.first().is_some_and(|told| told.0 < Phase::Stray) {
            told.retain(|told| told.0 < Phase::Stray);
        }
        let name = |position: usize| self.spec.columns[position].name;
        let problems: Vec<_> = told.into_iter().map(|Told(_, at, flaw)| flaw.at(file.name(), name(at))).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Counts a group whose columns were checked, and lets go of those that nobody keeps.
    fn learn(&mut self, columns: &mut [Option<Column>], rows: usize, keeping: &Keeping<'_>) {
        self.rows += rows as u64;
        for (position, column) in columns.iter_mut().enumerate() {
            if !(keeping.keeps)(position) {
                *column = None;
            }
            if keeping.together {
                self.text_bytes[position] += column.as_ref().map_or(0, Column::text_bytes);
            }
        }
    }

    fn column(
        &self,
        file: &ParquetFile<'_>,
        (group, rows, first): (usize, Range<usize>, usize),
        position: usize,
        keeping: &Keeping<'_>,
    ) -> Checked {
        let about = &self.spec.columns[position];
        let text_bytes = self.limits.text_bytes.saturating_sub(self.text_bytes[position]);
        let limits = FileLimits { text_bytes, ..*self.limits };
        let mut told = Vec::new();
        let column = file.column((group, rows), about, &limits, self.most).unwrap_or_else(|flaws| {
            told.extend(flaws.into_iter().map(|flaw| Told(Phase::Unreadable, position, flaw.shifted(first))));
            None
        });
        if told.is_empty() {
            told = self.problems(column.as_ref(), about, position);
            told.iter_mut().for_each(|told| told.2 = told.2.clone().shifted(first));
            // A column that is not there is told once.
            told.retain(|told| first == 0 || !matches!(told.2, Flaw::Column(_)));
            if let (Some(content), Some(column)) = (&self.content, &column) {
                content.add(position, column, self.rows);
            }
        }
        let is_key = self.spec.key == Some(about.name);
        Checked { column: column.filter(|_| is_key || (keeping.keeps)(position)), told }
    }

    fn problems(&self, column: Option<&Column>, about: &'static ColumnSpec, position: usize) -> Vec<Told> {
        let of = |phase| move |flaw| Told(phase, position, flaw);
        let broken = rules::of_column(column, about, self.limits.one_text_bytes).take(self.most);
        let mut told: Vec<_> = broken.map(of(Phase::Rule)).collect();
        let Some(column) = column else { return told };
        told.extend(lists::of_column(column, self.limits.items).map(of(Phase::List)));
        if let Column::Numbers(values) = column {
            if let (ColumnType::TimestampMs, Some(day)) = (about.kind, self.day) {
                let strays = rules::stray_times_of(values, Some(days_of(day))).take(self.most);
                told.extend(strays.map(of(Phase::Time)));
            }
            told.extend(self.strays(values, about.name).take(self.most).map(of(Phase::Stray)));
        }
        told
    }

    /// Cells of another day or window than the batch's.
    fn strays<'v>(&self, values: &'v [f64], name: &str) -> Box<dyn Iterator<Item = Flaw> + 'v> {
        let (Some(day), Some(window)) = (self.day, self.window) else { return Box::new(std::iter::empty()) };
        let (expected, text): (f64, fn(f64) -> String) = match name {
            "processing_date" => (days_of(day), day_text),
            "window_days" => (f64::from(window), |value| value.to_string()),
            _ => return Box::new(std::iter::empty()),
        };
        let strays = values.iter().enumerate();
        let strays = strays.filter(move |(_, value)| !value.is_nan() && value.total_cmp(&expected).is_ne());
        Box::new(strays.map(move |(row, &value)| {
            Flaw::Cell(row, CellProblem::NotTheManifests { found: text(value), expected: text(expected) })
        }))
    }

    fn repeated(&mut self, columns: &[Option<Column>], first: usize) -> Vec<Told> {
        let Some(position) = self.spec.key.and_then(|key| self.spec.position(key)) else { return Vec::new() };
        let Some(Column::Texts(keys)) = &columns[position] else { return Vec::new() };
        let flaws = self.keys.add(keys, first, self.most);
        flaws.into_iter().map(|flaw| Told(Phase::Key, position, flaw)).collect()
    }
}

/// The groups of a file, and their rows by stretches of at most so many.
fn stretches(file: &ParquetFile<'_>, most: usize) -> Vec<(usize, Range<usize>)> {
    let stretch = |rows: usize| (0..rows).step_by(most).map(move |start| start..rows.min(start.saturating_add(most)));
    file.groups().enumerate().flat_map(|(group, rows)| stretch(rows).map(move |rows| (group, rows))).collect()
}
