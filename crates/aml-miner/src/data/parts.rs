//! Tables in several files: what a manifest says of them, and what makes it unusable.
//!
//! The files of `tables` are part of `files` like all others. Their split is nobody's business but the reader's: the digest
//! of such a batch is over the tables' values ([`TableParts::content_sha256`]), not over their files.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data::manifest::{FileEntry, is_plain_name};
use crate::digest::Digest;
use crate::table::excerpt;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};

/// Files of all tables together: parts of some thousand rows of a day of millions.
pub const MAX_PARTS: usize = 1_000;
/// Tables that may stand in parts. Outcomes do not: they are few bytes each, and are fetched alone.
pub const PARTED: [&TableSpec; 4] = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS];

/// A table that several files hold, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableParts {
    /// SHA-256 over its values, whatever files hold them: `docs/data.md` has the form.
    pub content_sha256: Digest,
    /// The files, in the order of the rows.
    pub parts: Vec<String>,
    /// Rows of all of them.
    pub rows: u64,
}

/// Parts that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// A table that does not stand in parts.
    #[error("tables names `{0}`: only alerts, features, clusters and money_flows can stand in parts")]
    Table(String),
    /// A table of no files.
    #[error("the table {0} has no parts")]
    None(String),
    /// Too many files.
    #[error("the tables have {found} parts, at most {limit} are accepted")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// A name that is not one.
    #[error("the part `{0}` is not a plain file name (letters, digits, `_`, `-`, `.`, not first)")]
    Name(String),
    /// A file that is part of two tables, or twice of one.
    #[error("`{0}` stands twice among the parts")]
    Twice(String),
    /// A file that the manifest does not describe.
    #[error("the table {table} has the part `{part}`, which `files` does not name")]
    Missing {
        /// The table.
        table: String,
        /// The file.
        part: String,
    },
    /// A table both in one file and in parts.
    #[error("`{0}` is the whole of a table, and stands beside or among parts")]
    Whole(String),
    /// Rows that do not add up.
    #[error("the table {table} has {stated} rows, its parts have {found}")]
    Rows {
        /// The table.
        table: String,
        /// What the table says.
        stated: u64,
        /// What its files say.
        found: u64,
    },
}

/// Name of the file that holds the part `index` of a table.
#[must_use]
pub fn part_name(spec: &TableSpec, index: usize) -> String {
    format!("{}-{index:03}.parquet", spec.name)
}

/// Checks what a manifest says of its tables in parts.
///
/// # Errors
/// The first rule that it breaks.
pub(super) fn check(
    tables: &BTreeMap<String, TableParts>,
    files: &BTreeMap<String, FileEntry>,
) -> Result<(), PartsError> {
    let found = tables.values().map(|table| table.parts.len()).sum();
    if found > MAX_PARTS {
        return Err(PartsError::TooMany { found, limit: MAX_PARTS });
    }
    let whole: Vec<String> = [&PARTED[..], &[&LABELS]].concat().iter().map(|spec| whole_name(spec.name)).collect();
    let mut seen = BTreeSet::new();
    for (name, table) in tables {
        if !PARTED.iter().any(|spec| spec.name == name) {
            return Err(PartsError::Table(excerpt(name)));
        }
        if table.parts.is_empty() {
            return Err(PartsError::None(name.clone()));
        }
        if files.contains_key(&whole_name(name)) {
            return Err(PartsError::Whole(whole_name(name)));
        }
        let mut rows = 0_u64;
        for part in &table.parts {
            if !is_plain_name(part) {
                return Err(PartsError::Name(excerpt(part)));
            }
            if whole.contains(part) {
                return Err(PartsError::Whole(part.clone()));
            }
            if !seen.insert(part) {
                return Err(PartsError::Twice(part.clone()));
            }
            let missing = || PartsError::Missing { table: name.clone(), part: part.clone() };
            rows = rows.saturating_add(files.get(part).ok_or_else(missing)?.rows);
        }
        if rows != table.rows {
            return Err(PartsError::Rows { table: name.clone(), stated: table.rows, found: rows });
        }
    }
    Ok(())
}

fn whole_name(table: &str) -> String {
    format!("{table}.parquet")
}
