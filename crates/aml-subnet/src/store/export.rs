//! An export: a folder of JSON lines that any database, and any program, can read.
//!
//! `MANIFEST.json` names the format's version and every table with its rows and SHA-256; `TABLE.jsonl` has one row per
//! line, sorted, records as JSON; `bodies/DIGEST.zst` has the raw answers. The same ledger exports to the same bytes
//! from either database. The folder appears in one step, complete, and is its owner's alone: tasks and weights hold
//! secrets.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use aml_miner::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::codec::{LARGEST, column, decompress};
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::migrate;
use super::tables::{BODIES, Kind, TABLES, Table};

/// Name of the file that lists the others.
pub(super) const MANIFEST: &str = "MANIFEST.json";
/// What the manifest says it is.
pub(super) const FORMAT: &str = "aml-ledger";
/// Version of the format.
pub(super) const VERSION: u32 = 1;

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// `aml-ledger`.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Version of the schema.
    pub schema: i64,
    /// The tables.
    pub tables: Vec<ExportedTable>,
}

/// A table of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedTable {
    /// Its name; its file is `NAME.jsonl`.
    pub name: String,
    /// Lines of the file.
    pub rows: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Nothing is overwritten.
    #[error("{path} exists already: an export is written to a folder of its own", path = .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Ledger {
    /// Writes everything into a new folder, as it is at one instant; a validator may go on meanwhile.
    ///
    /// # Errors
    /// When the folder exists, cannot be written, or the ledger cannot be read.
    pub async fn export(&self, folder: &Path) -> Result<Exported, ExportError> {
        if folder.symlink_metadata().is_ok() {
            return Err(ExportError::Exists(folder.to_owned()));
        }
        let writing = |source| ExportError::Write { path: folder.to_owned(), source };
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unfinished = private_folder(parent).map_err(writing)?;
        let begin = self.inner.dialect.begin_snapshot();
        let mut tx = self.inner.pool.begin_with(begin).await.map_err(during("export"))?;
        let mut tables = Vec::new();
        for table in &TABLES {
            tables.push(write_table(&mut tx, table, unfinished.path()).await?);
        }
        write_bodies(&mut tx, unfinished.path()).await?;
        let exported = Exported { format: FORMAT.to_owned(), version: VERSION, schema: migrate::LATEST, tables };
        let text = serde_json::to_string_pretty(&exported).map_err(io::Error::from).map_err(writing)?;
        write_file(&unfinished.path().join(MANIFEST), text.as_bytes())?;
        fs::rename(unfinished.path(), folder).map_err(writing)?;
        // It has another name now: there is nothing to clean up.
        let _ = unfinished.keep();
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(writing)?;
        Ok(exported)
    }
}

/// A folder that goes away unless it is kept, its owner's alone from the start.
fn private_folder(parent: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".export-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}

/// `SELECT` of all columns of the rows that `which` chooses, in an order of its own.
pub(super) fn select(table: &Table, which: &str) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    format!("SELECT {} FROM {}{which} ORDER BY {}", names.join(", "), table.name, table.key)
}

async fn write_table(
    tx: &mut Transaction<'static, Any>,
    table: &'static Table,
    folder: &Path,
) -> Result<ExportedTable, ExportError> {
    let path = folder.join(format!("{}.jsonl", table.name));
    let writing = |source| ExportError::Write { path: path.clone(), source };
    let mut out = BufWriter::new(File::create_new(&path).map_err(writing)?);
    let mut rows = 0_u64;
    let mut lines = sqlx::query(AssertSqlSafe(select(table, ""))).fetch(&mut **tx);
    while let Some(row) = lines.try_next().await.map_err(during("export"))? {
        let mut line = serde_json::to_vec(&Line::read(table, &row)?).map_err(io::Error::from).map_err(writing)?;
        line.push(b'\n');
        out.write_all(&line).map_err(writing)?;
        rows += 1;
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error).map_err(writing)?;
    file.sync_all().map_err(writing)?;
    let (sha256, _) = File::open(&path).and_then(Digest::of_reader).map_err(writing)?;
    Ok(ExportedTable { name: table.name.to_owned(), rows, sha256 })
}

/// Contents as they are kept, each named by what it holds once decompressed.
async fn write_bodies(tx: &mut Transaction<'static, Any>, folder: &Path) -> Result<(), ExportError> {
    let folder = folder.join(BODIES);
    fs::create_dir(&folder).map_err(|source| ExportError::Write { path: folder.clone(), source })?;
    let select = "SELECT digest, content FROM bodies WHERE swept_ms IS NULL";
    let mut rows = sqlx::query(select).fetch(&mut **tx);
    while let Some(row) = rows.try_next().await.map_err(during("export"))? {
        let digest: Digest = super::codec::parsed("body", &row, "digest")?;
        write_file(&folder.join(format!("{digest}.zst")), column("body", &row, "content")?)?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| ExportError::Write { path: path.to_owned(), source })
}

/// A row as a line of JSON.
pub(super) struct Line(Vec<(&'static str, Cell)>);

enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
    Record(Box<RawValue>),
}

impl Line {
    pub(super) fn read(table: &'static Table, row: &AnyRow) -> Result<Self, StorageError> {
        let cell = |(name, kind): &(&'static str, Kind)| Ok((*name, Cell::read(table.name, row, name, *kind)?));
        Ok(Self(table.columns.iter().map(cell).collect::<Result<_, StorageError>>()?))
    }
}

impl Cell {
    fn read(what: &'static str, row: &AnyRow, name: &str, kind: Kind) -> Result<Self, StorageError> {
        let record = |text: String| {
            let malformed = |error: serde_json::Error| StorageError::Malformed { what, why: error.to_string() };
            RawValue::from_string(text).map(Cell::Record).map_err(malformed)
        };
        Ok(match kind {
            Kind::Text => column::<Option<String>>(what, row, name)?.map_or(Self::Null, Self::Text),
            Kind::Integer => column::<Option<i64>>(what, row, name)?.map_or(Self::Null, Self::Integer),
            Kind::Real => column::<Option<f64>>(what, row, name)?.map_or(Self::Null, Self::Real),
            Kind::Json(_) => record(column(what, row, name)?)?,
            Kind::Note(_) => column::<Option<String>>(what, row, name)?.map_or(Ok(Self::Null), record)?,
            Kind::Bytes(bytes) => match column::<Option<Vec<u8>>>(what, row, name)? {
                None => Self::Null,
                Some(kept) if bytes.packed => Self::Text(STANDARD.encode(decompress(what, &kept, LARGEST)?)),
                Some(kept) => Self::Text(STANDARD.encode(kept)),
            },
            Kind::Packed(_) => {
                let bytes = decompress(what, column(what, row, name)?, LARGEST)?;
                let text = String::from_utf8(bytes);
                record(text.map_err(|error| StorageError::Malformed { what, why: error.to_string() })?)?
            }
        })
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            match cell {
                Cell::Null => map.serialize_entry(name, &())?,
                Cell::Text(text) => map.serialize_entry(name, text)?,
                Cell::Integer(number) => map.serialize_entry(name, number)?,
                Cell::Real(number) => map.serialize_entry(name, number)?,
                Cell::Record(record) => map.serialize_entry(name, record)?,
            }
        }
        map.end()
    }
}
