//! Tables held by column: what every reader produces and every later step takes.
//!
//! Numbers are doubles with NaN for "missing"; texts of a column share one buffer. A column that a batch lacks
//! altogether is `None`, which is not the same as present and missing in every row.

mod grow;

use crate::wire::spec::TableSpec;

/// A column of text, one buffer for all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextColumn {
    bytes: String,
    ends: Vec<usize>,
}

impl TextColumn {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of row `row`; empty where it is missing.
    ///
    /// # Panics
    /// When `row` is not below [`TextColumn::len`].
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    /// Adds a row.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }
}

impl<'a> FromIterator<&'a str> for TextColumn {
    fn from_iter<T: IntoIterator<Item = &'a str>>(texts: T) -> Self {
        let mut column = Self::default();
        texts.into_iter().for_each(|text| column.push(text));
        column
    }
}

/// A column of lists of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLists {
    items: TextColumn,
    ends: Vec<usize>,
}

impl TextLists {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of items of row `row`.
    #[must_use]
    pub fn count(&self, row: usize) -> usize {
        let (start, end) = self.bounds(row);
        end - start
    }

    /// The items of row `row`.
    pub fn get(&self, row: usize) -> impl ExactSizeIterator<Item = &str> {
        let (start, end) = self.bounds(row);
        (start..end).map(|item| self.items.get(item))
    }

    /// Adds an item to the row that [`TextLists::end_row`] will close.
    pub fn push_item(&mut self, text: &str) {
        self.items.push(text);
    }

    /// Closes a row.
    pub fn end_row(&mut self) {
        self.ends.push(self.items.len());
    }

    fn bounds(&self, row: usize) -> (usize, usize) {
        (if row == 0 { 0 } else { self.ends[row - 1] }, self.ends[row])
    }
}

/// A column of lists of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberLists {
    items: Vec<f64>,
    ends: Vec<usize>,
}

impl NumberLists {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The items of row `row`; NaN where one is missing.
    #[must_use]
    pub fn get(&self, row: usize) -> &[f64] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.items[start..self.ends[row]]
    }

    /// Adds an item to the row that [`NumberLists::end_row`] will close.
    pub fn push_item(&mut self, value: f64) {
        self.items.push(value);
    }

    /// Closes a row.
    pub fn end_row(&mut self) {
        self.ends.push(self.items.len());
    }
}

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers, dates (days since 1970-01-01), times (ms) and flags (0 or 1); NaN where missing.
    Numbers(Vec<f64>),
    /// Text; empty where missing.
    Texts(TextColumn),
    /// Lists of text.
    TextLists(TextLists),
    /// Lists of numbers.
    NumberLists(NumberLists),
}

impl Column {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::TextLists(values) => values.len(),
            Self::NumberLists(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The given rows, in the given order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Self::Texts(values) => Self::Texts(rows.iter().map(|&row| values.get(row)).collect()),
            Self::TextLists(values) => {
                let mut taken = TextLists::default();
                for &row in rows {
                    values.get(row).for_each(|item| taken.push_item(item));
                    taken.end_row();
                }
                Self::TextLists(taken)
            }
            Self::NumberLists(values) => {
                let mut taken = NumberLists::default();
                for &row in rows {
                    values.get(row).iter().for_each(|&item| taken.push_item(item));
                    taken.end_row();
                }
                Self::NumberLists(taken)
            }
        }
    }
}

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
        assert_eq!(columns.len(), spec.columns.len(), "one entry a column of {}", spec.name);
        for (column, about) in columns.iter().zip(spec.columns) {
            let length = column.as_ref().map_or(rows, Column::len);
            assert_eq!(length, rows, "column {}.{} has one value a row", spec.name, about.name);
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
        assert_eq!(column.as_ref().map_or(self.rows, Column::len), self.rows, "one value a row");
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
