//! One Parquet file to one [`Table`]: bounds first, then column by column, then the rules of the format.
//!
//! Columns are found by name, so their order does not matter. The types are those of the Parquet schema; an embedded
//! Arrow schema is passed over. The decoder may panic on hostile files; such a panic ends here as an error.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars_arrow::array::Array;
use polars_arrow::datatypes::ArrowSchema;
use polars_error::{PolarsResult, polars_err};
use polars_parquet::read::schema::parquet_to_arrow_schema;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, Filter, PageReader, RowGroupMetadata, column_iter_to_arrays, read_metadata,
};

use crate::data::check::check_table;
use crate::data::columns::column_from_arrays;
use crate::data::limits::FileLimits;
use crate::data::page_guard::{Chunk, PageGuard, at_most};
use crate::data::table_error::{FileProblem, TableError};
use crate::table::excerpt;
use crate::table::flaw::{ColumnProblem, Flaw};
use crate::table::spec::{ColumnSpec, TableSpec};
use crate::table::{Column, Table};

/// A Parquet file whose footer and page headers keep their bounds; nothing of it is decompressed yet.
pub struct ParquetFile<'a> {
    bytes: &'a [u8],
    /// What errors call it.
    name: &'a str,
    names: Vec<String>,
    schema: ArrowSchema,
    metadata: FileMetadata,
    page_bytes: u64,
}

/// Reads the table `spec` from the bytes of a Parquet file that errors call `file`.
///
/// # Errors
/// The first rule that the file breaks.
pub fn read_table(
    bytes: &[u8],
    spec: &'static TableSpec,
    file: &str,
    limits: &FileLimits,
) -> Result<Table, TableError> {
    ParquetFile::open(bytes, file, limits)?.table(spec, limits)
}

impl<'a> ParquetFile<'a> {
    /// Looks at the footer and every page header of `bytes`, which errors call `name`.
    ///
    /// # Errors
    /// The first bound that the file passes, or why it is not one.
    pub fn open(bytes: &'a [u8], name: &'a str, limits: &FileLimits) -> Result<Self, TableError> {
        let whole = |problem| TableError::File { file: name.to_owned(), problem };
        at_most("the number of bytes", bytes.len() as u64, limits.file_bytes).map_err(whole)?;
        let opened = contained(|| Self::look(bytes, name, limits));
        opened.unwrap_or_else(|panic| Err(FileProblem::Broken(panic))).map_err(whole)
    }

    fn look(bytes: &'a [u8], name: &'a str, limits: &FileLimits) -> Result<Self, FileProblem> {
        let metadata = read_metadata(&mut Cursor::new(bytes));
        let metadata = metadata.map_err(|error| FileProblem::Broken(excerpt(&error.to_string())))?;
        at_most("the number of rows", metadata.num_rows as u64, limits.rows as u64)?;
        let fields = metadata.schema().fields();
        at_most("the number of columns", fields.len() as u64, limits.columns as u64)?;
        at_most("the number of stored columns", metadata.schema().columns().len() as u64, limits.columns as u64)?;
        let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
            return Err(FileProblem::Broken(format!("the column `{}` stands twice", excerpt(twice.1))));
        }
        let page_bytes = check_pages(bytes, &metadata, limits)?;
        let schema = parquet_to_arrow_schema(fields);
        Ok(Self { bytes, name, names, schema, metadata, page_bytes })
    }

    /// Bytes of all its pages after decompression.
    #[must_use]
    pub fn page_bytes(&self) -> u64 {
        self.page_bytes
    }

    /// The table `spec` in it.
    ///
    /// # Errors
    /// The first rule that the file breaks.
    pub fn table(&self, spec: &'static TableSpec, limits: &FileLimits) -> Result<Table, TableError> {
        let rows = self.metadata.num_rows;
        let unknown = self.names.iter().filter(|name| spec.position(name).is_none()).cloned().collect();
        if rows == 0 {
            return Ok(Table::new(spec, 0, vec![None; spec.columns.len()], unknown));
        }
        let column = |about: &ColumnSpec| -> Result<Option<Column>, Flaw> {
            if !self.names.iter().any(|name| name == about.name) {
                return Ok(None);
            }
            column_from_arrays(&self.decode(about.name)?, about, limits).map(Some)
        };
        let column = |about: &ColumnSpec| column(about).map_err(|flaw| flaw.at(self.name, about.name));
        let columns = spec.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let table = Table::new(spec, rows, columns, unknown);
        check_table(&table, self.name, limits)?;
        Ok(table)
    }

    /// The arrays of the column `name`, those of one row group after the other.
    fn decode(&self, name: &str) -> Result<Vec<Box<dyn Array>>, Flaw> {
        let broken = |reason: String| Flaw::Column(ColumnProblem::Broken(reason));
        let mut arrays = Vec::with_capacity(self.metadata.row_groups.len());
        for group in &self.metadata.row_groups {
            let decoded = contained(|| self.decode_group(name, group)).map_err(broken)?;
            arrays.extend(decoded.map_err(|error| broken(excerpt(&error.to_string())))?);
        }
        let (found, expected) = (arrays.iter().map(|array| array.len()).sum(), self.metadata.num_rows);
        if found == expected { Ok(arrays) } else { Err(Flaw::Column(ColumnProblem::Rows { found, expected })) }
    }

    fn decode_group(&self, name: &str, group: &RowGroupMetadata) -> PolarsResult<Vec<Box<dyn Array>>> {
        let absent = || polars_err!(ColumnNotFound: "{name}");
        let field = self.schema.get(name).ok_or_else(absent)?;
        let (mut columns, mut types) = (Vec::new(), Vec::new());
        for column in group.columns_under_root_iter(name).ok_or_else(absent)? {
            let range = column.byte_range();
            let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            let pages = range.and_then(|(start, end)| self.bytes.get(start..end));
            let pages = pages.ok_or_else(|| polars_err!(OutOfBounds: "a column lies outside the file"))?;
            let pages = PageReader::new(Cursor::new(pages.to_vec().into()), column, Vec::new(), usize::MAX);
            columns.push(BasicDecompressor::new(pages, Vec::new()));
            types.push(&column.descriptor().descriptor.primitive_type);
        }
        let all = Some(Filter::new_ranged(0, group.num_rows()));
        column_iter_to_arrays(columns, types, field.clone(), all).map(|(arrays, _)| arrays)
    }
}

/// Walks all pages; their bytes after decompression.
fn check_pages(bytes: &[u8], metadata: &FileMetadata, limits: &FileLimits) -> Result<u64, FileProblem> {
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
    Ok(guard.decompressed())
}

/// Runs `work`; a panic in it becomes its text.
fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("the decoder gave up: {}", excerpt(text.unwrap_or("no reason given")))
    })
}
