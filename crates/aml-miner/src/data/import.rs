//! Labelled public datasets as batch directories, as far as their columns reach.
//!
//! A source column goes where the format has a column of the same meaning; what has none is dropped, not squeezed in.
//! `docs/data.md` lists every mapping.

pub mod amlgentex;
pub mod gen_batch;
pub mod openaml;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};

use crate::data::csv::CsvError;
use crate::data::days_of;
use crate::data::examine::PROBLEMS_AT_ONCE;
use crate::data::limits::FileLimits;
use crate::data::listing::directory_name;
use crate::data::parquet::ParquetFile;
use crate::data::table_error::TableError;
use crate::data::write::write_batch;
use crate::data::write_error::WriteBatchError;
use crate::data::write_options::WriteOptions;
use crate::table::Batch;
use crate::table::cells::DAY_MS;
use crate::table::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::table::{Column, Table};

/// A dataset that was not imported, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A source file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A source file has another shape.
    #[error("{path}: {reason}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line or row.
        reason: String,
    },
    /// Lines of a source file are wrong.
    #[error("{path}: {}", listed(problems), path = path.display())]
    Lines {
        /// The file.
        path: PathBuf,
        /// What is wrong, at most [`PROBLEMS_AT_ONCE`] lines.
        problems: Vec<CsvError>,
    },
    /// A source table breaks rules.
    #[error("{}", listed(.0))]
    Table(Vec<TableError>),
    /// A batch cannot be written.
    #[error(transparent)]
    Write(#[from] WriteBatchError),
}

/// Where imported batches go and which days they get.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The directory that receives one batch directory per day.
    pub output: PathBuf,
    /// The day of step 0, or of the first part; the datasets have no calendar of their own.
    pub base_date: NaiveDate,
    /// Batches over which a dataset without time is spread.
    pub parts: u32,
    /// Whether batches that are there are replaced.
    pub replace: bool,
    /// Write only so many batches, the first ones.
    pub limit: Option<usize>,
}

impl ImportOptions {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }
}

/// Problems one below the other.
fn listed<T: ToString>(problems: &[T]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

/// A table of a source: read with the same bounds and errors as a batch's.
const fn source_table(name: &'static str, columns: &'static [ColumnSpec]) -> TableSpec {
    TableSpec { name, key: None, columns }
}

/// A number that every row of a source has.
const fn number(name: &'static str) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind: ColumnType::F64, required: true, min: f64::MIN, max: f64::MAX }
}

/// A text that every row of a source has.
const fn text(name: &'static str) -> ColumnSpec {
    ColumnSpec { kind: ColumnType::Text, ..number(name) }
}

fn read_source(directory: &Path, spec: &'static TableSpec) -> Result<Table, ImportError> {
    let name = format!("{}.parquet", spec.name);
    let path = directory.join(&name);
    let limits = FileLimits::default();
    let failed = |source| ImportError::Read { path: path.clone(), source };
    let length = fs::metadata(&path).map_err(failed)?.len();
    if length > limits.file_bytes {
        let reason = format!("{length} bytes, at most {} are accepted", limits.file_bytes);
        return Err(ImportError::Shape { path, reason });
    }
    let bytes = fs::read(&path).map_err(failed)?;
    let file = ParquetFile::open(&bytes, &name, &limits).map_err(|problem| ImportError::Table(vec![problem]))?;
    file.examine(spec, None, &limits, PROBLEMS_AT_ONCE).map_err(ImportError::Table)
}

/// A batch table of `rows` rows from columns by name.
fn table_of(spec: &'static TableSpec, rows: usize, columns: Vec<(&'static str, Column)>) -> Table {
    let mut all: Vec<Option<Column>> = vec![None; spec.columns.len()];
    for (name, column) in columns {
        let position = spec.position(name).expect("an importer names columns of the format");
        all[position] = Some(column);
    }
    Table::new(spec, rows, all, Vec::new())
}

/// Milliseconds since 1970 at the start of a day.
fn midnight_ms(day: NaiveDate) -> f64 {
    days_of(day) * DAY_MS
}

fn day_after(base: NaiveDate, days: u64) -> NaiveDate {
    base.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// What an imported day says of itself.
struct Made<'a> {
    day: NaiveDate,
    window_days: u16,
    /// The chain its addresses are on.
    network: &'a str,
}

/// Writes one day under its usual name.
fn write_day(options: &ImportOptions, made: Made<'_>, batch: &Batch, labels: &Table) -> Result<PathBuf, ImportError> {
    let Made { day, window_days, network } = made;
    let path = options.output.join(directory_name(day, Some(window_days)));
    // Made from the day alone, so that the same source gives the same bytes.
    let created_at = format!("{day}T00:00:00Z");
    let about = WriteOptions {
        processing_date: day,
        window_days,
        network,
        created_at: &created_at,
        publisher: None,
        replace: options.replace,
    };
    write_batch(&path, batch, Some(labels), &about)?;
    Ok(path)
}
