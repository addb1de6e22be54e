//! Tables of one's own as a batch: read by the format's rules, told what is wrong, and described by a manifest.
//!
//! A Parquet table with the format's names stays as it is; CSV and renamed columns are written anew. The manifest comes
//! last, so that a directory without one is not a batch yet.

mod error;
mod parts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::data::batch_dir::{BatchDir, file_name};
use crate::data::csv::read_plain;
use crate::data::csv_table::{Names, table_from_csv};
use crate::data::days_of;
use crate::data::encode::to_parquet;
use crate::data::examine::{PROBLEMS_AT_ONCE, stray_rows};
use crate::data::limits::FileLimits;
use crate::data::manifest::{FileEntry, MANIFEST_FILE, Manifest};
use crate::data::parquet::ParquetFile;
use crate::data::staging::Staging;
use crate::data::table_error::TableError;
use crate::data::write_error::WriteBatchError;
use crate::data::write_options::WriteOptions;
use crate::digest::Digest;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use crate::table::{Table, rules};
use crate::whole_file::{self, Readers};
use crate::wire::InOrder;
pub use error::SealError;
use parts::{SealedParts, parts_in, seal_parts};

/// The endings that a table's file may have, and whether it is CSV.
const ENDINGS: [(&str, bool); 3] = [("parquet", false), ("csv", true), ("csv.gz", true)];

/// What to make of a directory of tables.
#[derive(Clone, Debug)]
pub struct SealOptions<'a> {
    /// What the manifest says.
    pub about: WriteOptions<'a>,
    /// For each table by its name, what its source calls the columns and what the format does.
    pub names: BTreeMap<String, Names>,
    /// Where the batch goes; `None` is the directory itself.
    pub output: Option<&'a Path>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The batch directory.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Tables that no file was there for, written without rows.
    pub empty: Vec<&'static str>,
    /// Columns that the format does not know, by table.
    pub unknown: Vec<(&'static str, Vec<String>)>,
}

/// One table on its way into the batch.
struct Prepared {
    spec: &'static TableSpec,
    bytes: Vec<u8>,
    rows: usize,
    unknown: Vec<String>,
    /// Whether the directory has exactly these bytes under the right name.
    is_there: bool,
    is_empty: bool,
}

/// Makes the tables in `directory` a batch.
///
/// # Errors
/// What is wrong with the tables, all of it up to a bound; or what is there already.
pub fn seal(directory: &Path, options: &SealOptions<'_>) -> Result<Sealed, SealError> {
    let target = options.output.unwrap_or(directory);
    if options.output.is_none() && !options.about.replace && directory.join(MANIFEST_FILE).exists() {
        return Err(WriteBatchError::Exists(directory.join(MANIFEST_FILE)).into());
    }
    let (mut tables, mut parted) = (Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for spec in [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS] {
        let most = PROBLEMS_AT_ONCE - problems.len();
        let names = parts_in(directory, spec);
        let prepared = if names.is_empty() {
            prepare(directory, spec, options, most).map(|table| tables.extend(table))
        } else {
            seal_parts(directory, names, spec, options, most).map(|parts| parted.push(parts))
        };
        match prepared {
            Ok(()) => {}
            Err(SealError::Tables(found)) => problems.extend(found),
            Err(other) => return Err(other),
        }
        if problems.len() >= PROBLEMS_AT_ONCE {
            break;
        }
    }
    if !problems.is_empty() {
        return Err(SealError::Tables(problems));
    }
    let manifest = manifest_of(&tables, parted, &options.about);
    match options.output {
        Some(output) => write_beside(output, &tables, &manifest, options.about.replace)?,
        None => write_in_place(directory, &tables, &manifest)?,
    }
    BatchDir::open(target)?.check(1, &InOrder).map_err(|mut problems| problems.swap_remove(0))?;
    let unknown = tables.iter().filter(|table| !table.unknown.is_empty());
    let unknown = unknown.map(|table| (table.spec.name, table.unknown.clone())).collect();
    let empty = tables.iter().filter(|table| table.is_empty).map(|table| table.spec.name).collect();
    Ok(Sealed { path: target.to_path_buf(), manifest, empty, unknown })
}

fn prepare(
    directory: &Path,
    spec: &'static TableSpec,
    options: &SealOptions<'_>,
    most: usize,
) -> Result<Option<Prepared>, SealError> {
    let there = |ending: &(&str, bool)| {
        let name = format!("{}.{}", spec.name, ending.0);
        directory.join(&name).is_file().then_some((name, ending.1))
    };
    let mut found = ENDINGS.iter().filter_map(there);
    let Some((name, is_csv)) = found.next() else {
        return match spec.name {
            "alerts" => Err(SealError::NoAlerts { path: directory.to_path_buf() }),
            "money_flows" | "labels" => Ok(None),
            _ => {
                let (bytes, unknown) = (to_parquet(&Table::empty(spec))?, Vec::new());
                Ok(Some(Prepared { spec, bytes, rows: 0, unknown, is_there: false, is_empty: true }))
            }
        };
    };
    if let Some((other, _)) = found.next() {
        return Err(SealError::Both(name, other));
    }
    let path = directory.join(&name);
    let limits = FileLimits::default();
    let bytes =
        if is_csv { read_plain(&path, limits.file_bytes) } else { whole_file::read(&path, byte_limit(&limits)) };
    let bytes = bytes.map_err(|source| SealError::Read { path, source })?;
    let none = Names::new();
    let source = Source { spec, name: &name, names: options.names.get(spec.name).unwrap_or(&none), most };
    let day = (options.about.processing_date, options.about.window_days);
    let (table, is_there) = if is_csv { (source.csv(&bytes, day)?, false) } else { source.parquet(&bytes, day)? };
    if !is_there && !is_csv && options.output.is_none() {
        return Err(SealError::WouldChange(name));
    }
    let (rows, unknown) = (table.rows(), table.unknown_columns().to_vec());
    let bytes = if is_there { bytes } else { to_parquet(&table)? };
    Ok(Some(Prepared { spec, bytes, rows, unknown, is_there, is_empty: false }))
}

fn byte_limit(limits: &FileLimits) -> usize {
    usize::try_from(limits.file_bytes).unwrap_or(usize::MAX)
}

/// A file that holds a table.
struct Source<'a> {
    spec: &'static TableSpec,
    name: &'a str,
    names: &'a Names,
    most: usize,
}

