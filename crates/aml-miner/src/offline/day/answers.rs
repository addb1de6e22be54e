//! The tables of answers, written a group of rows after another, and their receipts.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use polars_error::PolarsError;

use crate::data::batch_dir::file_name;
use crate::data::check::check_table;
use crate::data::encode::{GroupWriter, arrays_of, encode, groups};
use crate::data::limits::FileLimits;
use crate::data::{Staging, WriteBatchError};
use crate::digest::{Digest, Hashing};
use crate::offline::tables::{self, SCORES, Scores};
use crate::offline::write::{Signing, receipt, receipt_name};
use crate::scoring::Prepared;
use crate::wire::{Table, TableSpec, TextColumn};

/// The answers of a day in the making.
pub(super) struct Answers<'a> {
    staging: &'a Staging,
    signing: &'a Signing<'a>,
    names: Vec<String>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(staging: &'a Staging, signing: &'a Signing<'a>) -> Self {
        Self { staging, signing, names: Vec::new() }
    }

    /// A file of scores of `rows` rows by `model`.
    pub(super) fn scores(
        &self,
        spec: &'static TableSpec,
        model: &Prepared,
        rows: usize,
    ) -> Result<ScoreFile, WriteBatchError> {
        let name = file_name(spec);
        let sink = Hashed { file: BufWriter::new(self.staging.create(&name)?), hashing: Hashing::default() };
        let groups = groups(rows).into_iter().map(|(_, length)| length).collect();
        let version = model.model.version().to_owned();
        Ok(ScoreFile { spec, version, next: 0, waiting: None, groups, sink: Sink::New(Box::new(sink)) })
    }

    /// Ends `file` and signs a receipt for it, with the state that is behind it.
    pub(super) fn add(
        &mut self,
        file: ScoreFile,
        model: &Prepared,
        state: Option<Digest>,
    ) -> Result<(), WriteBatchError> {
        let spec = file.spec;
        let digest = file.finish(self.staging)?;
        self.receipt(spec, digest, model, state)
    }

    /// Writes a table and signs a receipt for it.
    pub(super) fn table(&mut self, table: &Table, model: &Prepared) -> Result<(), WriteBatchError> {
        let file = file_name(table.spec());
        check_table(table, &file, &FileLimits::default())?;
        let bytes = encode(table).map_err(|source| WriteBatchError::Encode { file: file.clone(), source })?;
        self.staging.write(&file, &bytes)?;
        self.receipt(table.spec(), Digest::of(&bytes), model, model.state)
    }

    fn receipt(
        &mut self,
        spec: &TableSpec,
        output: Digest,
        model: &Prepared,
        state: Option<Digest>,
    ) -> Result<(), WriteBatchError> {
        let (version, digest) = (model.model.version().to_owned(), model.model.digest());
        let bytes = receipt(self.signing, output, version, (digest, model.schema_hash, state));
        self.staging.write(&receipt_name(spec.name), &bytes)?;
        self.names.push(file_name(spec));
        Ok(())
    }

    /// The names of the tables.
    pub(super) fn finish(self) -> Vec<String> {
        self.names
    }
}

/// A file of scores in the making.
pub(super) struct ScoreFile {
    spec: &'static TableSpec,
    version: String,
    /// Rows that were given.
    next: usize,
    /// Rows that were not written.
    waiting: Option<Table>,
    /// How many rows the groups have that were not written.
    groups: VecDeque<usize>,
    sink: Sink,
}

enum Sink {
    New(Box<Hashed>),
    Begun(Box<GroupWriter<Hashed>>),
    Gone,
}

impl ScoreFile {
    /// Whether its rows are alerts.
    pub(super) fn is_of_alerts(&self) -> bool {
        std::ptr::eq(self.spec, &raw const SCORES)
    }

    /// Adds the next rows, whose ids follow those that were given before.
    pub(super) fn add(&mut self, ids: &TextColumn, block: &Scores) -> Result<(), WriteBatchError> {
        let mut start = 0;
        while start < block.scores.len() {
            let room =
                self.groups.front().copied().unwrap_or(usize::MAX) - self.waiting.as_ref().map_or(0, Table::rows);
            let end = block.scores.len().min(start.saturating_add(room));
            let of: TextColumn = (self.next..self.next + (end - start)).map(|row| ids.get(row)).collect();
            self.next += end - start;
            let part = Scores {
                scores: block.scores[start..end].to_vec(),
                explanations: block.explanations.as_ref().map(|texts| texts[start..end].to_vec()),
            };
            let table = tables::scores(self.spec, of, &self.version, &part);
            self.waiting.get_or_insert_with(|| Table::empty(self.spec)).append(table);
            start = end;
            if self.groups.front().copied() == self.waiting.as_ref().map(Table::rows) {
                self.write()?;
            }
        }
        Ok(())
    }

    /// Writes the rows that wait as a group.
    fn write(&mut self) -> Result<(), WriteBatchError> {
        self.groups.pop_front();
        let table = self.waiting.take().unwrap_or_else(|| Table::empty(self.spec));
        let file = file_name(self.spec);
        check_table(&table, &file, &FileLimits::default())?;
        let failed = |source: PolarsError| WriteBatchError::Encode { file: file.clone(), source };
        let (fields, arrays) = arrays_of(&table).map_err(failed)?;
        let rows = table.rows();
        drop(table);
        self.sink = match std::mem::replace(&mut self.sink, Sink::Gone) {
            Sink::New(sink) => Sink::Begun(Box::new(GroupWriter::new(*sink, fields).map_err(failed)?)),
            begun => begun,
        };
        if let Sink::Begun(writer) = &mut self.sink
            && rows > 0
        {
            writer.write(&arrays, 0, rows).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(mut self, staging: &Staging) -> Result<Digest, WriteBatchError> {
        if matches!(self.sink, Sink::New(_)) {
            self.write()?;
        }
        let file = file_name(self.spec);
        let Sink::Begun(writer) = self.sink else { return Ok(Digest::of(&[])) };
        let sink = writer.finish().map_err(|source| WriteBatchError::Encode { file: file.clone(), source })?;
        let path = staging.path().join(&file);
        sink.finish().map_err(|source| WriteBatchError::Io { path, source })
    }
}

/// A file whose bytes are hashed as they are written.
struct Hashed {
    file: BufWriter<File>,
    hashing: Hashing,
}

impl Hashed {
    fn finish(self) -> io::Result<Digest> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.hashing.finish())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hashing.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
