//! The decoded arrays of one column to one column of a table, without loss.
//!
//! A number may be stored as any integer, float, flag, decimal or numeric text; a day as a date, a midnight or
//! `YYYY-MM-DD`; a time as a number, a timestamp or a text of ISO 8601; null is "missing". A value that a double cannot hold exactly is an error, except decimals and their
//! texts, which read as the nearest double.

mod lists;
mod texts;

use polars_arrow::array::{Array, BooleanArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use polars_arrow::types::NativeType;

use crate::data::limits::FileLimits;
use crate::data::stored_type::type_name;
use crate::table::Column;
use crate::table::cells::{DAY_MS, days_from_text, from_decimal, from_i64, from_text, from_u64, ms_from_units};
use crate::table::excerpt;
use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};
use crate::table::instant::ms_from_text;
use crate::table::spec::{ColumnSpec, ColumnType};
use lists::{number_lists, text_lists};
use texts::{Texts, texts};

/// Most digits that a decimal may have.
const MAX_DIGITS: usize = 38;
/// What a column of times may hold, for messages.
pub(crate) const A_TIME: &str = "a time (number of milliseconds, timestamp or ISO 8601 text)";
/// And a column of numbers.
pub(crate) const A_NUMBER: &str = "a number (integer, float, flag, decimal or numeric text)";

/// The column that `chunks` hold one after the other, when their type and values fit `spec`.
///
/// # Errors
/// The wrong type, or the first value that cannot be converted.
pub fn column_from_arrays(chunks: &[Box<dyn Array>], spec: &ColumnSpec, limits: &FileLimits) -> Result<Column, Flaw> {
    read_column(chunks, spec, limits, 1).map_err(|mut flaws| flaws.swap_remove(0))
}

/// Like [`column_from_arrays`], with up to `most` of the values that cannot be converted; a column without a single value
/// is missing, whatever its type.
pub(crate) fn read_column(
    chunks: &[Box<dyn Array>],
    spec: &ColumnSpec,
    limits: &FileLimits,
    most: usize,
) -> Result<Column, Vec<Flaw>> {
    let one = |flaw| vec![flaw];
    if chunks.iter().all(|chunk| chunk.null_count() == chunk.len()) {
        let mut column = Column::empty(spec.kind);
        column.pad(chunks.iter().map(|chunk| chunk.len()).sum());
        return Ok(column);
    }
    match spec.kind {
        ColumnType::Text | ColumnType::Severity => texts(chunks, limits).map(Column::Texts).map_err(one),
        ColumnType::TextList => text_lists(chunks, limits).map(Column::TextLists).map_err(one),
        ColumnType::NumberList => number_lists(chunks, most).map(Column::NumberLists),
        kind => {
            let mut sink = Sink::new(chunks.iter().map(|chunk| chunk.len()).sum(), most);
            chunks.iter().try_for_each(|chunk| numbers(&mut sink, chunk.as_ref(), kind)).map_err(one)?;
            sink.finish().map(Column::Numbers)
        }
    }
}

/// Values of a column, and what is wrong with those that could not be converted.
struct Sink {
    values: Vec<f64>,
    flaws: Vec<Flaw>,
    most: usize,
}

impl Sink {
    fn new(rows: usize, most: usize) -> Self {
        Self { values: Vec::with_capacity(rows), flaws: Vec::new(), most: most.max(1) }
    }

    fn put(&mut self, value: Result<f64, CellProblem>) {
        let value = value.unwrap_or_else(|problem| {
            if self.flaws.len() < self.most {
                self.flaws.push(Flaw::Cell(self.values.len(), problem));
            }
            f64::NAN
        });
        self.values.push(value);
    }

    fn finish(self) -> Result<Vec<f64>, Vec<Flaw>> {
        if self.flaws.is_empty() { Ok(self.values) } else { Err(self.flaws) }
    }
}

