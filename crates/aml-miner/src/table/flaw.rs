//! What can be wrong with a column or one of its cells, whatever it was read from.
//!
//! Rows are counted from 0. Each front door tells these in its own form: files with the names of file and column, the
//! HTTP API with the way to the value.

use crate::table::instant::day_of_ms;

/// What is wrong with a column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnProblem {
    /// A required column is not there.
    #[error("the required column is missing")]
    Missing,
    /// The stored type cannot hold this column.
    #[error("the stored type is {found}, wanted is {wanted}")]
    Type {
        /// The type in the file.
        found: String,
        /// What the format allows.
        wanted: &'static str,
    },
    /// The column's pages could not be decoded.
    #[error("cannot be decoded: {0}")]
    Broken(String),
    /// The column holds another number of rows than its file.
    #[error("holds {found} rows, the file says {expected}")]
    Rows {
        /// Rows decoded.
        found: usize,
        /// Rows of the file.
        expected: usize,
    },
    /// A bound of the reader is passed.
    #[error("{what} is {found}, at most {limit} is accepted")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much the column has.
        found: u64,
        /// How much is accepted.
        limit: u64,
    },
}

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CellProblem {
    /// The value is required.
    #[error("the required value is missing")]
    Missing,
    /// Not a number one can compute with.
    #[error("{0} is not a finite number (write a missing number as null)")]
    NotFinite(f64),
    /// A text that is not a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// A number that no double equals.
    #[error("{0} cannot be held exactly by a double")]
    NotExact(String),
    /// A fraction where whole numbers are wanted.
    #[error("{} is not a whole number", short(*.0))]
    NotWhole(f64),
    /// A number outside its column's range.
    #[error("{}", outside(*.value, *.min, *.max))]
    Range {
        /// The value.
        value: f64,
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
    },
    /// A text that is not a day.
    #[error("`{0}` is not a date (YYYY-MM-DD)")]
    NotADate(String),
    /// A text that is not an instant.
    #[error("`{0}` is not a time (milliseconds since 1970, or ISO 8601 such as 2025-10-26T08:30:00Z)")]
    NotATime(String),
    /// A text that is not a list.
    #[error("`{0}` is not a list (JSON, such as [\"a\", \"b\"])")]
    NotAList(String),
    /// A number of milliseconds that lies decades from the day of the batch.
    #[error("{}", far_away(*.value, .from.as_deref(), *.unit))]
    FarAway {
        /// The number.
        value: f64,
        /// The day of the batch, where it is known.
        from: Option<String>,
        /// The unit in which it would lie near.
        unit: Option<&'static str>,
    },
    /// A time of day in a column of days, or a fraction of a millisecond.
    #[error("{0} has a finer resolution than the column")]
    TooFine(String),
    /// A severity that is not known.
    #[error("`{0}` is not a severity (low, medium, high, critical)")]
    Severity(String),
    /// A key that was seen before.
    #[error("`{value}` stands already in row {first}")]
    Duplicate {
        /// The key.
        value: String,
        /// Row in which it stood first.
        first: usize,
    },
    /// A key that stands in an earlier file of the table.
    #[error("`{value}` stands already in row {first} of {file}")]
    Elsewhere {
        /// The key.
        value: String,
        /// The file in which it stood first.
        file: String,
        /// Its row there.
        first: usize,
    },
    /// A text that is too long.
    #[error("a text of {bytes} bytes, at most {limit} are accepted")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A list that is too long.
    #[error("a list of {items} items, at most {limit} are accepted")]
    TooManyItems {
        /// Its length.
        items: usize,
        /// The bound.
        limit: usize,
    },
    /// A text with a byte that ends it elsewhere.
    #[error("a text with U+0000 at byte {at}, which no text of a batch may have")]
    Nul {
        /// Where it stands.
        at: usize,
    },
    /// A value that contradicts the manifest.
    #[error("{found}, but the manifest says {expected}")]
    NotTheManifests {
        /// The value.
        found: String,
        /// The manifest's.
        expected: String,
    },
}

/// A problem of a column or of one of its cells, before the names of file and column are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Flaw {
    /// Of the column.
    Column(ColumnProblem),
    /// Of the cell in this row.
    Cell(usize, CellProblem),
}

impl Flaw {
    /// The same with rows counted from so many rows earlier.
    #[must_use]
    pub fn shifted(self, rows: usize) -> Self {
        match self {
            Self::Cell(row, problem) => Self::Cell(row + rows, problem),
            column => column,
        }
    }
}

/// A number as a person would write it: no more than some twenty characters.
pub(crate) fn short(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 20 { plain } else { format!("{value:e}") }
}

fn outside(value: f64, min: f64, max: f64) -> String {
    let bound = |value: f64| match value {
        f64::MAX => "infinity".to_owned(),
        f64::MIN => "-infinity".to_owned(),
        value => short(value),
    };
    format!("{} is outside {} to {}", short(value), bound(min), bound(max))
}

fn far_away(value: f64, from: Option<&str>, unit: Option<&str>) -> String {
    let read = format!("{} is {} in milliseconds since 1970", short(value), day_of_ms(value));
    let from = from.map_or_else(String::new, |day| format!(", decades from the processing_date {day}"));
    match unit {
        Some(unit) => format!("{read}{from}: {unit}? Milliseconds are wanted"),
        None => format!("{read}{from}: a missing time is written as null"),
    }
}
