//! Writes a batch directory whose tables stand in parts, a piece of the day after another: whole or not at all.
//!
//! Memory is that of a piece, of the keys seen, and of the outcomes, which stand in one file.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use crate::data::batch_dir::file_name;
use crate::data::check::{check_table, check_times};
use crate::data::content::Content;
use crate::data::encode::encode;
use crate::data::keys::Keys;
use crate::data::limits::FileLimits;
use crate::data::manifest::{FileEntry, MANIFEST_FILE, Manifest};
use crate::data::parts::{MAX_PARTS, PARTED, PartsError, TableParts, part_name};
use crate::data::staging::Staging;
use crate::data::write_error::WriteBatchError;
use crate::data::write_options::WriteOptions;
use crate::digest::Digest;
use crate::table::spec::{LABELS, TableSpec};
use crate::table::{Batch, Table};

/// A batch directory in the making.
pub struct PartsWriter<'a> {
    staging: Staging,
    options: WriteOptions<'a>,
    tables: Vec<OfTable>,
    labels: Option<Table>,
    files: BTreeMap<String, FileEntry>,
}

/// A table in the making.
struct OfTable {
    spec: &'static TableSpec,
    parts: Vec<String>,
    rows: u64,
    keys: Keys,
    content: Content,
}

impl<'a> PartsWriter<'a> {
    /// A batch that becomes the directory `target`.
    ///
    /// # Errors
    /// When `target` is there and is not to be replaced, or the file system refuses.
    pub fn new(target: &Path, options: &WriteOptions<'a>) -> Result<Self, WriteBatchError> {
        if chrono::DateTime::parse_from_rfc3339(options.created_at).is_err() {
            return Err(WriteBatchError::CreatedAt(options.created_at.to_owned()));
        }
        let staging = Staging::beside(target, options.replace)?;
        let tables = PARTED.map(|spec| OfTable {
            spec,
            parts: Vec::new(),
            rows: 0,
            keys: Keys::default(),
            content: Content::new(spec),
        });
        Ok(Self { staging, options: *options, tables: tables.into(), labels: None, files: BTreeMap::new() })
    }

    /// Adds the next rows of all tables, a part each; `labels` where outcomes are known.
    ///
    /// # Errors
    /// When a table breaks a rule, a key stands in an earlier part, or the file system refuses.
    pub fn add(&mut self, batch: &Batch, labels: Option<Table>) -> Result<(), WriteBatchError> {
        for table in [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows] {
            self.add_part(table)?;
        }
        if let Some(labels) = labels {
            match &mut self.labels {
                Some(known) => known.append(labels),
                none => *none = Some(labels),
            }
        }
        Ok(())
    }

    /// Adds the next rows of a table that may stand in parts; none is no part.
    ///
    /// # Errors
    /// As [`PartsWriter::add`].
    pub fn add_part(&mut self, table: &Table) -> Result<(), WriteBatchError> {
        let found = self.tables.iter().map(|of| of.parts.len()).sum::<usize>() + 1;
        let Some(of) = self.tables.iter_mut().find(|of| std::ptr::eq(of.spec, table.spec())) else {
            return Err(PartsError::Table(table.spec().name.to_owned()).into());
        };
        if table.rows() == 0 {
            return Ok(());
        }
        if found > MAX_PARTS {
            return Err(PartsError::TooMany { found, limit: MAX_PARTS }.into());
        }
        let name = part_name(of.spec, of.parts.len());
        of.learn(table, &name)?;
        let entry = write_table(&self.staging, table, &name, &self.options)?;
        self.files.insert(name, entry);
        Ok(())
    }

    /// Puts the directory in place.
    ///
    /// # Errors
    /// When the outcomes break a rule, or the file system refuses.
    pub fn finish(mut self) -> Result<Manifest, WriteBatchError> {
        let mut tables = BTreeMap::new();
        for of in self.tables {
            if !of.parts.is_empty() {
                let content_sha256 = of.content.finish(of.rows);
                tables.insert(of.spec.name.to_owned(), TableParts { content_sha256, parts: of.parts, rows: of.rows });
            } else if of.spec.key.is_some() {
                let name = file_name(of.spec);
                let entry = write_table(&self.staging, &Table::empty(of.spec), &name, &self.options)?;
                self.files.insert(name, entry);
            }
        }
        if let Some(labels) = &self.labels {
            let name = file_name(&LABELS);
            let entry = write_table(&self.staging, labels, &name, &self.options)?;
            self.files.insert(name, entry);
        }
        let mut manifest = Manifest::new(&self.options, self.files).with_tables(tables);
        if let Some(key) = self.options.publisher {
            manifest.sign(key);
        }
        self.staging.write(MANIFEST_FILE, &manifest.to_json())?;
        self.staging.publish()?;
        Ok(manifest)
    }
}

impl OfTable {
    /// Counts the rows of the part `name`.
    fn learn(&mut self, table: &Table, name: &str) -> Result<(), WriteBatchError> {
        self.keys.next_file(name);
        if let Some(column) = self.spec.key
            && let Some(keys) = table.texts(column)
            && let Some(flaw) = self.keys.add(keys, 0, 1).pop()
        {
            return Err(flaw.at(name, column).into());
        }
        for (position, column) in table.columns().iter().enumerate() {
            if let Some(column) = column {
                self.content.add(position, column, self.rows);
            }
        }
        self.rows += table.rows() as u64;
        self.parts.push(name.to_owned());
        Ok(())
    }
}

/// Writes a table that keeps the rules as the file `name`.
pub(super) fn write_table(
    staging: &Staging,
    table: &Table,
    name: &str,
    options: &WriteOptions<'_>,
) -> Result<FileEntry, WriteBatchError> {
    check_table(table, name, &FileLimits::default())?;
    check_times(table, name, options.processing_date)?;
    let bytes = encode(table).map_err(|source| WriteBatchError::Encode { file: name.to_owned(), source })?;
    staging.write(name, &bytes)?;
    Ok(FileEntry { sha256: Digest::of(&bytes), bytes: bytes.len() as u64, rows: table.rows() as u64 })
}

/// Writes `batch` with its tables in parts of `rows` rows, and `labels` where outcomes are known, as the directory `target`.
///
/// # Errors
/// As [`PartsWriter`].
pub fn write_batch_in_parts(
    target: &Path,
    batch: &Batch,
    labels: Option<&Table>,
    options: &WriteOptions<'_>,
    rows: NonZeroUsize,
) -> Result<Manifest, WriteBatchError> {
    let mut writer = PartsWriter::new(target, options)?;
    writer.labels = labels.cloned();
    for table in [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows] {
        for start in (0..table.rows()).step_by(rows.get()) {
            let part: Vec<usize> = (start..table.rows().min(start.saturating_add(rows.get()))).collect();
            writer.add_part(&table.take(&part))?;
        }
    }
    writer.finish()
}

/// The digest of the values of `table`, as a manifest states it of a table in parts.
#[must_use]
pub fn content_sha256(table: &Table) -> Digest {
    let content = Content::new(table.spec());
    for (position, column) in table.columns().iter().enumerate() {
        if let Some(column) = column {
            content.add(position, column, 0);
        }
    }
    content.finish(table.rows() as u64)
}
