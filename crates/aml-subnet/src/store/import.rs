//! An import: an exported folder into an empty ledger, all of it or nothing.
//!
//! Every file is compared with the manifest before anything is written, every record must read back, every body must
//! be what its name says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
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
use super::tables::{BODIES, Kind, TABLES, Table};
use super::write::Write;

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
        for table in &TABLES {
            fill(&mut write, table, folder).await?;
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
    if !names.eq(TABLES.iter().map(|table| table.name)) {
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

/// Reads a table's file line by line and inserts its rows.
async fn fill(write: &mut Write, table: &'static Table, folder: &Path) -> Result<(), ImportError> {
    let path = path_of(folder, table.name);
    let reading = |source| ImportError::Read { path: path.clone(), source };
    let mut file = BufReader::new(File::open(&path).map_err(reading)?);
    let (insert, mut text, mut line) = (insert(table), Vec::new(), 0);
    loop {
        text.clear();
        line += 1;
        let wrong = |why: String| ImportError::Line { path: path.clone(), line, why };
        if file.by_ref().take(LARGEST).read_until(b'\n', &mut text).map_err(reading)? == 0 {
            return Ok(());
        }
        let row: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if row.len() != table.columns.len() {
            return Err(wrong(format!("{} columns, expected {}", row.len(), table.columns.len())));
        }
        let mut query = sqlx::query(AssertSqlSafe(insert.clone()));
        for (name, kind) in table.columns {
            let cell = row.get(*name).ok_or_else(|| wrong(format!("no column `{name}`")))?;
            query = bind(query, *kind, cell.get()).map_err(|why| wrong(format!("`{name}`: {why}")))?;
        }
        if table.name == BODIES {
            query = query.bind(body_of(&row, folder).map_err(wrong)?);
        }
        // A missing number and a number have different types to the driver, a kept statement has one.
        query.persistent(false).execute(&mut *write.tx).await.map_err(during("import"))?;
    }
}

/// `INSERT` of all columns, and of a body's content.
fn insert(table: &Table) -> String {
    let mut names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    if table.name == BODIES {
        names.push("content");
    }
    let values: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), values.join(", "))
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
        Kind::Packed(check) => {
            checked(check)?;
            query.bind(compress("import", cell.as_bytes()).map_err(|error| error.to_string())?)
        }
    })
}

fn read<T: DeserializeOwned>(cell: &str) -> Result<T, String> {
    serde_json::from_str(cell).map_err(|error| error.to_string())
}

/// The content of a body that was not swept; what it holds must be what its name says.
fn body_of(row: &BTreeMap<String, Box<RawValue>>, folder: &Path) -> Result<Option<Vec<u8>>, String> {
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
