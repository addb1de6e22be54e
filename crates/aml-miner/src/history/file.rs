//! Reads and writes the file of a state: Parquet, one row per address in their order, the same bytes for the same state.

use std::io;
use std::path::{Path, PathBuf};

use super::past::{AlertDay, Past, Sighting};
use super::spec::HISTORY;
use super::state::{History, KEPT_DAYS, MAX_ADDRESSES};
use crate::data::{EncodeError, FileLimits, TableError, read_table, to_parquet};
use crate::digest::Digest;
use crate::table::date::date_of_days;
use crate::table::{Column, NumberLists, Table};
use crate::whole_file::{self, Readers};

/// The layout that is read and written.
const VERSION: f64 = 1.0;

/// A state that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("cannot read the state {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no table of a state.
    #[error("{path} is no state of addresses", path = path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<TableError>,
    },
    /// It is one that breaks a rule.
    #[error("the state {path}: {problem}", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Row and rule.
        problem: String,
    },
    /// There is nothing to write.
    #[error("the state is empty: no batch has an address")]
    Empty,
    /// It has no Parquet form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The file cannot be written.
    #[error("cannot write the state {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl History {
    /// The state in the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is not a state: with row, column and rule.
    pub fn read(path: &Path) -> Result<Self, HistoryError> {
        let limits = FileLimits { rows: MAX_ADDRESSES, ..FileLimits::default() };
        let most = usize::try_from(limits.file_bytes).unwrap_or(usize::MAX);
        let bytes =
            whole_file::read(path, most).map_err(|source| HistoryError::Read { path: path.to_owned(), source })?;
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
        let table = read_table(&bytes, &HISTORY, &name, &limits)
            .map_err(|source| HistoryError::Table { path: path.to_owned(), source: Box::new(source) })?;
        let history = of_table(&table).map_err(|problem| HistoryError::Broken { path: path.to_owned(), problem })?;
        Ok(Self { sha256: Some(Digest::of(&bytes)), ..history })
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// When it knows no address.
    pub fn to_parquet(&self) -> Result<Vec<u8>, HistoryError> {
        let Some((first, last)) = self.days.filter(|_| !self.pasts.is_empty()) else { return Err(HistoryError::Empty) };
        let mut names: Vec<(&str, &Past)> = self.pasts.iter().map(|(name, past)| (&**name, past)).collect();
        names.sort_unstable_by_key(|(name, _)| *name);
        let rows = names.len();
        let same = |value: f64| Some(Column::Numbers(vec![value; rows]));
        let lists = |values: &dyn Fn(&Past, &mut NumberLists)| {
            let mut lists = NumberLists::default();
            for (_, past) in &names {
                values(past, &mut lists);
                lists.end_row();
            }
            Some(Column::NumberLists(lists))
        };
        let alerts = |value: fn(&AlertDay) -> f64| {
            lists(&move |past, lists| past.alerts.iter().for_each(|one| lists.push_item(value(one))))
        };
        let seen = |value: fn(&Sighting) -> f64| {
            lists(&move |past, lists| past.seen.iter().for_each(|one| lists.push_item(value(one))))
        };
        let columns = vec![
            same(VERSION),
            same(first.into()),
            same(last.into()),
            Some(Column::Texts(names.iter().map(|(name, _)| *name).collect())),
            alerts(|one| one.day.into()),
            alerts(|one| one.count.into()),
            alerts(|one| one.severity.into()),
            seen(|one| one.day.into()),
            seen(|one| one.volume_usd),
        ];
        Ok(to_parquet(&Table::new(&HISTORY, rows, columns, Vec::new()))?)
    }

    /// Writes its file, whole or not at all; the file's SHA-256.
    ///
    /// # Errors
    /// When it knows no address, or the file system refuses.
    pub fn write(&self, path: &Path) -> Result<Digest, HistoryError> {
        let bytes = self.to_parquet()?;
        let failed = |source| HistoryError::Write { path: path.to_owned(), source };
        whole_file::write(path, &bytes, Readers::Everyone).map_err(failed)?;
        Ok(Digest::of(&bytes))
    }
}

/// The columns of a table, each of which has to be there.
struct Columns<'a> {
    alert_days: &'a NumberLists,
    alert_counts: &'a NumberLists,
    alert_severities: &'a NumberLists,
    seen_days: &'a NumberLists,
    seen_volume_usd: &'a NumberLists,
}

