//! Reads the tables of a batch directory: up to the first thing that is wrong, or up to so many.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::data::batch_dir::{BatchDir, LoadedBatch, ReadBatchError};
use crate::data::days_of;
use crate::data::parquet::ParquetFile;
use crate::data::table_error::TableError;
use crate::data::walk::{Keeping, Walk};
use crate::table::cells::day_text;
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use crate::table::{Batch, Table};
use crate::wire::{InOrder, Spread};

/// Problems that a person is told at once, as many as the API tells.
pub const PROBLEMS_AT_ONCE: usize = 20;

impl BatchDir {
    /// Reads all tables; every file that the manifest names is verified, those of other formats too.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, column and row.
    pub fn load(&self) -> Result<LoadedBatch, ReadBatchError> {
        self.examine(1).map_err(|mut problems| problems.swap_remove(0))
    }

    /// Reads all tables, as [`BatchDir::load`] does.
    ///
    /// # Errors
    /// What is wrong, in the order of the files: at least one thing, at most `most`.
    pub fn examine(&self, most: usize) -> Result<LoadedBatch, Vec<ReadBatchError>> {
        let most = most.max(1);
        let mut problems = self.others(most);
        let mut table = |spec| {
            let left = most - problems.len();
            let read = if left == 0 { Ok(None) } else { self.examined(spec, left) };
            read.unwrap_or_else(|found| {
                problems.extend(found);
                None
            })
        };
        let [alerts, features, clusters, money_flows] =
            [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS].map(|spec| table(spec).unwrap_or_else(|| Table::empty(spec)));
        let labels = table(&LABELS);
        if !problems.is_empty() {
            return Err(problems);
        }
        let batch = Batch { alerts, features, clusters, money_flows };
        Ok(LoadedBatch { meta: self.manifest().clone(), batch, labels })
    }

    /// Reads the outcomes only; `None` where the manifest names no labels.
    ///
    /// # Errors
    /// As [`BatchDir::load`].
    pub fn load_labels(&self) -> Result<Option<Table>, ReadBatchError> {
        self.table(&LABELS)
    }

    /// Reads one table; `None` where the manifest does not name its file.
    ///
    /// # Errors
    /// As [`BatchDir::load`].
    pub fn table(&self, spec: &'static TableSpec) -> Result<Option<Table>, ReadBatchError> {
        self.examined(spec, 1).map_err(|mut problems| problems.swap_remove(0))
    }

    fn examined(&self, spec: &'static TableSpec, most: usize) -> Result<Option<Table>, Vec<ReadBatchError>> {
        let mut table = Table::empty(spec);
        let walked = self.walk((spec, most), &Keeping::whole(), &InOrder, &mut |rows| table.append(rows))?;
        Ok(walked.map(|walked| table.with_unknown(walked.unknown)))
    }

    /// Checks all tables without holding them: memory is that of a file and a column of it for each thread of `spread`.
    ///
    /// # Errors
    /// As [`BatchDir::examine`].
    pub fn check<S: Spread>(&self, most: usize, spread: &S) -> Result<Vec<TableRows>, Vec<ReadBatchError>> {
        let most = most.max(1);
        let mut problems = self.others(most);
        let mut tables = Vec::new();
        for spec in [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS] {
            if problems.len() >= most {
                break;
            }
            match self.walk((spec, most - problems.len()), &Keeping::nothing(), spread, &mut |_| ()) {
                Ok(Some(walked)) => tables.push(TableRows { name: spec.name, rows: walked.rows }),
                // Of the tables that may be lacking, flows are told as none and outcomes not at all.
                Ok(None) if spec.name == LABELS.name => {}
                Ok(None) => tables.push(TableRows { name: spec.name, rows: 0 }),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(tables) } else { Err(problems) }
    }

    /// What is wrong with files that are no tables.
    pub(crate) fn others(&self, most: usize) -> Vec<ReadBatchError> {
        let tables = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS];
        let known = tables.iter().filter_map(|spec| self.manifest().files_of(spec.name)).flatten();
        let known: Vec<&str> = known.map(|(name, _)| name).collect();
        let others = self.manifest().files.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        others.filter_map(|(name, entry)| self.read(name, entry).err()).take(most).collect()
    }

