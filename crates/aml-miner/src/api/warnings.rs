//! What a scoring request did not give, told beside its answer: keys that nobody knows, tables and columns that the model
//! reads and the body lacks, and how much of the matrix is missing.

use serde::Serialize;
use serde_json::Value;

use super::error::ApiError;
use super::kind::Warned;
use crate::features::Matrix;
use crate::history::{History, Standing};
use crate::table::spec::TableSpec;
use crate::wire::body::TABLES;
use crate::wire::{Batch, Needs, Problem, Step, Table};

/// The header that holds them, as JSON.
pub(super) const HEADER: &str = "x-aml-warnings";
/// Bytes of the header: what proxies take without asking.
const MAX_BYTES: usize = 4096;
/// Share of missing features from which an answer is pointed out although nothing else is wrong.
const MOSTLY_MISSING: f64 = 0.5;
/// How alike two names are when one is offered for the other.
const ALIKE: f64 = 0.8;

/// A key that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct UnknownKey {
    /// The table whose rows have it; absent for a key of the body itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'static str>,
    key: String,
    /// The name that looks like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<&'static str>,
}

/// What was not given.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Warnings {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_keys: Vec<UnknownKey>,
    /// Tables that the model reads and that have no rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent_tables: Vec<&'static str>,
    /// Columns that the model reads and that no row of their table has, as `table.column`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent_columns: Vec<String>,
    /// What is wrong with the state of addresses on the day of the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Share of the model's features that are missing, over all rows.
    missing_share: f64,
    /// Entries that had no room.
    #[serde(skip_serializing_if = "is_zero")]
    cut: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Warnings {
    /// What `batch` lacks for a model that reads `needs` and made `matrix` of it; `other_keys` are the body's own.
    pub(super) fn of(batch: &Batch, other_keys: &[String], needs: Needs, matrix: &Matrix) -> Self {
        let tables = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows];
        let of_body = other_keys.iter().map(|key| unknown(None, key, &mut TABLES.iter().map(|spec| spec.name)));
        let of_rows = tables.iter().flat_map(|table| {
            let spec = table.spec();
            let known = move || spec.columns.iter().flat_map(|column| [Some(column.name), column.alias]).flatten();
            table.unknown_columns().iter().map(move |key| unknown(Some(spec.name), key, &mut known()))
        });
        let read = tables.iter().enumerate().filter(|(index, _)| needs.reads(*index));
        let (absent, there): (Vec<_>, Vec<_>) = read.partition(|(_, table)| table.rows() == 0);
        Self {
            unknown_keys: of_body.chain(of_rows).collect(),
            absent_tables: absent.iter().map(|(_, table)| table.spec().name).collect(),
            absent_columns: there.iter().flat_map(|(index, table)| absent_columns(*index, table, needs)).collect(),
            state: None,
            missing_share: missing_share(matrix),
            cut: 0,
        }
    }

    /// The same with what is wrong with the state of addresses that a model asks, on the last day of the rows of `batch`.
    pub(super) fn of_state(mut self, state: Option<&History>, batch: &Batch) -> Self {
        let days = batch.alerts.numbers("processing_date").unwrap_or_default();
        let last = days.iter().copied().filter(|day| !day.is_nan()).reduce(f64::max);
        self.state = state.and_then(|state| match last {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "days are whole numbers within the bounds of the format"
            )]
            Some(day) => {
                Some(state.on(day as i32)).filter(|standing| *standing != Standing::Fresh).map(|one| one.to_string())
            }
            None => Some("no alert has a processing_date: features of earlier days are missing".to_owned()),
        });
        self
    }

    /// For metrics and the log.
    pub(super) fn counts(&self) -> Warned {
        Warned {
            unknown_keys: self.unknown_keys.len(),
            absent_tables: self.absent_tables.len(),
            absent_columns: self.absent_columns.len(),
            missing_share: self.missing_share,
        }
    }

    /// The header's text: ASCII, within its bound; `None` where there is nothing to tell.
    pub(super) fn header(mut self) -> Option<String> {
        if self.is_complete() && self.state.is_none() && self.missing_share < MOSTLY_MISSING {
            return None;
        }
        loop {
            let text = ascii(&serde_json::to_string(&self).ok()?);
            if text.len() <= MAX_BYTES {
                return Some(text);
            }
            // The longest list gives way; tables are four at most.
            let half = self.unknown_keys.len().max(self.absent_columns.len()) / 2;
            let before = self.unknown_keys.len() + self.absent_columns.len();
            self.unknown_keys.truncate(half);
            self.absent_columns.truncate(half);
            self.cut += before - self.unknown_keys.len() - self.absent_columns.len();
        }
    }

    /// The refusal of a caller who wants everything to be known and there.
    pub(super) fn refusal(&self, most: usize) -> Option<ApiError> {
        let unknown = self.unknown_keys.iter().map(|unknown| {
            let hint = unknown.did_you_mean.map_or_else(String::new, |name| format!("; do you mean '{name}'?"));
            let place = unknown.table.into_iter().chain([unknown.key.as_str()]);
            problem(place, "extra_forbidden", format!("Extra inputs are not permitted{hint}"))
        });
        let tables = self.absent_tables.iter().map(|name| {
            problem([*name].into_iter(), "missing", "Field required: the model reads this table".to_owned())
        });
        let columns = self.absent_columns.iter().map(|name| {
            problem(
                name.split('.'),
                "missing",
                "Field required: the model reads this column, and no row has it".to_owned(),
            )
        });
        let problems: Vec<Problem> = unknown.chain(tables).chain(columns).take(most).collect();
        (!self.is_complete()).then(|| ApiError::invalid(problems))
    }

    fn is_complete(&self) -> bool {
        self.unknown_keys.is_empty() && self.absent_tables.is_empty() && self.absent_columns.is_empty()
    }
}

