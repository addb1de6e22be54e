//! Numbers of rows: where the rows of one table stand for the rows of another.

/// "No such row" in a join.
pub(crate) const NONE: u32 = u32::MAX;

/// A row number as joins hold it; tables are shorter than 2^32 rows, which the builder checks.
pub(crate) fn index(row: usize) -> u32 {
    u32::try_from(row).expect("a table has fewer than 2^32 rows")
}

/// Where the rows of a table stand for the rows of a view.
#[derive(Debug, Default)]
pub(crate) enum Rows {
    /// The table does not take part.
    #[default]
    Apart,
    /// Row by row.
    Same,
    /// By a join; [`NONE`] where there is no row.
    Joined(Vec<u32>),
}

impl Rows {
    /// The table's row for row `row` of the view.
    pub(crate) fn of(&self, row: usize) -> Option<usize> {
        match self {
            Self::Apart => None,
            Self::Same => Some(row),
            Self::Joined(rows) => Some(rows[row]).filter(|&joined| joined != NONE).map(|joined| joined as usize),
        }
    }
}