/// Adds the numbers of `array` to `sink`, which holds those of the rows before.
fn numbers(sink: &mut Sink, array: &dyn Array, kind: ColumnType) -> Result<(), Flaw> {
    use ArrowDataType as D;
    let is_time = kind == ColumnType::TimestampMs;
    let dtype = array.dtype();
    match dtype {
        D::Null => {
            (0..array.len()).for_each(|_| sink.put(Ok(f64::NAN)));
            Ok(())
        }
        D::Date32 if kind == ColumnType::Date || is_time => {
            let unit = if is_time { DAY_MS } else { 1.0 };
            primitives(sink, array, |days: i32| Ok(f64::from(days) * unit))
        }
        D::Timestamp(unit, _) if kind == ColumnType::Date || is_time => times(sink, array, *unit, kind),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => {
            let read = match kind {
                ColumnType::Date => days_from_text,
                ColumnType::TimestampMs => ms_from_text,
                _ => from_text,
            };
            cells(sink, Texts::of(array)?.iter(), read)
        }
        _ if kind == ColumnType::Date => Err(wrong_type(dtype, "a date (date, midnight timestamp or text YYYY-MM-DD)")),
        D::Boolean if !is_time => {
            cells(sink, typed::<BooleanArray>(array)?.iter(), |flag| Ok(f64::from(u8::from(flag))))
        }
        D::Float32 => primitives(sink, array, |value: f32| finite(f64::from(value))),
        D::Float64 => primitives(sink, array, finite),
        D::UInt64 => primitives(sink, array, from_u64),
        D::Int64 => primitives(sink, array, from_i64),
        D::Int8 => primitives(sink, array, |value: i8| Ok(f64::from(value))),
        D::Int16 => primitives(sink, array, |value: i16| Ok(f64::from(value))),
        D::Int32 => primitives(sink, array, |value: i32| Ok(f64::from(value))),
        D::UInt8 => primitives(sink, array, |value: u8| Ok(f64::from(value))),
        D::UInt16 => primitives(sink, array, |value: u16| Ok(f64::from(value))),
        D::UInt32 => primitives(sink, array, |value: u32| Ok(f64::from(value))),
        D::Decimal(digits, scale) if (1..=MAX_DIGITS).contains(digits) && scale <= digits => {
            primitives(sink, array, |value: i128| Ok(from_decimal(value, *scale)))
        }
        D::Decimal(digits, scale) => {
            Err(broken(&format!("a decimal of {digits} digits, {scale} of them behind the point")))
        }
        _ if is_time => Err(wrong_type(dtype, A_TIME)),
        _ => Err(wrong_type(dtype, A_NUMBER)),
    }
}

fn times(sink: &mut Sink, array: &dyn Array, unit: TimeUnit, kind: ColumnType) -> Result<(), Flaw> {
    let units_per_ms = match unit {
        TimeUnit::Nanosecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Millisecond => 1,
        TimeUnit::Second => return Err(wrong_type(array.dtype(), A_TIME)),
    };
    primitives(sink, array, |value: i64| {
        let ms = ms_from_units(value, units_per_ms)?;
        if kind == ColumnType::TimestampMs {
            return Ok(ms);
        }
        if ms % DAY_MS == 0.0 { Ok(ms / DAY_MS) } else { Err(CellProblem::TooFine(format!("{ms} ms"))) }
    })
}

fn typed<A: 'static>(array: &dyn Array) -> Result<&A, Flaw> {
    let form = || broken(&format!("values of type {} are held in another form", type_name(array.dtype())));
    array.as_any().downcast_ref().ok_or_else(form)
}

fn primitives<T: NativeType>(
    sink: &mut Sink,
    array: &dyn Array,
    convert: impl Fn(T) -> Result<f64, CellProblem>,
) -> Result<(), Flaw> {
    cells(sink, typed::<PrimitiveArray<T>>(array)?.iter().map(|value| value.copied()), convert)
}

fn cells<T>(
    sink: &mut Sink,
    stored: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<f64, CellProblem>,
) -> Result<(), Flaw> {
    stored.for_each(|value| sink.put(value.map_or(Ok(f64::NAN), &convert)));
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
