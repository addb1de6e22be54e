//! An import: an exported folder into an empty ledger, all of it or nothing.
//!
//! Every file is compared with the manifest before anything is written, every record must read back, every body must
//! be what its name says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _};

use super::codec::{LARGEST, compress, decompress};
use super::error::{StorageError, during};
use super::export::{Exported, ExportedTable, FORMAT, MANIFEST, VERSION};
use super::ledger::Ledger;
use super::migrate;
use super::tables::{BODIES, Bytes, Kind, TABLES, Table};
use super::write::{ROWS, Write, insert};

/// Largest manifest.
const LONGEST_MANIFEST: u64 = 1 << 16;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Something would be lost.
    #[error("the ledger at {0} is not empty: an import fills a new one")]
    NotEmpty(String),
    /// A file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not an export that this program knows.
    #[error("{path} is no export that this program reads: {why}", path = path.display())]
    Manifest {
        /// Its manifest.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Not what the manifest says.
    #[error("{path} is damaged: its SHA-256 is {actual}, the manifest says {expected}", path = path.display())]
    Digest {
        /// Which file.
        path: PathBuf,
        /// What the manifest says.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// A line that is no row.
    #[error("{path}, line {line}: {why}", path = path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Ledger {
    /// Fills this empty ledger with what a folder holds.
    ///
    /// # Errors
    /// When the ledger is not empty, or the folder is not a complete export; then nothing is written.
    pub async fn import(&self, folder: &Path) -> Result<Exported, ImportError> {
        let exported = read_manifest(&folder.join(MANIFEST))?;
        for listed in &exported.tables {
            verify(&path_of(folder, &listed.name), listed)?;
        }
        let mut write = self.write_alone("import").await?;
        if !is_empty(&mut write).await? {
            return Err(ImportError::NotEmpty(self.address()));
        }
        for table in TABLES.iter().filter(|table| !table.columns_in(exported.schema).is_empty()) {
            fill(&mut write, Rows::open(table, exported.schema, folder)?, folder).await?;
        }
        write.commit().await?;
        Ok(exported)
    }
}

fn path_of(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!("{table}.jsonl"))
}

fn read_manifest(path: &Path) -> Result<Exported, ImportError> {
    let wrong = |why: String| ImportError::Manifest { path: path.to_owned(), why };
    let reading = |source| ImportError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).map_err(reading)?.take(LONGEST_MANIFEST).read_to_string(&mut text).map_err(reading)?;
    let exported: Exported = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if exported.format != FORMAT || exported.version != VERSION || exported.schema > migrate::LATEST {
        let Exported { format, version, schema, .. } = &exported;
        let known = migrate::LATEST;
        return Err(wrong(format!(
            "it is {format} {version} of schema {schema}; this program reads {FORMAT} {VERSION} up to schema {known}"
        )));
    }
    let names = exported.tables.iter().map(|table| table.name.as_str());
    let expected = TABLES.iter().filter(|table| !table.columns_in(exported.schema).is_empty());
    if !names.eq(expected.map(|table| table.name)) {
        return Err(wrong("it does not list the ledger's tables".to_owned()));
    }
    Ok(exported)
}

fn verify(path: &Path, listed: &ExportedTable) -> Result<(), ImportError> {
    let digest = File::open(path).and_then(Digest::of_reader);
    let (actual, _) = digest.map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let expected = listed.sha256;
    if actual == expected { Ok(()) } else { Err(ImportError::Digest { path: path.to_owned(), expected, actual }) }
}

async fn is_empty(write: &mut Write) -> Result<bool, StorageError> {
    for table in &TABLES {
        let count = sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", table.name)));
        let row = count.fetch_one(&mut *write.tx).await.map_err(during("import"))?;
        if row.try_get::<i64, _>(0).map_err(during("import"))? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A row as it stands in a file.
type Row = BTreeMap<String, Box<RawValue>>;

/// A table's file, read row by row.
pub(super) struct Rows {
    table: &'static Table,
    /// Those of the export's schema.
    columns: &'static [(&'static str, Kind)],
    path: PathBuf,
    file: BufReader<File>,
    line: u64,
}

impl Rows {
    pub(super) fn open(table: &'static Table, schema: i64, folder: &Path) -> Result<Self, ImportError> {
        let (path, columns) = (path_of(folder, table.name), table.columns_in(schema));
        match File::open(&path) {
            Ok(file) => Ok(Self { table, columns, path, file: BufReader::new(file), line: 0 }),
            Err(source) => Err(ImportError::Read { path, source }),
        }
    }

