//! The decoded arrays of one column to one column of a table, without loss.
//!
//! A number may be stored as any integer, float, flag, decimal or numeric text; a day as a date, a midnight or
//! `YYYY-MM-DD`; null is "missing". A value that a double cannot hold exactly is an error, except decimals and their
//! texts, which read as the nearest double.

use polars_arrow::array::{Array, BooleanArray, ListArray, PrimitiveArray, Utf8Array, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use polars_arrow::offset::Offset;
use polars_arrow::types::NativeType;

use crate::data::limits::FileLimits;
use crate::data::stored_type::type_name;
use crate::table::cells::{DAY_MS, days_from_text, from_decimal, from_i64, from_text, from_u64, ms_from_units};
use crate::table::excerpt;
use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};
use crate::table::spec::{ColumnSpec, ColumnType};
use crate::table::{Column, NumberLists, TextColumn, TextLists};

/// Most digits that a decimal may have.
const MAX_DIGITS: usize = 38;

/// The column that `chunks` hold one after the other, when their type and values fit `spec`.
///
/// # Errors
/// The wrong type, or the first value that cannot be converted.
pub fn column_from_arrays(chunks: &[Box<dyn Array>], spec: &ColumnSpec, limits: &FileLimits) -> Result<Column, Flaw> {
    match spec.kind {
        ColumnType::Text | ColumnType::Severity => texts(chunks, limits).map(Column::Texts),
        ColumnType::TextList => text_lists(chunks, limits).map(Column::TextLists),
        ColumnType::NumberList => number_lists(chunks).map(Column::NumberLists),
        kind => {
            let mut values = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
            chunks.iter().try_for_each(|chunk| numbers(&mut values, chunk.as_ref(), kind))?;
            Ok(Column::Numbers(values))
        }
    }
}

/// Adds the numbers of `array` to `values`, whose length is the row of its first.
fn numbers(values: &mut Vec<f64>, array: &dyn Array, kind: ColumnType) -> Result<(), Flaw> {
    use ArrowDataType as D;
    let is_time = kind == ColumnType::TimestampMs;
    let dtype = array.dtype();
    match dtype {
        D::Null => {
            values.resize(values.len() + array.len(), f64::NAN);
            Ok(())
        }
        D::Date32 if kind == ColumnType::Date || is_time => {
            let unit = if is_time { DAY_MS } else { 1.0 };
            primitives(values, array, |days: i32| Ok(f64::from(days) * unit))
        }
        D::Timestamp(unit, _) if kind == ColumnType::Date || is_time => times(values, array, *unit, kind),
        D::Utf8 | D::LargeUtf8 | D::Utf8View if kind == ColumnType::Date => {
            cells(values, Texts::of(array)?.iter(), days_from_text)
        }
        _ if kind == ColumnType::Date => Err(wrong_type(dtype, "a date (date, midnight timestamp or text YYYY-MM-DD)")),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => cells(values, Texts::of(array)?.iter(), from_text),
        D::Boolean if !is_time => {
            cells(values, typed::<BooleanArray>(array)?.iter(), |flag| Ok(f64::from(u8::from(flag))))
        }
        D::Float32 => primitives(values, array, |value: f32| finite(f64::from(value))),
        D::Float64 => primitives(values, array, finite),
        D::UInt64 => primitives(values, array, from_u64),
        D::Int64 => primitives(values, array, from_i64),
        D::Int8 => primitives(values, array, |value: i8| Ok(f64::from(value))),
        D::Int16 => primitives(values, array, |value: i16| Ok(f64::from(value))),
        D::Int32 => primitives(values, array, |value: i32| Ok(f64::from(value))),
        D::UInt8 => primitives(values, array, |value: u8| Ok(f64::from(value))),
        D::UInt16 => primitives(values, array, |value: u16| Ok(f64::from(value))),
        D::UInt32 => primitives(values, array, |value: u32| Ok(f64::from(value))),
        D::Decimal(digits, scale) if (1..=MAX_DIGITS).contains(digits) && scale <= digits => {
            primitives(values, array, |value: i128| Ok(from_decimal(value, *scale)))
        }
        D::Decimal(digits, scale) => {
            Err(broken(&format!("a decimal of {digits} digits, {scale} of them behind the point")))
        }
        _ if is_time => Err(wrong_type(dtype, "a time (number of milliseconds or timestamp)")),
        _ => Err(wrong_type(dtype, "a number (integer, float, flag, decimal or numeric text)")),
    }
}

