//! What can be wrong with a table file, always with the file, the column and the first offending row.
//!
//! Rows are counted from 0, as in the errors of the HTTP API.

/// A file that could not be turned into a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// The file as a whole.
    #[error("{file}: {problem}")]
    File {
        /// Name of the file.
        file: String,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// One of its columns.
    #[error("{file}, column `{column}`: {problem}")]
    Column {
        /// Name of the file.
        file: String,
        /// Name of the column.
        column: String,
        /// What is wrong with it.
        problem: ColumnProblem,
    },
    /// One of its cells.
    #[error("{file}, column `{column}`, row {row}: {problem}")]
    Cell {
        /// Name of the file.
        file: String,
        /// Name of the column.
        column: String,
        /// First offending row, counted from 0.
        row: usize,
        /// What is wrong with it.
        problem: CellProblem,
    },
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// The Parquet structure is broken or uses something unknown.
    #[error("not a readable Parquet file: {0}")]
    Broken(String),
    /// The structure of the Arrow IPC stream is broken or uses something that is not accepted.
    #[error("not an Arrow IPC stream that can be read: {0}")]
    BrokenStream(String),
    /// A bound of [`Limits`](crate::data::Limits) is passed.
    #[error("{what} is {found}, at most {limit} is accepted")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much the file has or claims.
        found: u64,
        /// How much is accepted.
        limit: u64,
    },
}

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
    /// A bound of [`Limits`](crate::data::Limits) is passed.
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
    #[error("{0} is not a whole number")]
    NotWhole(f64),
    /// A number outside its column's range.
    #[error("{value} is outside {min} to {max}")]
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
    /// A text that is too long.
    #[error("a text of {bytes} bytes, at most {limit} are accepted")]
    TooLong {
        /// Its length.
        bytes: usize,
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
    /// The error with its names.
    #[must_use]
    pub fn at(self, file: &str, column: &str) -> TableError {
        let (file, column) = (file.to_owned(), column.to_owned());
        match self {
            Self::Column(problem) => TableError::Column { file, column, problem },
            Self::Cell(row, problem) => TableError::Cell { file, column, row, problem },
        }
    }
}

/// At most 80 characters of a text from outside, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
