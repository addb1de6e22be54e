//! Writes a batch directory: whole or not at all, and the same bytes for the same batch.
//!
//! Files are made in a hidden directory beside the target, flushed to disk, and renamed into place. What is written
//! keeps the rules that reading enforces.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::batch_dir::file_name;
use crate::data::manifest::{MANIFEST_FILE, Manifest};
use crate::data::staging::Staging;
use crate::data::write_error::WriteBatchError;
use crate::data::write_options::WriteOptions;
use crate::data::write_parts::write_table;
use crate::table::Batch;
use crate::table::Table;

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
        let entry = write_table(&staging, table, &name, options)?;
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
