//! Which batches a data directory holds: one directory per day, `<data-dir>/<YYYY-MM-DD>[_w<days>]/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::data::manifest::MANIFEST_FILE;

/// Which batch of a source or data directory is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchDay {
    /// Its day.
    pub date: NaiveDate,
    /// Its window; `None` where the directory's name has none.
    pub window_days: Option<u16>,
}

impl BatchDay {
    /// The name of its directory.
    #[must_use]
    pub fn directory(self) -> String {
        directory_name(self.date, self.window_days)
    }
}

/// A batch directory, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchEntry {
    /// The day in its name.
    pub date: NaiveDate,
    /// The window in its name, where it has one.
    pub window_days: Option<u16>,
    /// Where it is.
    pub path: PathBuf,
}

/// A data directory that cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {path}: {source}", path = path.display())]
pub struct ListBatchesError {
    /// The directory.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// The name of the directory of a day, such as `2025-10-26_w7`.
#[must_use]
pub fn directory_name(date: NaiveDate, window_days: Option<u16>) -> String {
    match window_days {
        Some(days) => format!("{date}_w{days}"),
        None => date.to_string(),
    }
}

/// The batches of `data_dir` with a day in `from..=to` (open where `None`), by day and window. Directories with other
/// names, and those without a manifest, are passed over.
///
/// # Errors
/// When the directory cannot be listed.
pub fn list_batches(
    data_dir: &Path,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Result<Vec<BatchEntry>, ListBatchesError> {
    let failed = |source| ListBatchesError { path: data_dir.to_path_buf(), source };
    let mut batches = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some((date, window_days)) = name.to_str().and_then(parse_name) else { continue };
        let wanted = from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to);
        if wanted && entry.path().join(MANIFEST_FILE).is_file() {
            batches.push(BatchEntry { date, window_days, path: entry.path() });
        }
    }
    batches.sort();
    Ok(batches)
}

fn parse_name(name: &str) -> Option<(NaiveDate, Option<u16>)> {
    let (date, window) = match name.split_once("_w") {
        Some((date, window)) => (date, Some(window.parse().ok()?)),
        None => (name, None),
    };
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    (directory_name(date, window) == name).then_some((date, window))
}
