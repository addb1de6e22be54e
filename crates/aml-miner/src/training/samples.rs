//! Labelled rows by day: the matrix of the day and, one row each, what is known beside the features.

#[cfg(feature = "training")]
mod targets;

use std::collections::HashMap;

use crate::features::{Matrix, Schema};
#[cfg(feature = "training")]
pub use targets::{Target, Targets};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// What is known of a row beside its features.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The alert's or cluster's id.
    pub id: String,
    /// Interned addresses that the row is about.
    pub addresses: Box<[u32]>,
    /// Confirmed illicit (for a cluster: at least one member is).
    pub illicit: bool,
    /// 2 confirmed illicit, 1 suspicious, 0 clean.
    pub relevance: u8,
    /// When the label became known, in ms since the epoch.
    pub known_at: i64,
    /// The score that came with the alert, to be beaten.
    pub baseline: f64,
    /// Index of the row's typology (or cluster type) in [`Samples::kinds`].
    pub kind: u16,
}

/// The labelled rows of one `processing_date`.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Days since 1970-01-01.
    pub date: i32,
    /// One row per labelled row.
    pub matrix: Matrix,
    /// As many as the matrix has rows.
    pub rows: Vec<Row>,
}

impl Day {
    /// Keeps the rows for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&Row) -> bool) {
        let kept: Vec<usize> = (0..self.rows.len()).filter(|&row| keep(&self.rows[row])).collect();
        if kept.len() < self.rows.len() {
            let columns = self.matrix.columns();
            let values = kept.iter().flat_map(|&row| self.matrix.row(row).iter().copied()).collect();
            self.matrix = Matrix::from_rows(columns, values);
            self.rows = kept.iter().map(|&row| self.rows[row].clone()).collect();
        }
    }
}

/// Labelled rows of many days, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The matrices' columns.
    pub schema: Schema,
    /// Names of the typologies (or cluster types) that rows refer to.
    pub kinds: Vec<String>,
    /// The days, oldest first, none without rows.
    pub days: Vec<Day>,
}

impl Samples {
    /// All rows, day by day.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.days.iter().flat_map(|day| &day.rows)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.iter().map(|day| day.rows.len()).sum()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether each row is confirmed illicit.
    #[must_use]
    pub fn labels(&self) -> Vec<bool> {
        self.rows().map(|row| row.illicit).collect()
    }

    /// Number of rows that are confirmed illicit.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.rows().filter(|row| row.illicit).count()
    }

    /// The score that came with each row.
    #[must_use]
    pub fn baseline(&self) -> Vec<f64> {
        self.rows().map(|row| row.baseline).collect()
    }

    /// First and last day, in days since 1970-01-01.
    #[must_use]
    pub fn period(&self) -> Option<(i32, i32)> {
        Some((self.days.first()?.date, self.days.last()?.date))
    }

    /// The same schema and kinds over other days.
    #[must_use]
    pub fn with_days(&self, days: Vec<Day>) -> Self {
        let days = days.into_iter().filter(|day| !day.rows.is_empty()).collect();
        Self { schema: self.schema.clone(), kinds: self.kinds.clone(), days }
    }
}

/// Gives each distinct text a small number, in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Interner(HashMap<String, u32>);

impl Interner {
    /// The number of `text`.
    pub fn id(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.0.get(text) {
            return id;
        }
        // Four billion distinct addresses do not fit into memory in the first place.
        let id = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), id);
        id
    }

    /// The texts in the order of their numbers.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<(&String, &u32)> = self.0.iter().collect();
        texts.sort_by_key(|(_, id)| **id);
        texts.into_iter().map(|(text, _)| text.clone()).collect()
    }
}
