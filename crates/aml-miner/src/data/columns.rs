//! One decoded series to one column of a table, without loss.
//!
//! A number may be stored as any integer, float, flag, decimal or numeric text; a day as a date, a midnight or
//! `YYYY-MM-DD`; null is "missing". A value that a double cannot hold exactly is an error, except decimals and their
//! texts, which read as the nearest double.

use polars::prelude::{DataType, ListChunked, PolarsResult, Series, TimeUnit};

use crate::data::cells::{DAY_MS, days_from_text, from_decimal, from_i64, from_text, from_u64, ms_from_units};
use crate::data::limits::Limits;
use crate::data::table_error::{CellProblem, ColumnProblem, Flaw, excerpt};
use crate::wire::spec::{ColumnSpec, ColumnType};
use crate::wire::table::{Column, NumberLists, TextColumn, TextLists};

/// The column that `series` holds, when its type and values fit `spec`.
///
/// # Errors
/// The wrong type, or the first value that cannot be converted.
pub fn column_from_series(series: &Series, spec: &ColumnSpec, limits: &Limits) -> Result<Column, Flaw> {
    let series = series.rechunk();
    match spec.kind {
        ColumnType::Text | ColumnType::Severity => texts(&series, limits).map(Column::Texts),
        ColumnType::TextList => text_lists(&series, limits).map(Column::TextLists),
        ColumnType::NumberList => number_lists(&series).map(Column::NumberLists),
        kind => numbers(&series, kind).map(Column::Numbers),
    }
}

fn numbers(series: &Series, kind: ColumnType) -> Result<Vec<f64>, Flaw> {
    use DataType as D;
    let is_time = kind == ColumnType::TimestampMs;
    match series.dtype() {
        D::Null => Ok(vec![f64::NAN; series.len()]),
        D::Date if kind == ColumnType::Date || is_time => {
            let unit = if is_time { DAY_MS } else { 1.0 };
            cells(polars(series.date())?.physical().iter(), |days| Ok(f64::from(days) * unit))
        }
        D::Datetime(unit, _) if kind == ColumnType::Date || is_time => datetimes(series, *unit, kind),
        D::String if kind == ColumnType::Date => cells(polars(series.str())?.iter(), days_from_text),
        _ if kind == ColumnType::Date => {
            Err(wrong_type(series, "a date (date, midnight timestamp or text YYYY-MM-DD)"))
        }
        D::String => cells(polars(series.str())?.iter(), from_text),
        D::Boolean if !is_time => cells(polars(series.bool())?.iter(), |flag| Ok(f64::from(u8::from(flag)))),
        D::Float32 => cells(polars(series.f32())?.iter(), |value| finite(f64::from(value))),
        D::Float64 => cells(polars(series.f64())?.iter(), finite),
        D::UInt64 => cells(polars(series.u64())?.iter(), from_u64),
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
            let wide = polars(series.cast(&D::Int64))?;
            cells(polars(wide.i64())?.iter(), from_i64)
        }
        D::Decimal(_, scale) => {
            cells(polars(series.decimal())?.physical().iter(), |digits| Ok(from_decimal(digits, *scale)))
        }
        _ if is_time => Err(wrong_type(series, "a time (number of milliseconds or timestamp)")),
        _ => Err(wrong_type(series, "a number (integer, float, flag, decimal or numeric text)")),
    }
}

fn datetimes(series: &Series, unit: TimeUnit, kind: ColumnType) -> Result<Vec<f64>, Flaw> {
    let units_per_ms = match unit {
        TimeUnit::Nanoseconds => 1_000_000,
        TimeUnit::Microseconds => 1_000,
        TimeUnit::Milliseconds => 1,
    };
    let values = polars(series.datetime())?.physical().iter();
    cells(values, |value| {
        let ms = ms_from_units(value, units_per_ms)?;
        if kind == ColumnType::TimestampMs {
            return Ok(ms);
        }
        if ms % DAY_MS == 0.0 { Ok(ms / DAY_MS) } else { Err(CellProblem::TooFine(format!("{ms} ms"))) }
    })
}

fn texts(series: &Series, limits: &Limits) -> Result<TextColumn, Flaw> {
    let mut column = TextColumn::default();
    match series.dtype() {
        DataType::Null => (0..series.len()).for_each(|_| column.push("")),
        DataType::String => {
            let mut budget = TextBudget::new(limits);
            for (row, text) in polars(series.str())?.iter().enumerate() {
                let text = text.unwrap_or("");
                budget.take(row, text)?;
                column.push(text);
            }
        }
        _ => return Err(wrong_type(series, "text")),
    }
    Ok(column)
}