    /// The next rows, with the numbers of their lines; empty at the end.
    fn next(&mut self, most: usize) -> Result<Vec<(u64, Row)>, ImportError> {
        let mut rows = Vec::new();
        while rows.len() < most {
            self.line += 1;
            let mut text = Vec::new();
            let read = self.file.by_ref().take(LARGEST).read_until(b'\n', &mut text);
            if read.map_err(|source| ImportError::Read { path: self.path.clone(), source })? == 0 {
                break;
            }
            let row: Row = serde_json::from_slice(&text).map_err(|error| self.wrong(self.line, error.to_string()))?;
            let expected = self.columns.len();
            if row.len() != expected {
                return Err(self.wrong(self.line, format!("{} columns, expected {expected}", row.len())));
            }
            rows.push((self.line, row));
        }
        Ok(rows)
    }

    fn wrong(&self, line: u64, why: String) -> ImportError {
        ImportError::Line { path: self.path.clone(), line, why }
    }
}

/// Inserts a table's rows.
pub(super) async fn fill(write: &mut Write, mut file: Rows, folder: &Path) -> Result<(), ImportError> {
    let table = file.table;
    let mut columns: Vec<&str> = file.columns.iter().map(|(name, _)| *name).collect();
    if table.name == BODIES {
        columns.push("content");
    }
    loop {
        let rows = file.next(if table.is_light() { ROWS } else { 1 })?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut query = sqlx::query(AssertSqlSafe(insert(table.name, &columns, rows.len())));
        for (line, row) in &rows {
            query = bind_row(query, &file, row, folder).map_err(|why| file.wrong(*line, why))?;
        }
        // A missing number and a number have different types to the driver, a kept statement has one.
        query.persistent(false).execute(&mut *write.tx).await.map_err(during("import"))?;
    }
}

fn bind_row<'q>(mut query: Insert<'q>, file: &Rows, row: &Row, folder: &Path) -> Result<Insert<'q>, String> {
    for (name, kind) in file.columns {
        let cell = row.get(*name).ok_or_else(|| format!("no column `{name}`"))?;
        query = match kind {
            Kind::Bytes(kept) => {
                query.bind(bytes_of(*kept, cell.get(), row).map_err(|why| format!("`{name}`: {why}"))?)
            }
            kind => bind(query, *kind, cell.get()).map_err(|why| format!("`{name}`: {why}"))?,
        };
    }
    Ok(if file.table.name == BODIES { query.bind(body_of(row, folder)?) } else { query })
}

type Insert<'q> = Query<'q, Any, AnyArguments>;

fn bind<'q>(query: Insert<'q>, kind: Kind, cell: &str) -> Result<Insert<'q>, String> {
    let checked = |check: fn(&str) -> Result<(), serde_json::Error>| check(cell).map_err(|error| error.to_string());
    Ok(match kind {
        Kind::Text => query.bind(read::<Option<String>>(cell)?),
        Kind::Integer => query.bind(read::<Option<i64>>(cell)?),
        Kind::Real => query.bind(read::<Option<f64>>(cell)?),
        Kind::Json(check) => {
            checked(check)?;
            query.bind(cell.to_owned())
        }
        Kind::Note(_) if cell == "null" => query.bind(None::<String>),
        Kind::Note(check) => {
            checked(check)?;
            query.bind(Some(cell.to_owned()))
        }
        Kind::Bytes(_) => query.bind(None::<Vec<u8>>),
        Kind::Packed(check) => {
            checked(check)?;
            query.bind(compress("import", cell.as_bytes()).map_err(|error| error.to_string())?)
        }
    })
}

/// Bytes, which must be what their digest says.
fn bytes_of(kept: Bytes, cell: &str, row: &Row) -> Result<Option<Vec<u8>>, String> {
    let Some(text) = read::<Option<String>>(cell)? else { return Ok(None) };
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let expected: Digest = read(row.get(kept.digest).map_or("null", |cell| cell.get()))?;
    let actual = Digest::of(&bytes);
    if actual != expected {
        return Err(format!("its SHA-256 is {actual}, `{}` says {expected}", kept.digest));
    }
    if !kept.packed {
        return Ok(Some(bytes));
    }
    compress("import", &bytes).map(Some).map_err(|error| error.to_string())
}

fn read<T: DeserializeOwned>(cell: &str) -> Result<T, String> {
    serde_json::from_str(cell).map_err(|error| error.to_string())
}

/// The content of a body that was not swept; what it holds must be what its name says.
fn body_of(row: &Row, folder: &Path) -> Result<Option<Vec<u8>>, String> {
    let cell = |name: &str| row.get(name).map_or("null", |cell| cell.get());
    let digest: Digest = read(cell("digest"))?;
    if read::<Option<i64>>(cell("swept_ms"))?.is_some() {
        return Ok(None);
    }
    let path = folder.join(BODIES).join(format!("{digest}.zst"));
    let mut packed = Vec::new();
    let file = File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut packed));
    file.map_err(|error| format!("{}: {error}", path.display()))?;
    let limit = read::<u64>(cell("bytes"))?.min(LARGEST);
    let body = decompress("body", &packed, limit).map_err(|error| format!("{}: {error}", path.display()))?;
    if Digest::of(&body) == digest { Ok(Some(packed)) } else { Err(format!("{}: another digest", path.display())) }
}
