//! The rules of a table (see [`rules`]), told with the name of the file.

use chrono::NaiveDate;

use crate::data::days_of;
use crate::data::limits::FileLimits;
use crate::data::table_error::TableError;
use crate::table::Table;
use crate::table::lists;
use crate::table::rules::{self, Flawed};

/// Checks required columns, ranges, whole numbers, severities, lengths of texts and lists, and keys; errors call the table `file`.
///
/// # Errors
/// The first rule that is broken, columns in the order of the format.
pub fn check_table(table: &Table, file: &str, limits: &FileLimits) -> Result<(), TableError> {
    let checked = rules::check(table, limits.one_text_bytes).and_then(|()| lists::check(table, limits.items));
    checked.map_err(|flawed| flawed.at(file))
}

/// Checks that every time of `table` can be meant on the day that the table states.
///
/// # Errors
/// The first time that cannot.
pub(crate) fn check_own_times(table: &Table, file: &str) -> Result<(), TableError> {
    rules::stray_times(table, None, 1).pop().map_or(Ok(()), |flawed| Err(flawed.at(file)))
}

/// Checks that every time of `table` lies within decades of `day`: one that does not was counted in another unit.
///
/// # Errors
/// The first time that does not.
pub fn check_times(table: &Table, file: &str, day: NaiveDate) -> Result<(), TableError> {
    rules::stray_times(table, Some(days_of(day)), 1).pop().map_or(Ok(()), |flawed| Err(flawed.at(file)))
}

impl Flawed {
    /// The error with the name of the file.
    pub(crate) fn at(self, file: &str) -> TableError {
        self.flaw.at(file, self.column)
    }
}
