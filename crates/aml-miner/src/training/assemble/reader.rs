//! Batch directories read one by one, with their usable labels, and what was read so far.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::labels::{Label, has_labels, usable_labels};
use super::past::{Earlier, on_day};
use crate::data::{BatchDir, BatchEntry, LoadedBatch, ReadBatchError};
use crate::digest::Digest;
use crate::features::{BuildError, Built, FeatureBuilder, Matrix, Schema, SchemaError};
use crate::history::{History, HistoryError};
use crate::training::samples::{Day, Interner, Row, Samples};
use crate::training::watch::Watch;
use crate::wire::{Batch, Table};

/// Which batches are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The directory of batch directories.
    pub data_dir: PathBuf,
    /// First day.
    pub start: Option<NaiveDate>,
    /// Last day.
    pub end: Option<NaiveDate>,
    /// The state of addresses that the first day begins with, for features of earlier days. Days of the directory go on from it.
    pub history: Option<PathBuf>,
}

/// What was read, and what was left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Batches read.
    pub batches: usize,
    /// Batches without labels, passed over.
    pub without_labels: usize,
    /// Rows (alerts or clusters) in the batches that were read.
    pub rows: usize,
    /// Rows with a usable label.
    pub labelled: usize,
    /// Labels that were known by the end of their batch's day, not used.
    pub known_too_early: usize,
    /// Columns that features need and at least one batch lacks; what depends on them is missing.
    pub lacking: BTreeSet<String>,
    /// SHA-256 over the manifests' digests, one per line, in the order of the days.
    pub data_sha256: Digest,
}

/// Labelled rows and where they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembled {
    /// The rows.
    pub samples: Samples,
    /// Where they came from.
    pub summary: Summary,
    /// The last day that was looked at, labelled or not, in days since 1970-01-01.
    pub until: i32,
}

/// Why no labelled rows could be assembled.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The data directory cannot be listed.
    #[error("cannot list {path}", path = path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is nothing to read.
    #[error("no batch directories in {path} for the days asked for", path = path.display())]
    NoBatches {
        /// The directory.
        path: PathBuf,
    },
    /// No batch has labels.
    #[error("none of the {batches} batches has a usable label: training needs labels.parquet in the batch directories")]
    NoLabels {
        /// Batches looked at.
        batches: usize,
    },
    /// A batch cannot be used.
    #[error("batch {path}", path = path.display())]
    Batch {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<ReadBatchError>,
    },
    /// The features cannot be computed.
    #[error("batch {path}", path = path.display())]
    Features {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<BuildError>,
    },
    /// The features are not known.
    #[error("the features cannot be built")]
    Schema(#[from] SchemaError),
    /// The state to begin with cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// It was told to stop.
    #[error("stopped before all batches were read")]
    Stopped,
}

/// A batch with its usable labels, and what earlier days say of addresses, where that is asked for.
pub struct OneDay<'a> {
    pub(super) path: &'a Path,
    pub(super) loaded: &'a LoadedBatch,
    pub(super) labels: HashMap<&'a str, Label>,
    history: Option<Arc<History>>,
}

impl OneDay<'_> {
    /// The day, in days since 1970-01-01.
    #[must_use]
    pub fn date(&self) -> i32 {
        self.loaded.meta.processing_date.to_epoch_days()
    }

    /// The tables.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.loaded.batch
    }

    /// `builder` with what is known on the day.
    #[must_use]
    pub fn knowing(&self, builder: &FeatureBuilder) -> FeatureBuilder {
        on_day(builder, self.history.as_ref())
    }

    /// What it is about an error of features.
    pub(super) fn failed(&self, source: BuildError) -> AssembleError {
        AssembleError::Features { path: self.path.to_owned(), source: Box::new(source) }
    }
}

/// Reads the labelled batches of `range` one by one, oldest first.
pub(super) struct Reader<'a> {
    entries: Vec<BatchEntry>,
    earlier: Earlier,
    watch: &'a dyn Watch,
    pub(super) summary: Summary,
    pub(super) until: i32,
    manifests: String,
}

impl<'a> Reader<'a> {
    /// The batches of `range`; with those before it, where features ask for earlier days.
    pub(super) fn open(range: &Range, asks_history: bool, watch: &'a dyn Watch) -> Result<Self, AssembleError> {
        let (earlier, entries) = Earlier::open(range, asks_history)?;
        if entries.len() == earlier.warm_up() {
            return Err(AssembleError::NoBatches { path: range.data_dir.clone() });
        }
        let summary = Summary {
            batches: 0,
            without_labels: 0,
            rows: 0,
            labelled: 0,
            known_too_early: 0,
            lacking: BTreeSet::new(),
            data_sha256: Digest::of(&[]),
        };
        let until = entries.iter().map(|entry| entry.date.to_epoch_days()).max().unwrap_or_default();
        Ok(Self { entries, earlier, watch, summary, until, manifests: String::new() })
    }