fn times(values: &mut Vec<f64>, array: &dyn Array, unit: TimeUnit, kind: ColumnType) -> Result<(), Flaw> {
    let units_per_ms = match unit {
        TimeUnit::Nanosecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Millisecond => 1,
        TimeUnit::Second => return Err(wrong_type(array.dtype(), "a time (number of milliseconds or timestamp)")),
    };
    primitives(values, array, |value: i64| {
        let ms = ms_from_units(value, units_per_ms)?;
        if kind == ColumnType::TimestampMs {
            return Ok(ms);
        }
        if ms % DAY_MS == 0.0 { Ok(ms / DAY_MS) } else { Err(CellProblem::TooFine(format!("{ms} ms"))) }
    })
}

fn texts(chunks: &[Box<dyn Array>], limits: &FileLimits) -> Result<TextColumn, Flaw> {
    let mut column = TextColumn::default();
    let mut budget = TextBudget::new(limits);
    for chunk in chunks {
        if chunk.dtype() == &ArrowDataType::Null {
            (0..chunk.len()).for_each(|_| column.push(""));
            continue;
        }
        if !is_text(chunk.dtype()) {
            return Err(wrong_type(chunk.dtype(), "text"));
        }
        for text in Texts::of(chunk.as_ref())?.iter() {
            let text = text.unwrap_or("");
            budget.take(column.len(), text)?;
            column.push(text);
        }
    }
    Ok(column)
}

fn text_lists(chunks: &[Box<dyn Array>], limits: &FileLimits) -> Result<TextLists, Flaw> {
    const WANTED: &str = "a list of text";
    let mut lists = TextLists::default();
    let mut budget = TextBudget::new(limits);
    for chunk in chunks {
        let Some(list) = list_of(chunk.as_ref(), WANTED)? else {
            (0..chunk.len()).for_each(|_| lists.end_row());
            continue;
        };
        let items = match list.values().dtype() {
            ArrowDataType::Null => None,
            inner if is_text(inner) => Some(Texts::of(list.values().as_ref())?),
            _ => return Err(wrong_type(chunk.dtype(), WANTED)),
        };
        for row in 0..list.len() {
            for item in items_of(list, row) {
                let text = items.as_ref().and_then(|items| items.get(item)).unwrap_or("");
                budget.take(lists.len(), text)?;
                lists.push_item(text);
            }
            lists.end_row();
        }
    }
    Ok(lists)
}

fn number_lists(chunks: &[Box<dyn Array>]) -> Result<NumberLists, Flaw> {
    const WANTED: &str = "a list of numbers";
    let mut lists = NumberLists::default();
    for chunk in chunks {
        let Some(list) = list_of(chunk.as_ref(), WANTED)? else {
            (0..chunk.len()).for_each(|_| lists.end_row());
            continue;
        };
        let mut items = Vec::with_capacity(list.values().len());
        numbers(&mut items, list.values().as_ref(), ColumnType::F64).map_err(|flaw| match flaw {
            Flaw::Cell(item, problem) => {
                let row = (0..list.len()).position(|row| items_of(list, row).contains(&item)).unwrap_or(list.len());
                Flaw::Cell(lists.len() + row, problem)
            }
            Flaw::Column(_) => wrong_type(chunk.dtype(), WANTED),
        })?;
        for row in 0..list.len() {
            items[items_of(list, row)].iter().for_each(|&item| lists.push_item(item));
            lists.end_row();
        }
    }
    Ok(lists)
}

