//! The outcomes of a batch directory: its journal, and the table and manifest that are made anew with every change.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;

use super::journal::{Action, Journal, JournalError, Outcome, Statement};
use super::standing::{Standing, standings, table};
use crate::data::batch_dir::{BatchDir, ReadBatchError, file_name};
use crate::data::encode::{EncodeError, to_parquet};
use crate::data::manifest::{FileEntry, MANIFEST_FILE};
use crate::digest::Digest;
use crate::table::Table;
use crate::table::spec::{ALERTS, LABELS};
use crate::whole_file::{self, Readers};

/// The journal's file in a batch directory.
pub const JOURNAL_FILE: &str = "labels.journal.jsonl";
/// Bytes of a journal: a million outcomes have about 150 MB.
const MAX_JOURNAL_BYTES: usize = 1 << 30;
/// What outcomes are called that were there before the journal and do not say who they are of.
const UNNAMED: &str = "unknown";

/// A batch directory and the journal of its outcomes.
#[derive(Debug)]
pub struct Book {
    directory: BatchDir,
    journal: Journal,
    alerts: BTreeSet<String>,
    /// Outcomes that were there before the journal.
    before: Option<Table>,
}

/// A change of the book.
#[derive(Clone, Debug)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// Who says so.
    pub source: String,
    /// Why.
    pub reason: Option<String>,
    /// Of which alerts.
    pub outcomes: Vec<Outcome>,
    /// When, RFC 3339.
    pub at: String,
}

/// A book that cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The batch is not good.
    #[error(transparent)]
    Batch(#[from] ReadBatchError),
    /// The journal cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The journal is not whole.
    #[error("{JOURNAL_FILE}, {0}")]
    Journal(#[from] JournalError),
    /// Alerts that the batch does not have.
    #[error("the batch has no alert {}", .0.join(", "))]
    NoSuchAlert(Vec<String>),
    /// Outcomes that the source did not state.
    #[error("{source_name} has said nothing of {} that could be withdrawn", ids.join(", "))]
    NothingToWithdraw {
        /// Who.
        source_name: String,
        /// Of which alerts.
        ids: Vec<String>,
    },
    /// The manifest is signed by somebody else.
    #[error(
        "META.json is signed by {publisher}: give that key (--publisher-key), for the manifest changes with the labels"
    )]
    SignedByAnother {
        /// Who signed it.
        publisher: String,
    },
    /// The table has no Parquet form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Names that are told at once.
const SHOWN: usize = 20;

impl Book {
    /// Opens the book of the batch in `path`. The table of outcomes is not read where there is a journal: it follows.
    ///
    /// # Errors
    /// When the batch or the journal is not good.
    pub fn open(path: &Path) -> Result<Self, BookError> {
        let directory = BatchDir::open(path)?;
        let ids = directory.table(&ALERTS)?.and_then(|alerts| alerts.texts("alert_id").cloned()).unwrap_or_default();
        let file = path.join(JOURNAL_FILE);
        let (journal, before) = match whole_file::read(&file, MAX_JOURNAL_BYTES) {
            Ok(bytes) => (Journal::parse(&bytes)?, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Journal::default(), directory.load_labels()?),
            Err(source) => return Err(BookError::File { path: file, source }),
        };
        Ok(Self { directory, journal, alerts: ids.iter().map(str::to_owned).collect(), before })
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The batch directory.
    #[must_use]
    pub fn batch(&self) -> &BatchDir {
        &self.directory
    }

    /// What stands of every alert.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        standings(&self.journal)
    }