    /// Walks through the files of a table, of which at most `most` problems are told, and gives the rows to `use_rows` a group
    /// after another; `None` where the manifest does not name the table.
    ///
    /// # Errors
    /// As [`BatchDir::examine`]. Rows that were given before are then not to be used.
    pub(crate) fn walk<S: Spread>(
        &self,
        (spec, most): (&'static TableSpec, usize),
        keeping: &Keeping<'_>,
        spread: &S,
        use_rows: &mut dyn FnMut(Table),
    ) -> Result<Option<Walked>, Vec<ReadBatchError>> {
        let manifest = self.manifest();
        let Some(files) = manifest.files_of(spec.name) else { return Ok(None) };
        let parts = manifest.tables.get(spec.name);
        let mut walk = Walk::new(spec, &self.limits, most).of_batch(manifest.processing_date, manifest.window_days);
        if parts.is_some() {
            walk = walk.with_content();
        }
        let (mut unknown, mut pages) = (BTreeSet::new(), 0);
        for (name, entry) in files {
            let bytes = self.read(name, entry).map_err(|error| vec![error])?;
            let all = |problems: Vec<TableError>| problems.into_iter().map(ReadBatchError::from).collect::<Vec<_>>();
            let file = ParquetFile::open(&bytes, name, &self.limits).map_err(|problem| all(vec![problem]))?;
            pages += file.page_bytes();
            keeping.fits(name, pages, walk.rows() + entry.rows, &self.limits).map_err(|problem| all(vec![problem]))?;
            let before = walk.rows();
            let checked = walk.file(&file, keeping, spread, use_rows);
            let actual = walk.rows() - before;
            match checked {
                Err(problems) if actual == entry.rows || !problems.iter().all(is_stray) => return Err(all(problems)),
                _ if actual != entry.rows => {
                    let (file, expected) = (name.to_owned(), entry.rows);
                    return Err(vec![ReadBatchError::Rows { file, actual, expected }]);
                }
                _ => {}
            }
            unknown.extend(file.unknown(spec));
        }
        let rows = walk.rows();
        if let (Some(actual), Some(parts)) = (walk.content(), parts)
            && actual != parts.content_sha256
        {
            return Err(vec![ReadBatchError::Content { table: spec.name, actual, expected: parts.content_sha256 }]);
        }
        Ok(Some(Walked { rows, unknown: unknown.into_iter().collect() }))
    }
}

/// A table and how many rows it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// What was seen of a table.
pub(crate) struct Walked {
    /// Its rows.
    pub(crate) rows: u64,
    /// Columns that the format does not know, by name.
    pub(crate) unknown: Vec<String>,
}

/// Whether a row is of another day or window, which matters less than how many rows there are.
fn is_stray(problem: &TableError) -> bool {
    matches!(problem, TableError::Cell { problem: CellProblem::NotTheManifests { .. }, .. })
}

/// Rows of `table` that state another day or window than `day` and `window`, at most `most` of them.
pub(super) fn stray_rows(table: &Table, file: &str, (day, window): (NaiveDate, u16), most: usize) -> Vec<TableError> {
    let stated = [("processing_date", days_of(day)), ("window_days", f64::from(window))];
    let strays = stated.into_iter().flat_map(|(column, expected)| {
        let values = table.numbers(column).unwrap_or_default().iter().enumerate();
        let strays = values.filter(move |(_, value)| !value.is_nan() && value.total_cmp(&expected).is_ne());
        strays.map(move |(row, &value)| {
            let text = |value: f64| if column == "window_days" { value.to_string() } else { day_text(value) };
            let problem = CellProblem::NotTheManifests { found: text(value), expected: text(expected) };
            Flaw::Cell(row, problem).at(file, column)
        })
    });
    strays.take(most).collect()
}
