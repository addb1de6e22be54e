//! Reads an answer that a stranger sent: exact types, a bounded number of rows and bounded texts.
//!
//! Unknown fields are passed over, a field given twice is an error, and so is everything after the list. Whether the
//! scores are good is not asked here.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use super::{ClusterRow, RankRow, ScoreRow};

/// How much one answer may hold. Its bytes are bounded before it gets here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes of an identifier or a model version.
    pub text: usize,
    /// Bytes of an explanation.
    pub explanation: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        // As many rows as a request may have; explanations of a few hundred features.
        Self { rows: 200_000, text: 1024, explanation: 64 * 1024 }
    }
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadReplyError {
    /// Not JSON, not a list of such rows, or more rows than allowed.
    #[error("the answer is not a list of rows: {0}")]
    Json(#[from] serde_json::Error),
    /// A text is longer than allowed.
    #[error("row {row}: `{field}` has {actual} bytes, at most {most} are allowed")]
    TooLong {
        /// Index of the row.
        row: usize,
        /// Name of the field.
        field: &'static str,
        /// Its length.
        actual: usize,
        /// What is allowed.
        most: usize,
    },
}

/// Reads the answer of `/score/alerts`.
///
/// # Errors
/// When it is not such an answer within `limits`.
pub fn read_scores(bytes: &[u8], limits: &ReplyLimits) -> Result<Vec<ScoreRow>, ReadReplyError> {
    let rows: Vec<ScoreRow> = read_list(bytes, limits.rows)?;
    for (row, answer) in rows.iter().enumerate() {
        within(row, "alert_id", &answer.alert_id, limits.text)?;
        within(row, "model_version", &answer.model_version, limits.text)?;
        within(row, "explain_json", &answer.explain_json, limits.explanation)?;
    }
    Ok(rows)
}

/// Reads the answer of `/rank/alerts`.
///
/// # Errors
/// When it is not such an answer within `limits`.
pub fn read_ranks(bytes: &[u8], limits: &ReplyLimits) -> Result<Vec<RankRow>, ReadReplyError> {
    let rows: Vec<RankRow> = read_list(bytes, limits.rows)?;
    for (row, answer) in rows.iter().enumerate() {
        within(row, "alert_id", &answer.alert_id, limits.text)?;
    }
    Ok(rows)
}

/// Reads the answer of `/score/clusters`.
///
/// # Errors
/// When it is not such an answer within `limits`.
pub fn read_clusters(bytes: &[u8], limits: &ReplyLimits) -> Result<Vec<ClusterRow>, ReadReplyError> {
    let rows: Vec<ClusterRow> = read_list(bytes, limits.rows)?;
    for (row, answer) in rows.iter().enumerate() {
        within(row, "cluster_id", &answer.cluster_id, limits.text)?;
        within(row, "model_version", &answer.model_version, limits.text)?;
        within(row, "explain_json", &answer.explain_json, limits.explanation)?;
    }
    Ok(rows)
}

pub(super) fn within(row: usize, field: &'static str, text: &str, most: usize) -> Result<(), ReadReplyError> {
    let actual = text.len();
    if actual > most { Err(ReadReplyError::TooLong { row, field, actual, most }) } else { Ok(()) }
}

pub(super) fn read_list<'de, T: Deserialize<'de>>(bytes: &'de [u8], most: usize) -> Result<Vec<T>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let rows = deserializer.deserialize_seq(AtMost { most, row: PhantomData })?;
    deserializer.end()?;
    Ok(rows)
}

/// Collects a list, and stops at the first item too many.
struct AtMost<T> {
    most: usize,
    row: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {} rows", self.most)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element()? {
            if rows.len() == self.most {
                return Err(A::Error::custom(format_args!("more than {} rows", self.most)));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}