fn text_lists(series: &Series, limits: &Limits) -> Result<TextLists, Flaw> {
    let mut lists = TextLists::default();
    if series.dtype() == &DataType::Null {
        (0..series.len()).for_each(|_| lists.end_row());
        return Ok(lists);
    }
    let DataType::List(inner) = series.dtype() else { return Err(wrong_type(series, "a list of text")) };
    if !matches!(**inner, DataType::String | DataType::Null) {
        return Err(wrong_type(series, "a list of text"));
    }
    let list = polars(series.list())?;
    let items = list.get_inner();
    let mut budget = TextBudget::new(limits);
    let item_texts = texts(&items, &Limits { one_text_bytes: usize::MAX, ..*limits })?;
    for (row, bounds) in row_bounds(list).into_iter().enumerate() {
        for item in bounds {
            let text = item_texts.get(item);
            budget.take(row, text)?;
            lists.push_item(text);
        }
        lists.end_row();
    }
    Ok(lists)
}

fn number_lists(series: &Series) -> Result<NumberLists, Flaw> {
    let mut lists = NumberLists::default();
    if series.dtype() == &DataType::Null {
        (0..series.len()).for_each(|_| lists.end_row());
        return Ok(lists);
    }
    if !matches!(series.dtype(), DataType::List(_)) {
        return Err(wrong_type(series, "a list of numbers"));
    }
    let list = polars(series.list())?;
    let bounds = row_bounds(list);
    let items = numbers(&list.get_inner(), ColumnType::F64).map_err(|flaw| match flaw {
        Flaw::Cell(item, problem) => {
            let row = bounds.iter().position(|bounds| bounds.contains(&item)).unwrap_or(bounds.len());
            Flaw::Cell(row, problem)
        }
        Flaw::Column(_) => wrong_type(series, "a list of numbers"),
    })?;
    for bounds in bounds {
        items[bounds].iter().for_each(|&item| lists.push_item(item));
        lists.end_row();
    }
    Ok(lists)
}

/// For every row, where its items stand in the list's inner series; nothing for a missing row.
fn row_bounds(list: &ListChunked) -> Vec<std::ops::Range<usize>> {
    let mut bounds = Vec::with_capacity(list.len());
    let mut before = 0;
    for chunk in list.downcast_iter() {
        for (row, pair) in chunk.offsets().as_slice().windows(2).enumerate() {
            let valid = chunk.validity().is_none_or(|validity| validity.get_bit(row));
            let position = |offset: i64| before + usize::try_from(offset).unwrap_or(0);
            bounds.push(if valid { position(pair[0])..position(pair[1]) } else { 0..0 });
        }
        before += chunk.values().len();
    }
    bounds
}

fn cells<T>(
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<f64, CellProblem>,
) -> Result<Vec<f64>, Flaw> {
    let convert = |(row, value): (usize, Option<T>)| match value {
        Some(value) => convert(value).map_err(|problem| Flaw::Cell(row, problem)),
        None => Ok(f64::NAN),
    };
    values.enumerate().map(convert).collect()
}

fn finite(value: f64) -> Result<f64, CellProblem> {
    if value.is_finite() { Ok(value) } else { Err(CellProblem::NotFinite(value)) }
}

fn polars<T>(result: PolarsResult<T>) -> Result<T, Flaw> {
    result.map_err(|error| Flaw::Column(ColumnProblem::Broken(excerpt(&error.to_string()))))
}

fn wrong_type(series: &Series, wanted: &'static str) -> Flaw {
    Flaw::Column(ColumnProblem::Type { found: excerpt(&series.dtype().to_string()), wanted })
}

/// Keeps a column's text within its bounds before it is copied.
struct TextBudget {
    one: usize,
    all: usize,
    left: usize,
}

impl TextBudget {
    fn new(limits: &Limits) -> Self {
        Self { one: limits.one_text_bytes, all: limits.text_bytes, left: limits.text_bytes }
    }

    fn take(&mut self, row: usize, text: &str) -> Result<(), Flaw> {
        if text.len() > self.one {
            return Err(Flaw::Cell(row, CellProblem::TooLong { bytes: text.len(), limit: self.one }));
        }
        let over = ColumnProblem::TooLarge {
            what: "the size of all text",
            found: (self.all - self.left) as u64 + text.len() as u64,
            limit: self.all as u64,
        };
        self.left = self.left.checked_sub(text.len()).ok_or(Flaw::Column(over))?;
        Ok(())
    }
}
