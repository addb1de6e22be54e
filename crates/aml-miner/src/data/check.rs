//! The rules of a table (see [`rules`]), told with the name of the file.

use crate::data::limits::FileLimits;
use crate::data::table_error::TableError;
use crate::table::Table;
use crate::table::{lists, rules};

/// Checks required columns, ranges, whole numbers, severities, lengths of texts and lists, and keys; errors call the table `file`.
///
/// # Errors
/// The first rule that is broken, columns in the order of the format.
pub fn check_table(table: &Table, file: &str, limits: &FileLimits) -> Result<(), TableError> {
    let checked = rules::check(table, limits.one_text_bytes).and_then(|()| lists::check(table, limits.items));
    checked.map_err(|flawed| flawed.flaw.at(file, flawed.column))
}
