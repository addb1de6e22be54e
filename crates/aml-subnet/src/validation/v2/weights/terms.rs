//! What weights are combined by: how columns go together, and what each loses.

/// Correlations of columns, row by row; symmetric, with 1 on the diagonal.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlations {
    columns: usize,
    values: Vec<f64>,
}

impl Correlations {
    /// Of so many columns; `of(i, j)` is asked for `i` before `j`.
    #[must_use]
    pub fn new(columns: usize, of: impl Fn(usize, usize) -> f64) -> Self {
        let mut values = vec![1.0; columns * columns];
        for i in 0..columns {
            for j in i + 1..columns {
                let value = of(i, j);
                values[i * columns + j] = value;
                values[j * columns + i] = value;
            }
        }
        Self { columns, values }
    }

    /// How many columns there are.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Row `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..][..self.columns]
    }

    /// `R v`.
    #[must_use]
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        (0..self.columns).map(|i| self.row(i).iter().zip(v).map(|(one, two)| one * two).sum()).collect()
    }
}

/// The loss on one weight: its slope rises from 0 to `step` at `knee`, then `tail` times as fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Slope at the knee.
    pub step: f64,
    /// The weight at which the slope bends.
    pub knee: f64,
    /// Rise beyond the knee, in parts of that before it.
    pub tail: f64,
}

impl Loss {
    /// The weight at which the slope of the loss and `pull - weight` meet: 0 when nothing pulls.
    pub(super) fn rest(&self, pull: f64) -> f64 {
        let rise = self.step / self.knee;
        let weight = (pull / (1.0 + rise)).max(0.0);
        if weight > self.knee { (pull - self.step * (1.0 - self.tail)) / (1.0 + self.tail * rise) } else { weight }
    }
}
