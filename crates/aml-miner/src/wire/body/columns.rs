//! The columns of one table while its rows are read: kept ones grow, the others only count as given.

use super::{Needs, TABLES};
use crate::table::{Column, NumberLists, TextLists};

/// Columns under construction, one entry per column of the table; `None` where it is not kept.
pub(super) struct Columns {
    kept: Vec<Option<Column>>,
}

impl Columns {
    pub(super) fn new(table: usize, needs: Needs) -> Self {
        let column = |(index, about): (usize, &crate::wire::ColumnSpec)| {
            needs.keeps(table, index).then(|| Column::empty(about.kind))
        };
        Self { kept: TABLES[table].columns.iter().enumerate().map(column).collect() }
    }

    #[inline]
    pub(super) fn put_number(&mut self, column: usize, row: usize, value: f64) {
        if let Some(Column::Numbers(values)) = &mut self.kept[column] {
            if values.len() < row {
                values.resize(row, f64::NAN);
            }
            values.push(value);
        }
    }

    pub(super) fn keeps(&self, column: usize) -> bool {
        self.kept[column].is_some()
    }

    #[inline]
    pub(super) fn put_text(&mut self, column: usize, row: usize, text: &str) {
        if let Some(Column::Texts(values)) = &mut self.kept[column] {
            (values.len()..row).for_each(|_| values.push(""));
            values.push(text);
        }
    }

    /// The lists of text of a kept column, ready for the items of `row`.
    pub(super) fn text_lists(&mut self, column: usize, row: usize) -> Option<&mut TextLists> {
        let kept = self.kept[column].as_mut()?;
        kept.pad(row);
        match kept {
            Column::TextLists(lists) => Some(lists),
            _ => None,
        }
    }

    /// The lists of numbers of a kept column, ready for the items of `row`.
    pub(super) fn number_lists(&mut self, column: usize, row: usize) -> Option<&mut NumberLists> {
        let kept = self.kept[column].as_mut()?;
        kept.pad(row);
        match kept {
            Column::NumberLists(lists) => Some(lists),
            _ => None,
        }
    }

    /// Drops what was read, when it can no longer become a batch.
    pub(super) fn clear(&mut self) {
        self.kept.iter_mut().for_each(|column| *column = None);
    }

    /// The columns whose bit is set in `given`, each of `rows` rows.
    pub(super) fn finish(mut self, given: u128, rows: usize) -> Vec<Option<Column>> {
        for (index, column) in self.kept.iter_mut().enumerate() {
            if given >> index & 1 == 0 {
                *column = None;
            }
            if let Some(column) = column {
                column.pad(rows);
            }
        }
        self.kept
    }
}
