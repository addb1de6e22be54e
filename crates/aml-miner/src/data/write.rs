//! Writes a batch directory: whole or not at all, and the same bytes for the same batch.
//!
//! Files are made in a hidden directory beside the target, flushed to disk, and renamed into place. What is written
//! keeps the rules that reading enforces.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use ed25519_dalek::SigningKey;
use polars::prelude::PolarsError;

use crate::data::batch_dir::file_name;
use crate::data::check::check_table;
use crate::data::encode::encode;
use crate::data::limits::Limits;
use crate::data::manifest::{FileEntry, MANIFEST_FILE, Manifest};
use crate::data::staging::Staging;
use crate::data::table_error::TableError;
use crate::digest::Digest;
use crate::wire::batch::Batch;
use crate::wire::table::Table;

/// What a manifest says beside its files.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions<'a> {
    /// The day the batch is for.
    pub processing_date: NaiveDate,
    /// Days that the features look back.
    pub window_days: u16,
    /// The chain the addresses are on.
    pub network: &'a str,
    /// When the batch was made, RFC 3339: given, so that the same batch gives the same bytes.
    pub created_at: &'a str,
    /// Signs the manifest, where there is a publisher.
    pub publisher: Option<&'a SigningKey>,
    /// Whether a batch that is there already is replaced; else it is an error.
    pub replace: bool,
}

/// A batch that was not written; the target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteBatchError {
    /// A table breaks a rule of the format.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A table has no Parquet form.
    #[error("cannot encode {file}: {source}")]
    Encode {
        /// Name of the file.
        file: String,
        /// Why not.
        source: PolarsError,
    },
    /// The time does not read as RFC 3339.
    #[error("created_at `{0}` is not an RFC 3339 time")]
    CreatedAt(String),
    /// Something is there already.
    #[error("{path} exists already; remove it, or ask for it to be replaced", path = .0.display())]
    Exists(PathBuf),
    /// The file system refuses.
    #[error("cannot write {path}: {source}", path = path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Writes `batch`, and `labels` where outcomes are known, as the directory `target`.
///
/// # Errors
/// When a table breaks a rule, `target` exists, or the file system refuses.
pub fn write_batch(
    target: &Path,
    batch: &Batch,
    labels: Option<&Table>,
    options: &WriteOptions<'_>,
) -> Result<Manifest, WriteBatchError> {
    if chrono::DateTime::parse_from_rfc3339(options.created_at).is_err() {
        return Err(WriteBatchError::CreatedAt(options.created_at.to_owned()));
    }
    let staging = Staging::beside(target, options.replace)?;
    let mut files = BTreeMap::new();
    let flows = Some(&batch.money_flows).filter(|table| table.rows() > 0);
    let tables = [Some(&batch.alerts), Some(&batch.features), Some(&batch.clusters), flows, labels];
    for table in tables.into_iter().flatten() {
        let name = file_name(table.spec());
        check_table(table, &name, &Limits::default())?;
        let bytes = encode(table).map_err(|source| WriteBatchError::Encode { file: name.clone(), source })?;
        staging.write(&name, &bytes)?;
        let entry = FileEntry { sha256: Digest::of(&bytes), bytes: bytes.len() as u64, rows: table.rows() as u64 };
        files.insert(name, entry);
    }
    let mut manifest = Manifest::new(options, files);
    if let Some(key) = options.publisher {
        manifest.sign(key);
    }
    staging.write(MANIFEST_FILE, &manifest.to_json())?;
    staging.publish()?;
    Ok(manifest)
}
