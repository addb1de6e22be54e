//! One Parquet file to one [`Table`]: bounds first, then column by column, then the rules of the format.
//!
//! Columns are found by name, so their order does not matter. The types are those of the Parquet schema; of an embedded
//! Arrow schema only durations are used, to refuse them. The decoder may panic on hostile files; such a panic ends here as an error.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::NaiveDate;
use polars_arrow::array::Array;
use polars_arrow::datatypes::ArrowSchema;
use polars_error::{PolarsResult, polars_err};
use polars_parquet::read::schema::parquet_to_arrow_schema;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, Filter, PageReader, RowGroupMetadata, column_iter_to_arrays, read_metadata,
};

use crate::data::columns::{A_NUMBER, A_TIME, read_column};
use crate::data::limits::FileLimits;
use crate::data::page_guard::{Chunk, PageGuard, at_most};
use crate::data::stated_types::{Stated, stated_types};
use crate::data::table_error::{FileProblem, TableError};
use crate::data::walk::{Keeping, Walk};
use crate::table::excerpt;
use crate::table::flaw::{ColumnProblem, Flaw};
use crate::table::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::table::{Column, Table, rules};
use crate::wire::InOrder;

/// A Parquet file whose footer and page headers keep their bounds; nothing of it is decompressed yet.
pub struct ParquetFile<'a> {
    bytes: &'a [u8],
    /// What errors call it.
    name: &'a str,
    names: Vec<String>,
    /// What the format calls a column, and what the file does, where that differs.
    renamed: BTreeMap<String, String>,
    schema: ArrowSchema,
    stated: BTreeMap<String, Stated>,
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
        let stated = stated_types(&metadata);
        Ok(Self { bytes, name, names, renamed: BTreeMap::new(), schema, stated, metadata, page_bytes })
    }

    /// Reads columns of other names as the format's: `names` has what the file calls them, and what the format does.
    ///
    /// # Errors
    /// The column that is there under both names.
    pub fn with_names(mut self, names: &BTreeMap<String, String>) -> Result<Self, TableError> {
        for (theirs, ours) in names.iter().filter(|(theirs, ours)| theirs != ours && self.names.contains(theirs)) {
            let twice = self.names.contains(ours) || self.renamed.insert(ours.clone(), theirs.clone()).is_some();
            if twice {
                let what = format!("two columns are called `{}` after renaming", excerpt(ours));
                return Err(TableError::File { file: self.name.to_owned(), problem: FileProblem::Broken(what) });
            }
        }
        Ok(self)
    }

    /// The names of its columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// Whether a column has another name than the format's.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// What the file calls the column `name` of the format.
    fn stored_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.renamed.get(name).map_or(name, String::as_str)
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
        self.examine(spec, None, limits, 1).map_err(|mut problems| problems.swap_remove(0))
    }

    /// The table `spec` in it, whose times are of `day`: of the day that it states itself where that is not known.
    ///
    /// # Errors
    /// The rules that the file breaks, at most `most` of them, and at least one.
    pub fn examine(
        &self,
        spec: &'static TableSpec,
        day: Option<NaiveDate>,
        limits: &FileLimits,
        most: usize,
    ) -> Result<Table, Vec<TableError>> {
        let mut walk = Walk::new(spec, limits, most).of_day(day);
        let mut table = Table::empty(spec);
        walk.file(self, &Keeping::whole(), &InOrder, &mut |rows| table.append(rows))?;
        if day.is_none() {
            let strays = rules::stray_times(&table, None, most.max(1));
            if !strays.is_empty() {
                return Err(strays.into_iter().map(|flawed| flawed.at(self.name)).collect());
            }
        }
        Ok(table.with_unknown(self.unknown(spec)))
    }

    /// The names of its columns that `spec` does not know.
    pub(super) fn unknown(&self, spec: &TableSpec) -> Vec<String> {
        let is_known =
            |name: &String| spec.position(name).is_some() || self.renamed.values().any(|known| known == name);
        self.names.iter().filter(|name| !is_known(name)).cloned().collect()
    }

    /// What errors call it.
    pub(super) fn name(&self) -> &str {
        self.name
    }

    /// How many rows each of its groups of rows has.
    pub(super) fn groups(&self) -> impl Iterator<Item = usize> {
        self.metadata.row_groups.iter().map(RowGroupMetadata::num_rows)
    }

    /// The column `about` of some rows of a group; `None` where the file lacks it. Rows of flaws are counted from the first
    /// of them.
    pub(super) fn column(
        &self,
        (group, rows): (usize, Range<usize>),
        about: &ColumnSpec,
        limits: &FileLimits,
        most: usize,
    ) -> Result<Option<Column>, Vec<Flaw>> {
        let stored = self.stored_name(about.name);
        if !self.names.iter().any(|name| name == stored) {
            return Ok(None);
        }
        let mut arrays = self.decode(stored, &self.metadata.row_groups[group], rows).map_err(|flaw| vec![flaw])?;
        match self.stated.get(stored) {
            None => {}
            Some(Stated::Duration(found)) if arrays.iter().any(|array| array.null_count() < array.len()) => {
                let wanted = if about.kind == ColumnType::TimestampMs { A_TIME } else { A_NUMBER };
                return Err(vec![Flaw::Column(ColumnProblem::Type { found: (*found).to_owned(), wanted })]);
            }
            Some(stated) => {
                let broken = || vec![Flaw::Column(ColumnProblem::Broken("its text is not UTF-8".to_owned()))];
                let meant = arrays.into_iter().map(|array| stated.apply(array).ok_or_else(broken));
                arrays = meant.collect::<Result<_, _>>()?;
            }
        }
        read_column(&arrays, about, limits, most).map(Some)
    }

    /// The arrays of the column `name` in some rows of a group.
    fn decode(&self, name: &str, group: &RowGroupMetadata, rows: Range<usize>) -> Result<Vec<Box<dyn Array>>, Flaw> {
        let broken = |reason: String| Flaw::Column(ColumnProblem::Broken(reason));
        let expected = rows.len();
        let decoded = contained(|| self.decode_rows(name, group, rows)).map_err(broken)?;
        let arrays = decoded.map_err(|error| broken(excerpt(&error.to_string())))?;
        let found = arrays.iter().map(|array| array.len()).sum();
        if found == expected { Ok(arrays) } else { Err(Flaw::Column(ColumnProblem::Rows { found, expected })) }
    }

    fn decode_rows(
        &self,
        name: &str,
        group: &RowGroupMetadata,
        rows: Range<usize>,
    ) -> PolarsResult<Vec<Box<dyn Array>>> {
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
        let all = Some(Filter::new_ranged(rows.start, rows.end));
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
