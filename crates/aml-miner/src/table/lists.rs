//! How long the lists of a table may be.

use crate::table::Table;
use crate::table::column::Column;
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::rules::Flawed;

/// Items of one list, whatever it came as: risk indicators and hours of a day are dozens.
pub const MAX_ITEMS: usize = 100_000;

/// Checks that no list of `table` has more than `limit` items.
///
/// # Errors
/// The first list that has, columns in the order of the format.
pub fn check(table: &Table, limit: usize) -> Result<(), Flawed> {
    for (about, column) in table.spec().columns.iter().zip(table.columns()) {
        if let Some(flaw) = column.as_ref().and_then(|column| of_column(column, limit)) {
            return Err(Flawed { column: about.name, flaw });
        }
    }
    Ok(())
}

/// The first list of `column` that has more than `limit` items.
#[must_use]
pub fn of_column(column: &Column, limit: usize) -> Option<Flaw> {
    longer(column, limit).map(|(row, items)| Flaw::Cell(row, CellProblem::TooManyItems { items, limit }))
}

/// The first row whose list is longer, and how long it is.
fn longer(column: &Column, limit: usize) -> Option<(usize, usize)> {
    let find = |rows: usize, items: &dyn Fn(usize) -> usize| {
        (0..rows).map(|row| (row, items(row))).find(|(_, items)| *items > limit)
    };
    match column {
        Column::TextLists(lists) => find(lists.len(), &|row| lists.count(row)),
        Column::NumberLists(lists) => find(lists.len(), &|row| lists.get(row).len()),
        Column::Numbers(_) | Column::Texts(_) => None,
    }
}