impl<'a> Columns<'a> {
    fn of(table: &'a Table) -> Result<Self, String> {
        let list = |name: &str| table.number_lists(name).ok_or_else(|| format!("it has no column `{name}`"));
        Ok(Self {
            alert_days: list("alert_days")?,
            alert_counts: list("alert_counts")?,
            alert_severities: list("alert_severities")?,
            seen_days: list("seen_days")?,
            seen_volume_usd: list("seen_volume_usd")?,
        })
    }

    /// What a row says of its address, when it keeps the rules of days from `first` to `last`.
    fn past(&self, row: usize, (first, last): (i32, i32)) -> Result<Past, String> {
        let (days, counts) = (self.alert_days.get(row), self.alert_counts.get(row));
        let severities = self.alert_severities.get(row);
        if counts.len() != days.len() || severities.len() != days.len() {
            return Err("the lists of alerts differ in length".to_owned());
        }
        let (seen, volumes) = (self.seen_days.get(row), self.seen_volume_usd.get(row));
        if volumes.len() != seen.len() {
            return Err("the lists of sightings differ in length".to_owned());
        }
        let rising = |days: &[f64]| -> Result<Vec<i32>, String> {
            let days: Option<Vec<i32>> = days.iter().map(|&day| whole(day, first.into(), last.into())).collect();
            let days = days.filter(|days| days.windows(2).all(|pair| pair[0] < pair[1]));
            days.ok_or_else(|| "its days do not rise within the days of the state".to_owned())
        };
        let alerts = rising(days)?.into_iter().enumerate().map(|(place, day)| {
            let count = whole(counts[place], 1.0, f64::from(u32::MAX)).ok_or("a number of alerts is none")?;
            let severity = whole(severities[place], 0.0, 4.0).ok_or("a severity is not from 0 to 4")?;
            Ok(AlertDay { day, count, severity })
        });
        let alerts: Vec<AlertDay> = alerts.collect::<Result<_, &str>>()?;
        let seen = rising(seen)?.into_iter().zip(volumes);
        let seen: Vec<Sighting> = seen.map(|(day, &volume_usd)| Sighting { day, volume_usd }).collect();
        if alerts.is_empty() && seen.is_empty() {
            return Err("it says nothing of its address".to_owned());
        }
        Ok(Past { alerts, seen })
    }
}

/// A whole number within bounds.
fn whole<T: TryFrom<i64>>(value: f64, least: f64, most: f64) -> Option<T> {
    let inside = value.fract() == 0.0 && (least..=most).contains(&value);
    #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
    inside.then(|| T::try_from(value as i64).ok()).flatten()
}

fn of_table(table: &Table) -> Result<History, String> {
    let constant = |name: &str| -> Result<i32, String> {
        let values = table.numbers(name).ok_or_else(|| format!("it has no column `{name}`"))?;
        let first = values.first().copied().ok_or("it has no rows")?;
        match values.iter().position(|value| value.to_bits() != first.to_bits()) {
            Some(row) => Err(format!("row {}: `{name}` is not that of the first row", row + 1)),
            None => whole(first, -1e9, 1e9).ok_or_else(|| format!("`{name}` is no whole number")),
        }
    };
    let version = constant("state_version")?;
    if f64::from(version).to_bits() != VERSION.to_bits() {
        return Err(format!("it has layout {version}, this program reads {VERSION}: build it again"));
    }
    let days = (constant("first_day")?, constant("last_day")?);
    if days.0 > days.1 || days.1 - days.0 >= KEPT_DAYS {
        let text = |day| date_of_days(day).unwrap_or_default();
        return Err(format!("days from {} to {} are not 1 to {KEPT_DAYS} days", text(days.0), text(days.1)));
    }
    let columns = Columns::of(table)?;
    let names = table.texts("address").ok_or("it has no column `address`")?;
    let mut history = History { days: Some(days), ..History::default() };
    history.pasts.reserve(names.len());
    for (row, name) in names.iter().enumerate() {
        let past = columns.past(row, days).map_err(|problem| format!("row {}: {problem}", row + 1))?;
        history.pasts.insert(name.into(), past);
    }
    Ok(history)
}