fn problem<'a>(place: impl Iterator<Item = &'a str>, kind: &str, msg: String) -> Problem {
    let loc = std::iter::once("body").chain(place).map(Step::from).collect();
    Problem { loc, msg, kind: kind.to_owned(), input: Value::Null }
}

fn unknown(table: Option<&'static str>, key: &str, known: &mut dyn Iterator<Item = &'static str>) -> UnknownKey {
    let alike = known.map(|name| (strsim::jaro_winkler(name, key), name)).filter(|(alike, _)| *alike >= ALIKE);
    let did_you_mean = alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name);
    UnknownKey { table, key: key.to_owned(), did_you_mean }
}

fn absent_columns(index: usize, table: &Table, needs: Needs) -> Vec<String> {
    let spec: &TableSpec = table.spec();
    let absent = |column: &usize| needs.reads_column(index, *column) && table.column(*column).is_none();
    (0..spec.columns.len())
        .filter(absent)
        .map(|column| format!("{}.{}", spec.name, spec.columns[column].name))
        .collect()
}

/// Rounded to a thousandth: it tells how much, not which.
fn missing_share(matrix: &Matrix) -> f64 {
    let values = matrix.values();
    let missing = values.iter().filter(|value| value.is_nan()).count();
    #[expect(clippy::cast_precision_loss, reason = "a matrix has far fewer values than 2^53")]
    let share = missing as f64 / values.len().max(1) as f64;
    (share * 1000.0).round() / 1000.0
}

/// JSON with everything beyond ASCII escaped, as a header has to be.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            ' '..='~' => text.push(letter),
            other => {
                let mut units = [0_u16; 2];
                other.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_stays_within_its_bound_and_says_what_was_cut() {
        let key =
            |index: usize| UnknownKey { table: Some("alerts"), key: format!("é{index:060}"), did_you_mean: None };
        let many = Warnings { unknown_keys: (0..256).map(key).collect(), ..Warnings::default() };
        let text = many.header().expect("a header");
        assert!(text.len() <= MAX_BYTES && text.is_ascii());
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let kept = read["unknown_keys"].as_array().expect("a list").len() as u64;
        assert_eq!(kept + read["cut"].as_u64().expect("a count"), 256);
        assert_eq!(Warnings::default().header(), None);
    }
}