    /// Gives every labelled batch and its usable labels to `use_batch`.
    pub(super) fn each(
        &mut self,
        mut use_batch: impl FnMut(&mut Summary, &OneDay<'_>) -> Result<(), AssembleError>,
    ) -> Result<(), AssembleError> {
        let entries = std::mem::take(&mut self.entries);
        for (done, entry) in entries.iter().enumerate() {
            self.watch.step("reading batches", done + 1, entries.len());
            if self.watch.stopped() {
                return Err(AssembleError::Stopped);
            }
            let failed = |source| AssembleError::Batch { path: entry.path.clone(), source: Box::new(source) };
            let directory = BatchDir::open(&entry.path).map_err(failed)?;
            let wanted = !self.earlier.is_before(entry.date);
            let labelled = wanted && has_labels(&directory);
            self.summary.without_labels += usize::from(wanted && !labelled);
            if !labelled && !self.earlier.asked() {
                continue;
            }
            let loaded = directory.load().map_err(failed)?;
            self.manifests.push_str(&format!("{}\n", loaded.meta.digest()));
            if labelled {
                let (labels, early) = usable_labels(&loaded);
                self.summary.batches += 1;
                self.summary.known_too_early += early;
                let history = self.earlier.on(loaded.meta.processing_date);
                let day = OneDay { path: &entry.path, loaded: &loaded, labels, history };
                use_batch(&mut self.summary, &day)?;
            }
            self.earlier.then(loaded.meta.processing_date, &loaded.batch);
        }
        if self.summary.labelled == 0 {
            return Err(AssembleError::NoLabels { batches: entries.len() - self.earlier.warm_up() });
        }
        self.summary.data_sha256 = Digest::of(self.manifests.as_bytes());
        Ok(())
    }
}

/// The numbers of a column; all missing where the batch lacks it.
pub(super) fn numbers_or_missing(table: &Table, name: &str) -> Vec<f64> {
    table.numbers(name).map_or_else(|| vec![f64::NAN; table.rows()], <[f64]>::to_vec)
}

/// Small numbers for the names of addresses and of typologies (or cluster types).
#[derive(Default)]
pub(super) struct Names {
    pub(super) addresses: Interner,
    kinds: Interner,
}

impl Names {
    /// Typologies share small numbers; the 65,535th and later ones share the last.
    pub(super) fn kind(&mut self, name: &str) -> u16 {
        u16::try_from(self.kinds.id(if name.is_empty() { "(none)" } else { name })).unwrap_or(u16::MAX)
    }
}

/// The labelled rows of the days read so far.
pub(super) struct Collected {
    schema: Schema,
    days: Vec<Day>,
    pub(super) names: Names,
}

/// The labelled rows of one day.
#[derive(Default)]
pub(super) struct Labelled {
    values: Vec<f64>,
    rows: Vec<Row>,
}

impl Labelled {
    /// Adds a row and its features.
    pub(super) fn push(&mut self, values: &[f64], row: Row) {
        self.values.extend_from_slice(values);
        self.rows.push(row);
    }
}

impl Collected {
    /// Nothing yet.
    pub(super) fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone(), days: Vec::new(), names: Names::default() }
    }

    /// Adds a day of which `built` was made, and counts it.
    pub(super) fn add(&mut self, summary: &mut Summary, day: Labelled, date: i32, built: &Built) {
        let lacking = built.lacking.iter().map(|lacking| format!("{}.{}", lacking.table, lacking.column));
        summary.lacking.extend(lacking);
        summary.rows += built.matrix.rows();
        summary.labelled += day.rows.len();
        if !day.rows.is_empty() {
            let matrix = Matrix::from_rows(self.schema.features.len(), day.values);
            self.days.push(Day { date, matrix, rows: day.rows });
        }
    }

    /// All days, with what was read for them.
    pub(super) fn finish(self, reader: Reader<'_>) -> Assembled {
        let samples = Samples { schema: self.schema, kinds: self.names.kinds.texts(), days: self.days };
        Assembled { samples, summary: reader.summary, until: reader.until }
    }
}