/// The list that `array` is; `None` where every row is missing.
fn list_of<'a>(array: &'a dyn Array, wanted: &'static str) -> Result<Option<&'a ListArray<i64>>, Flaw> {
    match array.dtype() {
        ArrowDataType::Null => Ok(None),
        ArrowDataType::LargeList(_) => typed(array).map(Some),
        other => Err(wrong_type(other, wanted)),
    }
}

/// Where the items of a row stand in the list's values; nothing for a missing row.
fn items_of(list: &ListArray<i64>, row: usize) -> std::ops::Range<usize> {
    if list.validity().is_none_or(|validity| validity.get_bit(row)) {
        let (start, end) = list.offsets().start_end(row);
        return start..end;
    }
    0..0
}

/// Texts in one of the three forms in which they may be stored.
enum Texts<'a> {
    Views(&'a Utf8ViewArray),
    Small(&'a Utf8Array<i32>),
    Large(&'a Utf8Array<i64>),
}

impl<'a> Texts<'a> {
    fn of(array: &'a dyn Array) -> Result<Self, Flaw> {
        match array.dtype() {
            ArrowDataType::Utf8 => typed(array).map(Self::Small),
            ArrowDataType::LargeUtf8 => typed(array).map(Self::Large),
            _ => typed(array).map(Self::Views),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = Option<&'a str>> + 'a> {
        match self {
            Self::Views(array) => Box::new(array.iter()),
            Self::Small(array) => Box::new(array.iter()),
            Self::Large(array) => Box::new(array.iter()),
        }
    }

    fn get(&self, item: usize) -> Option<&'a str> {
        match self {
            Self::Views(array) => array.get(item),
            Self::Small(array) => text_at(array, item),
            Self::Large(array) => text_at(array, item),
        }
    }
}

fn text_at<O: Offset>(array: &Utf8Array<O>, item: usize) -> Option<&str> {
    if array.is_null(item) { None } else { Some(array.value(item)) }
}

fn is_text(dtype: &ArrowDataType) -> bool {
    matches!(dtype, ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View)
}

fn typed<A: 'static>(array: &dyn Array) -> Result<&A, Flaw> {
    let form = || broken(&format!("values of type {} are held in another form", type_name(array.dtype())));
    array.as_any().downcast_ref().ok_or_else(form)
}

fn primitives<T: NativeType>(
    values: &mut Vec<f64>,
    array: &dyn Array,
    convert: impl Fn(T) -> Result<f64, CellProblem>,
) -> Result<(), Flaw> {
    cells(values, typed::<PrimitiveArray<T>>(array)?.iter().map(|value| value.copied()), convert)
}

fn cells<T>(
    values: &mut Vec<f64>,
    stored: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<f64, CellProblem>,
) -> Result<(), Flaw> {
    for value in stored {
        let value = value.map_or(Ok(f64::NAN), &convert).map_err(|problem| Flaw::Cell(values.len(), problem))?;
        values.push(value);
    }
    Ok(())
}

fn finite(value: f64) -> Result<f64, CellProblem> {
    if value.is_finite() { Ok(value) } else { Err(CellProblem::NotFinite(value)) }
}

fn broken(reason: &str) -> Flaw {
    Flaw::Column(ColumnProblem::Broken(reason.to_owned()))
}

fn wrong_type(found: &ArrowDataType, wanted: &'static str) -> Flaw {
    Flaw::Column(ColumnProblem::Type { found: excerpt(&type_name(found)), wanted })
}

/// Keeps a column's text within its bounds before it is copied.
struct TextBudget {
    one: usize,
    all: usize,
    left: usize,
}

impl TextBudget {
    fn new(limits: &FileLimits) -> Self {
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
