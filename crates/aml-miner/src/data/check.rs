//! The rules that every table of the format keeps, whether it was read or is about to be written.

use std::collections::HashMap;

use crate::data::limits::Limits;
use crate::data::table_error::{CellProblem, ColumnProblem, Flaw, TableError, excerpt};
use crate::wire::spec::{ColumnSpec, ColumnType, severity_rank};
use crate::wire::table::{Column, Table, TextColumn};

/// Checks required columns, ranges, whole numbers, severities, lengths and keys; errors call the table `file`.
///
/// # Errors
/// The first rule that is broken, columns in the order of the format.
pub fn check_table(table: &Table, file: &str, limits: &Limits) -> Result<(), TableError> {
    if table.rows() == 0 {
        return Ok(());
    }
    for (about, column) in table.spec().columns.iter().zip(table.columns()) {
        let checked = match column {
            None if about.required => Err(Flaw::Column(ColumnProblem::Missing)),
            None => Ok(()),
            Some(Column::Numbers(values)) => check_numbers(values, about),
            Some(Column::Texts(values)) => check_texts(values, about, limits.one_text_bytes),
            Some(Column::NumberLists(lists)) => {
                (0..lists.len()).try_for_each(|row| lists.get(row).iter().try_for_each(|&item| check_finite(row, item)))
            }
            Some(Column::TextLists(lists)) => (0..lists.len())
                .try_for_each(|row| lists.get(row).try_for_each(|item| check_text(row, item, limits.one_text_bytes))),
        };
        checked.map_err(|flaw| flaw.at(file, about.name))?;
    }
    match table.spec().key {
        Some(key) => check_unique(table, key).map_err(|flaw| flaw.at(file, key)),
        None => Ok(()),
    }
}

fn check_numbers(values: &[f64], about: &ColumnSpec) -> Result<(), Flaw> {
    let whole = !matches!(about.kind, ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal);
    for (row, &value) in values.iter().enumerate() {
        let problem = if value.is_nan() {
            about.required.then_some(CellProblem::Missing)
        } else if value.is_infinite() {
            Some(CellProblem::NotFinite(value))
        } else if value < about.min || value > about.max {
            Some(CellProblem::Range { value, min: about.min, max: about.max })
        } else {
            (whole && value.fract() != 0.0).then_some(CellProblem::NotWhole(value))
        };
        if let Some(problem) = problem {
            return Err(Flaw::Cell(row, problem));
        }
    }
    Ok(())
}

fn check_texts(values: &TextColumn, about: &ColumnSpec, longest: usize) -> Result<(), Flaw> {
    for (row, text) in values.iter().enumerate() {
        check_text(row, text, longest)?;
        if text.is_empty() {
            if about.required {
                return Err(Flaw::Cell(row, CellProblem::Missing));
            }
        } else if about.kind == ColumnType::Severity && severity_rank(text).is_none() {
            return Err(Flaw::Cell(row, CellProblem::Severity(excerpt(text))));
        }
    }
    Ok(())
}

fn check_unique(table: &Table, key: &str) -> Result<(), Flaw> {
    let Some(keys) = table.texts(key) else { return Ok(()) };
    let mut seen = HashMap::with_capacity(keys.len());
    for (row, value) in keys.iter().enumerate() {
        if let Some(first) = seen.insert(value, row) {
            return Err(Flaw::Cell(row, CellProblem::Duplicate { value: excerpt(value), first }));
        }
    }
    Ok(())
}

fn check_finite(row: usize, value: f64) -> Result<(), Flaw> {
    if value.is_infinite() { Err(Flaw::Cell(row, CellProblem::NotFinite(value))) } else { Ok(()) }
}

/// Neither too long, nor with what databases and other languages take for the end of a text.
fn check_text(row: usize, text: &str, limit: usize) -> Result<(), Flaw> {
    if text.len() > limit {
        return Err(Flaw::Cell(row, CellProblem::TooLong { bytes: text.len(), limit }));
    }
    match memchr::memchr(0, text.as_bytes()) {
        Some(at) => Err(Flaw::Cell(row, CellProblem::Nul { at })),
        None => Ok(()),
    }
}
