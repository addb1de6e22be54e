//! The values of one column: numbers, texts that share one buffer, or lists of either.

mod grow;

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

    /// Bytes of its texts.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Texts(values) => values.bytes.len(),
            Self::TextLists(values) => values.items.bytes.len(),
            Self::Numbers(_) | Self::NumberLists(_) => 0,
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
