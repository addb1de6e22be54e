//! Reads the tables of a batch directory: up to the first thing that is wrong, or up to so many.

use chrono::NaiveDate;

use crate::data::batch_dir::{BatchDir, LoadedBatch, ReadBatchError, file_name};
use crate::data::days_of;
use crate::data::parquet::ParquetFile;
use crate::data::table_error::TableError;
use crate::table::cells::day_text;
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use crate::table::{Batch, Table};

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
        let known = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS].map(file_name);
        let others = self.manifest().files.iter().filter(|(name, _)| !known.contains(name));
        let mut problems: Vec<_> = others.filter_map(|(name, entry)| self.read(name, entry).err()).take(most).collect();
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
        let name = file_name(spec);
        let Some(entry) = self.manifest().files.get(&name) else { return Ok(None) };
        let bytes = self.read(&name, entry).map_err(|error| vec![error])?;
        let all = |problems: Vec<TableError>| problems.into_iter().map(ReadBatchError::from).collect::<Vec<_>>();
        let file = ParquetFile::open(&bytes, &name, &self.limits).map_err(|problem| all(vec![problem]))?;
        let table = file.examine(spec, Some(self.manifest().processing_date), &self.limits, most).map_err(all)?;
        if table.rows() as u64 != entry.rows {
            let (actual, expected) = (table.rows() as u64, entry.rows);
            return Err(vec![ReadBatchError::Rows { file: name, actual, expected }]);
        }
        let of = (self.manifest().processing_date, self.manifest().window_days);
        let strays = stray_rows(&table, &name, of, most);
        if strays.is_empty() { Ok(Some(table)) } else { Err(all(strays)) }
    }
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
