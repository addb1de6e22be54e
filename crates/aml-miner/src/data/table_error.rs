//! What can be wrong with a table file, always with the file, the column and the first offending row.
//!
//! Rows are counted from 0, as in the errors of the HTTP API.

use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};

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
    /// Not CSV, or of another shape.
    #[error("{0}")]
    Csv(String),
    /// A bound of [`FileLimits`](crate::data::FileLimits) is passed.
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
