//! One Parquet file to one [`Table`]: bounds first, then column by column, then the rules of the format.
//!
//! Columns are found by name, so their order does not matter. The types are those of the Parquet schema; an embedded
//! Arrow schema is passed over. The decoder may panic on hostile files; such a panic ends here as an error.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polars::prelude::{DataFrame, ParquetReader, PolarsResult, SerReader, Series};

use crate::data::check::check_table;
use crate::data::columns::column_from_series;
use crate::data::limits::Limits;
use crate::data::page_guard::{Chunk, PageGuard, at_most};
use crate::data::table_error::{ColumnProblem, FileProblem, Flaw, TableError, excerpt};
use crate::wire::spec::TableSpec;
use crate::wire::table::{Column, Table};

/// What the footer says of a file within its bounds.
struct Footer {
    rows: usize,
    names: Vec<String>,
}

/// Reads the table `spec` from the bytes of a Parquet file that errors call `file`.
///
/// # Errors
/// The first rule that the file breaks.
pub fn read_table(bytes: &[u8], spec: &'static TableSpec, file: &str, limits: &Limits) -> Result<Table, TableError> {
    let whole = |problem| TableError::File { file: file.to_owned(), problem };
    at_most("the number of bytes", bytes.len() as u64, limits.file_bytes).map_err(whole)?;
    let footer = contained(|| read_footer(bytes, limits)).unwrap_or_else(|panic| Err(FileProblem::Broken(panic)));
    let footer = footer.map_err(whole)?;
    let unknown = footer.names.iter().filter(|name| spec.position(name).is_none()).cloned().collect();
    if footer.rows == 0 {
        return Ok(Table::new(spec, 0, vec![None; spec.columns.len()], unknown));
    }
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(spec.columns.len());
    for about in spec.columns {
        if !footer.names.iter().any(|name| name == about.name) {
            columns.push(None);
            continue;
        }
        let series = decode(bytes, about.name, footer.rows).map_err(|flaw| flaw.at(file, about.name))?;
        let column = column_from_series(&series, about, limits).map_err(|flaw| flaw.at(file, about.name))?;
        columns.push(Some(column));
    }
    let table = Table::new(spec, footer.rows, columns, unknown);
    check_table(&table, file, limits)?;
    Ok(table)
}

fn read_footer(bytes: &[u8], limits: &Limits) -> Result<Footer, FileProblem> {
    let broken = |error: polars::prelude::PolarsError| FileProblem::Broken(excerpt(&error.to_string()));
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let metadata = Arc::clone(reader.get_metadata().map_err(broken)?);
    at_most("the number of rows", metadata.num_rows as u64, limits.rows as u64)?;
    let fields = metadata.schema().fields();
    at_most("the number of columns", fields.len() as u64, limits.columns as u64)?;
    at_most("the number of stored columns", metadata.schema().columns().len() as u64, limits.columns as u64)?;
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        return Err(FileProblem::Broken(format!("the column `{}` stands twice", excerpt(twice.1))));
    }
    let mut guard = PageGuard::new(bytes, limits);
    let mut rows = 0_u64;
    for group in &metadata.row_groups {
        rows += group.num_rows() as u64;
        for column in group.parquet_columns() {
            let range = column.byte_range();
            let values = u64::try_from(column.num_values())
                .map_err(|_| FileProblem::Broken("a column states a negative number of values".to_owned()))?;
            guard.check(&Chunk { start: range.start, length: range.end - range.start, values })?;
        }
    }
    if rows != metadata.num_rows as u64 {
        let stated = metadata.num_rows;
        return Err(FileProblem::Broken(format!("the row groups hold {rows} rows, the footer says {stated}")));
    }
    Ok(Footer { rows: metadata.num_rows, names })
}

fn decode(bytes: &[u8], name: &str, rows: usize) -> Result<Series, Flaw> {
    let broken = |reason: String| Flaw::Column(ColumnProblem::Broken(reason));
    let frame = contained(|| decode_frame(bytes, name)).map_err(broken)?;
    let frame = frame.map_err(|error| broken(excerpt(&error.to_string())))?;
    let column = frame.column(name).map_err(|error| broken(excerpt(&error.to_string())))?;
    let series = column.as_materialized_series().rechunk();
    if series.len() == rows {
        return Ok(series);
    }
    Err(Flaw::Column(ColumnProblem::Rows { found: series.len(), expected: rows }))
}

fn decode_frame(bytes: &[u8], name: &str) -> PolarsResult<DataFrame> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let mut metadata = (**reader.get_metadata()?).clone();
    metadata.key_value_metadata = None;
    reader.set_metadata(Arc::new(metadata));
    reader.with_columns(Some(vec![name.to_owned()])).finish()
}

/// Runs `work`; a panic in it becomes its text.
fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("the decoder gave up: {}", excerpt(text.unwrap_or("no reason given")))
    })
}
