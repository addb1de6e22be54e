//! A dense matrix of doubles, one row per alert (or a cluster), NaN for "missing".

/// A row-major matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of `rows` x `columns`, all missing.
    #[must_use]
    pub fn missing(rows: usize, columns: usize) -> Self {
        Self { columns, values: vec![f64::NAN; rows * columns] }
    }

    /// A matrix from row-major values.
    ///
    /// # Panics
    /// When the values are not a whole number of rows.
    #[must_use]
    pub fn from_rows(columns: usize, values: Vec<f64>) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "whole rows");
        Self { columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// One row, to be written.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values, row by row, to be written.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }
}
