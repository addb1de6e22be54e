//! Tables held by column: what every reader produces and every later step takes.
//!
//! Numbers are doubles with NaN for "missing"; texts of a column share one buffer. A column that a batch lacks
//! altogether is `None`, which is not the same as present and missing in every row.

mod batch;
pub mod cells;
mod column;
pub mod date;
pub mod flaw;
pub mod instant;
pub(crate) mod keyed_hash;
pub mod lists;
pub mod rules;
pub mod spec;

pub use batch::Batch;
pub use column::{Column, NumberLists, TextColumn, TextLists};
pub use spec::{ColumnSpec, ColumnType, TableSpec};

/// The rows of one table, held by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    spec: &'static TableSpec,
    rows: usize,
    columns: Vec<Option<Column>>,
    unknown: Vec<String>,
}

impl Table {
    /// A table without rows, in which every column is absent.
    #[must_use]
    pub fn empty(spec: &'static TableSpec) -> Self {
        Self { spec, rows: 0, columns: vec![None; spec.columns.len()], unknown: Vec::new() }
    }

    /// A table of `rows` rows from columns in the order of `spec`; `unknown` names columns that were passed over.
    ///
    /// # Panics
    /// When a column's length is not `rows`, or there are not as many columns as `spec` has: a reader's mistake.
    #[must_use]
    pub fn new(spec: &'static TableSpec, rows: usize, columns: Vec<Option<Column>>, unknown: Vec<String>) -> Self {
        assert_eq!(columns.len(), spec.columns.len(), "one entry per column of {}", spec.name);
        for (column, about) in columns.iter().zip(spec.columns) {
            let length = column.as_ref().map_or(rows, Column::len);
            assert_eq!(length, rows, "column {}.{} has one value per row", spec.name, about.name);
        }
        Self { spec, rows, columns, unknown }
    }

    /// What the columns are.
    #[must_use]
    pub fn spec(&self) -> &'static TableSpec {
        self.spec
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns that were given but are not part of the format, each named once.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown
    }

    /// The column at `index` of the spec; `None` where the batch lacks it.
    #[must_use]
    pub fn column(&self, index: usize) -> Option<&Column> {
        self.columns.get(index).and_then(Option::as_ref)
    }

    /// All columns in the order of the spec.
    #[must_use]
    pub fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }

    /// Replaces the column at `index`.
    ///
    /// # Panics
    /// When the new column's length is not the number of rows.
    pub fn set_column(&mut self, index: usize, column: Option<Column>) {
        assert_eq!(column.as_ref().map_or(self.rows, Column::len), self.rows, "one value per row");
        self.columns[index] = column;
    }

    /// The numbers of the column called `name`.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.column(self.spec.position(name)?)? {
            Column::Numbers(values) => Some(values),
            _ => None,
        }
    }

    /// The texts of the column called `name`.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<&TextColumn> {
        match self.column(self.spec.position(name)?)? {
            Column::Texts(values) => Some(values),
            _ => None,
        }
    }

    /// The lists of text of the column called `name`.
    #[must_use]
    pub fn text_lists(&self, name: &str) -> Option<&TextLists> {
        match self.column(self.spec.position(name)?)? {
            Column::TextLists(values) => Some(values),
            _ => None,
        }
    }

    /// The lists of numbers of the column called `name`.
    #[must_use]
    pub fn number_lists(&self, name: &str) -> Option<&NumberLists> {
        match self.column(self.spec.position(name)?)? {
            Column::NumberLists(values) => Some(values),
            _ => None,
        }
    }

    /// Adds the rows of `other`, a table of the same specification. A column that only one of the two has is missing in
    /// the rows of the other one.
    pub fn append(&mut self, other: Self) {
        debug_assert!(std::ptr::eq(self.spec, other.spec), "rows of one table");
        if self.rows == 0 && self.columns.iter().all(Option::is_none) {
            let unknown = std::mem::take(&mut self.unknown);
            *self = Self { unknown, ..other };
            return;
        }
        let (before, rows) = (self.rows, self.rows + other.rows);
        for ((mine, theirs), about) in self.columns.iter_mut().zip(other.columns).zip(self.spec.columns) {
            if mine.is_none() && theirs.is_none() {
                continue;
            }
            let column = mine.get_or_insert_with(|| Column::empty(about.kind));
            column.pad(before);
            if let Some(theirs) = &theirs {
                column.append(theirs);
            }
            column.pad(rows);
        }
        self.rows = rows;
    }

    /// The same table, with these names of columns that were passed over.
    #[must_use]
    pub fn with_unknown(self, unknown: Vec<String>) -> Self {
        Self { unknown, ..self }
    }

    /// The given rows, in the given order.
    ///
    /// # Panics
    /// When a row is out of range.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.as_ref().map(|column| column.take(rows))).collect();
        Self { spec: self.spec, rows: rows.len(), columns, unknown: self.unknown.clone() }
    }
}

/// At most 80 characters of a text from outside, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
