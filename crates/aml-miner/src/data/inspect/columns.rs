//! Missing share, range and mean of one column.

use std::collections::HashSet;

use serde::Serialize;

use crate::table::Column;
use crate::table::cells::day_text;
use crate::table::spec::{ColumnSpec, ColumnType};

/// The findings about one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: &'static str,
    /// Share of rows without a value (an empty text or list counts as none).
    pub missing: f64,
    /// Smallest number, or the fewest items of a list.
    pub min: Option<f64>,
    /// Largest number, or the most items of a list.
    pub max: Option<f64>,
    /// Mean of the numbers, or of the items of a list.
    pub mean: Option<f64>,
    /// Different texts.
    pub distinct: Option<usize>,
    /// The range as days, for columns of days.
    pub days: Option<(String, String)>,
}

impl ColumnReport {
    /// Whether every one of `rows` rows has the same value; days and windows are meant to.
    #[must_use]
    pub fn is_constant(&self, rows: usize) -> bool {
        let meant = matches!(self.name, "processing_date" | "window_days");
        let one = self.distinct == Some(1) || self.distinct.is_none() && self.min.is_some() && self.min == self.max;
        rows > 1 && !meant && self.missing == 0.0 && one
    }
}

pub(super) fn report(about: &ColumnSpec, column: &Column) -> ColumnReport {
    let rows = column.len();
    let (numbers, distinct): (Vec<f64>, Option<usize>) = match column {
        Column::Numbers(values) => (values.iter().copied().filter(|value| !value.is_nan()).collect(), None),
        Column::Texts(texts) => {
            let known: HashSet<&str> = texts.iter().filter(|text| !text.is_empty()).collect();
            (Vec::new(), Some(known.len()))
        }
        Column::TextLists(lists) => ((0..rows).map(|row| lists.count(row) as f64).collect(), None),
        Column::NumberLists(lists) => ((0..rows).map(|row| lists.get(row).len() as f64).collect(), None),
    };
    let missing = (0..rows).filter(|&row| is_missing(column, row)).count();
    let (min, max) = (numbers.iter().copied().reduce(f64::min), numbers.iter().copied().reduce(f64::max));
    // A mean of shares does not overflow where the sum would.
    let count = numbers.len() as f64;
    let mean = (!numbers.is_empty()).then(|| numbers.iter().map(|value| value / count).sum());
    let days = (about.kind == ColumnType::Date).then(|| Some((day_text(min?), day_text(max?)))).flatten();
    let missing = if rows == 0 { 0.0 } else { missing as f64 / rows as f64 };
    ColumnReport { name: about.name, missing, min, max, mean, distinct, days }
}

/// Whether a row of a column has no value.
pub(super) fn is_missing(column: &Column, row: usize) -> bool {
    match column {
        Column::Numbers(values) => values[row].is_nan(),
        Column::Texts(texts) => texts.get(row).is_empty(),
        Column::TextLists(lists) => lists.count(row) == 0,
        Column::NumberLists(lists) => lists.get(row).is_empty(),
    }
}