impl Source<'_> {
    fn csv(&self, bytes: &[u8], day: (NaiveDate, u16)) -> Result<Table, SealError> {
        let header = crate::data::csv::Csv::open(bytes).map(|csv| csv.header).unwrap_or_default();
        self.all_there(&header)?;
        let table = table_from_csv(bytes, self.spec, self.name, self.names, self.most).map_err(SealError::Tables)?;
        let times = rules::stray_times(&table, Some(days_of(day.0)), self.most);
        self.checked(table, day, times.into_iter().map(|flawed| flawed.at(self.name)).collect())
    }

    /// The table, and whether the file has the format's names already.
    fn parquet(&self, bytes: &[u8], day: (NaiveDate, u16)) -> Result<(Table, bool), SealError> {
        let limits = FileLimits::default();
        let one = |problem| SealError::Tables(vec![problem]);
        let file = ParquetFile::open(bytes, self.name, &limits).map_err(one)?;
        self.all_there(file.columns())?;
        let file = file.with_names(self.names).map_err(one)?;
        let table = file.examine(self.spec, Some(day.0), &limits, self.most).map_err(SealError::Tables)?;
        Ok((self.checked(table, day, Vec::new())?, !file.is_renamed()))
    }

    fn all_there(&self, header: &[String]) -> Result<(), SealError> {
        match self.names.keys().find(|name| !header.contains(name)) {
            Some(column) => Err(SealError::NotThere { file: self.name.to_owned(), column: column.clone() }),
            None => Ok(()),
        }
    }

    fn checked(&self, table: Table, day: (NaiveDate, u16), mut problems: Vec<TableError>) -> Result<Table, SealError> {
        problems.extend(stray_rows(&table, self.name, day, self.most));
        problems.truncate(self.most.max(1));
        if problems.is_empty() { Ok(table) } else { Err(SealError::Tables(problems)) }
    }
}

fn manifest_of(tables: &[Prepared], parted: Vec<SealedParts>, about: &WriteOptions<'_>) -> Manifest {
    let entry = |table: &Prepared| FileEntry {
        sha256: Digest::of(&table.bytes),
        bytes: table.bytes.len() as u64,
        rows: table.rows as u64,
    };
    let mut files: BTreeMap<_, _> = tables.iter().map(|table| (file_name(table.spec), entry(table))).collect();
    let mut in_parts = BTreeMap::new();
    for table in parted {
        files.extend(table.files);
        in_parts.insert(table.name.to_owned(), table.parts);
    }
    let mut manifest = Manifest::new(about, files).with_tables(in_parts);
    if let Some(key) = about.publisher {
        manifest.sign(key);
    }
    manifest
}

fn write_beside(output: &Path, tables: &[Prepared], manifest: &Manifest, replace: bool) -> Result<(), WriteBatchError> {
    let staging = Staging::beside(output, replace)?;
    tables.iter().try_for_each(|table| staging.write(&file_name(table.spec), &table.bytes))?;
    staging.write(MANIFEST_FILE, &manifest.to_json())?;
    staging.publish()
}

fn write_in_place(directory: &Path, tables: &[Prepared], manifest: &Manifest) -> Result<(), WriteBatchError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        whole_file::write(&path, bytes, Readers::Everyone).map_err(|source| WriteBatchError::Io { path, source })
    };
    for table in tables.iter().filter(|table| !table.is_there) {
        write(&file_name(table.spec), &table.bytes)?;
    }
    write(MANIFEST_FILE, &manifest.to_json())
}

/// The day and the window in the name of `directory`, such as `2025-10-26_w7`.
#[must_use]
pub fn stated_by_name(directory: &Path) -> (Option<NaiveDate>, Option<u16>) {
    let path = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (day, window) = name.split_once("_w").map_or((name, None), |(day, window)| (day, Some(window)));
    (day.parse().ok(), window.and_then(|window| window.parse().ok()))
}