    /// Writes `change` down, signed with `key`, and the table and the manifest that follow. A source that says again what
    /// it said adds nothing; the number of outcomes that are new is returned.
    ///
    /// # Errors
    /// When an alert is not known, there is nothing to withdraw, or a file cannot be written. The journal is written
    /// first: where the others failed, the same command again makes them.
    pub fn change(
        &mut self,
        change: Change,
        key: &SigningKey,
        publisher: Option<&SigningKey>,
    ) -> Result<usize, BookError> {
        self.check_publisher(publisher)?;
        let unknown = change.outcomes.iter().map(|outcome| &outcome.alert_id).filter(|id| !self.alerts.contains(*id));
        let unknown: Vec<String> = unknown.take(SHOWN).cloned().collect();
        if !unknown.is_empty() {
            return Err(BookError::NoSuchAlert(unknown));
        }
        self.take_over(&change.at, key);
        let said = self.said_by(&change.source);
        let mut outcomes = change.outcomes;
        match change.action {
            Action::Add => outcomes.retain(|outcome| said.get(&outcome.alert_id) != Some(outcome)),
            Action::Withdraw => {
                let unsaid = outcomes.iter().map(|outcome| &outcome.alert_id).filter(|id| !said.contains_key(*id));
                let ids: Vec<String> = unsaid.take(SHOWN).cloned().collect();
                if !ids.is_empty() {
                    return Err(BookError::NothingToWithdraw { source_name: change.source, ids });
                }
            }
        }
        let new = outcomes.len();
        if new > 0 {
            let Change { action, source, reason, at, .. } = change;
            self.journal.append(Statement { action, source, reason, outcomes, at }, key);
        }
        self.write(publisher)?;
        Ok(new)
    }

    /// What was there before the journal becomes its first entries, source by source.
    fn take_over(&mut self, at: &str, key: &SigningKey) {
        let Some(table) = self.before.take() else { return };
        let texts = |name: &str, row: usize| table.texts(name).map_or("", |texts| texts.get(row)).to_owned();
        let number =
            |name: &str, row: usize| table.numbers(name).map(|values| values[row]).filter(|value| !value.is_nan());
        let mut by_source: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
        for row in 0..table.rows() {
            let source =
                Some(texts("source", row)).filter(|name| !name.is_empty()).unwrap_or_else(|| UNNAMED.to_owned());
            by_source.entry(source).or_default().push(outcome_of(texts("alert_id", row), |name| number(name, row)));
        }
        for (source, outcomes) in by_source {
            let reason = Some("was in labels.parquet before the journal".to_owned());
            let statement = Statement { action: Action::Add, source, reason, outcomes, at: at.to_owned() };
            self.journal.append(statement, key);
        }
    }

    fn said_by(&self, source: &str) -> BTreeMap<String, Outcome> {
        let mut said = BTreeMap::new();
        for entry in self.journal.entries().iter().filter(|entry| entry.source == source) {
            for outcome in &entry.outcomes {
                match entry.action {
                    Action::Add => said.insert(outcome.alert_id.clone(), outcome.clone()),
                    Action::Withdraw => said.remove(&outcome.alert_id),
                };
            }
        }
        said
    }

    fn check_publisher(&self, key: Option<&SigningKey>) -> Result<(), BookError> {
        let Some(publisher) = &self.directory.manifest().publisher else { return Ok(()) };
        let given = key.map(|key| hex::encode(key.verifying_key().as_bytes()));
        let same = given.is_some_and(|given| given.eq_ignore_ascii_case(publisher));
        if same { Ok(()) } else { Err(BookError::SignedByAnother { publisher: publisher.clone() }) }
    }

    fn write(&self, publisher: Option<&SigningKey>) -> Result<(), BookError> {
        let outcomes = table(&self.standings());
        let labels = to_parquet(&outcomes)?;
        let mut manifest = self.directory.manifest().clone();
        let files: [(String, &[u8], usize); 2] = [
            (JOURNAL_FILE.to_owned(), self.journal.bytes(), self.journal.entries().len()),
            (file_name(&LABELS), &labels, outcomes.rows()),
        ];
        for (name, bytes, rows) in &files {
            let entry = FileEntry { sha256: Digest::of(bytes), bytes: bytes.len() as u64, rows: *rows as u64 };
            manifest.files.insert(name.clone(), entry);
        }
        if let Some(key) = publisher {
            manifest.sign(key);
        }
        for (name, bytes, _) in &files {
            self.put(name, bytes)?;
        }
        self.put(MANIFEST_FILE, &manifest.to_json())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), BookError> {
        let path = self.directory.path().join(name);
        whole_file::write(&path, bytes, Readers::Everyone).map_err(|source| BookError::File { path, source })
    }
}

/// The outcome in a row of a table of outcomes.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range by the table's rules")]
pub fn outcome_of(alert_id: String, number: impl Fn(&str) -> Option<f64>) -> Outcome {
    Outcome {
        alert_id,
        confirmed_illicit: number("confirmed_illicit").map(|value| value > 0.5),
        relevance: number("relevance").map(|value| value as u8),
        confirmed_at: number("confirmed_at").map(|value| value as i64),
    }
}
