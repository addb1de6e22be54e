//! How readers grow columns: from empty, padded with missing rows, and joined end to end.

use super::{Column, NumberLists, TextColumn, TextLists};
use crate::table::spec::ColumnType;

impl TextColumn {
    /// Adds all rows of `other`.
    pub fn append(&mut self, other: &Self) {
        let base = self.bytes.len();
        self.bytes.push_str(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| base + end));
    }
}

impl TextLists {
    /// Adds all rows of `other`.
    pub fn append(&mut self, other: &Self) {
        let base = self.items.len();
        self.items.append(&other.items);
        self.ends.extend(other.ends.iter().map(|end| base + end));
    }
}

impl NumberLists {
    /// Adds all rows of `other`.
    pub fn append(&mut self, other: &Self) {
        let base = self.items.len();
        self.items.extend_from_slice(&other.items);
        self.ends.extend(other.ends.iter().map(|end| base + end));
    }
}

impl Column {
    /// A column of the form in which `kind` is held, without rows.
    #[must_use]
    pub fn empty(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Text | ColumnType::Severity => Self::Texts(TextColumn::default()),
            ColumnType::TextList => Self::TextLists(TextLists::default()),
            ColumnType::NumberList => Self::NumberLists(NumberLists::default()),
            _ => Self::Numbers(Vec::new()),
        }
    }

    /// Adds missing rows until there are `rows`.
    pub fn pad(&mut self, rows: usize) {
        match self {
            Self::Numbers(values) => {
                if values.len() < rows {
                    values.resize(rows, f64::NAN);
                }
            }
            Self::Texts(values) => (values.len()..rows).for_each(|_| values.push("")),
            Self::TextLists(values) => (values.len()..rows).for_each(|_| values.end_row()),
            Self::NumberLists(values) => (values.len()..rows).for_each(|_| values.end_row()),
        }
    }

    /// Adds all rows of `other`.
    ///
    /// # Panics
    /// When the two are held in different forms: a reader's mistake.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Numbers(values), Self::Numbers(more)) => values.extend_from_slice(more),
            (Self::Texts(values), Self::Texts(more)) => values.append(more),
            (Self::TextLists(values), Self::TextLists(more)) => values.append(more),
            (Self::NumberLists(values), Self::NumberLists(more)) => values.append(more),
            _ => panic!("columns of one table are held in one form"),
        }
    }
}
