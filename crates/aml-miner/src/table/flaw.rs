//! What can be wrong with a column or one of its cells, whatever it was read from.
//!
//! Rows are counted from 0. Each front door tells these in its own form: files with the names of file and column, the
//! HTTP API with the way to the value.

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
