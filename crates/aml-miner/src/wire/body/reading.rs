//! How a body is read: its tables, how much it may hold, what is kept of it, and why it may be none.

use crate::table::lists::MAX_ITEMS;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS, TableSpec};
use crate::wire::problem::Problem;

/// The tables of a body, in the order of [`Needs`] and [`BodyLimits::rows`].
pub const TABLES: [&TableSpec; 4] = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS];

/// How much one body may hold. A body is bounded in bytes before it gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Rows of each table, in the order of [`TABLES`].
    pub rows: [usize; 4],
    /// Brackets open at once.
    pub depth: u32,
    /// Bytes of one string as written.
    pub string: usize,
    /// Items of one list.
    pub items: usize,
    /// Problems told at once.
    pub problems: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        // Four typical days' alerts and one very large day of the other tables.
        Self {
            rows: [200_000, 1_000_000, 200_000, 10_000_000],
            depth: 32,
            string: 1 << 20,
            items: MAX_ITEMS,
            problems: 20,
        }
    }
}

/// Which columns are kept; the others are checked and dropped. Keys of tables are always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    columns: [u128; 4],
}

impl Needs {
    /// Every column.
    #[must_use]
    pub const fn all() -> Self {
        Self { columns: [u128::MAX; 4] }
    }

    /// Nothing but the tables' keys.
    #[must_use]
    pub const fn keys_only() -> Self {
        Self { columns: [0; 4] }
    }

    /// Also the column `column` of the table `table`; unknown names change nothing.
    #[must_use]
    pub fn with(mut self, table: &str, column: &str) -> Self {
        if let Some(index) = TABLES.iter().position(|spec| spec.name == table)
            && let Some(position) = TABLES[index].position(column)
        {
            self.columns[index] |= 1 << position;
        }
        self
    }

    /// Also every column of the table `table`.
    #[must_use]
    pub fn with_table(mut self, table: &str) -> Self {
        if let Some(index) = TABLES.iter().position(|spec| spec.name == table) {
            self.columns[index] = u128::MAX;
        }
        self
    }

    /// What either needs.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns) {
            *mine |= theirs;
        }
        self
    }

    pub(super) fn keeps(self, table: usize, column: usize) -> bool {
        let spec = TABLES[table];
        self.columns[table] >> column & 1 == 1 || spec.key == Some(spec.columns[column].name)
    }
}

/// How a body is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How much it may hold.
    pub limits: BodyLimits,
    /// What is kept of it.
    pub needs: Needs,
    /// The table that it must have: `alerts` or `clusters`.
    pub required: &'static str,
}

impl Default for Reading {
    fn default() -> Self {
        Self { limits: BodyLimits::default(), needs: Needs::all(), required: ALERTS.name }
    }
}

/// Why a body is not a batch.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadBodyError {
    /// It is not JSON, or nested too deep, or a string in it is too long.
    #[error("{what} (line {line}, column {column})")]
    Broken {
        /// Line, from 1.
        line: usize,
        /// Byte within the line, from 1.
        column: usize,
        /// Offset in bytes, from 0.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// It is JSON, but its values do not make a batch.
    #[error("{} problems with the values of the body", .0.len())]
    Invalid(Vec<Problem>),
    /// The work was stopped ([`Spread::stopped`](super::Spread::stopped)).
    #[error("the reading was stopped")]
    Stopped,
}
