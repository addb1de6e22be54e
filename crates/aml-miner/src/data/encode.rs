//! One table to the bytes of a Parquet file, the same bytes for the same table.
//!
//! A column is stored in the format's type when every value survives it, else as a double: reading gives back what was
//! written, bit for bit. A table without rows gets all columns, so that the file shows its shape.

use polars::prelude::{
    BooleanChunked, Column as PlColumn, DataFrame, DataType, Float32Chunked, Float64Chunked, Float64Type, Int32Chunked,
    Int64Chunked, Int128Chunked, IntoColumn, IntoSeries, ListBuilderTrait, ListPrimitiveChunkedBuilder,
    ListStringChunkedBuilder, NewChunkedArray, ParquetCompression, ParquetWriter, PolarsError, PolarsResult, Series,
    StringChunked, UInt8Chunked, UInt16Chunked, UInt32Chunked, UInt64Chunked,
};

use crate::data::cells::{same, to_decimal};
use crate::wire::spec::{ColumnSpec, ColumnType};
use crate::wire::table::{Column, NumberLists, Table, TextColumn, TextLists};

/// Digits of a decimal and how many of them are behind the point.
const DECIMAL: (usize, usize) = (38, 18);
/// Rows of one row group: the size at which readers can work in parallel without small pages.
const GROUP_ROWS: usize = 1 << 18;

/// A table that has no Parquet form.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode {table}: {source}")]
pub struct EncodeError {
    /// Name of the table.
    pub table: &'static str,
    /// Why not.
    pub source: PolarsError,
}

/// The Parquet file that holds `table`: the same bytes for the same table.
///
/// # Errors
/// When a value has no Parquet form.
pub fn to_parquet(table: &Table) -> Result<Vec<u8>, EncodeError> {
    encode(table).map_err(|source| EncodeError { table: table.spec().name, source })
}

/// The Parquet file that holds `table`.
pub(crate) fn encode(table: &Table) -> PolarsResult<Vec<u8>> {
    let mut columns: Vec<PlColumn> = Vec::with_capacity(table.columns().len());
    for (about, column) in table.spec().columns.iter().zip(table.columns()) {
        match column {
            Some(column) => columns.push(series_of(about, column)?.into_column()),
            None if table.rows() == 0 => columns.push(series_of(about, &empty_column(about.kind))?.into_column()),
            None => {}
        }
    }
    let mut frame = DataFrame::new(table.rows(), columns)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(GROUP_ROWS))
        .finish(&mut frame)?;
    Ok(bytes)
}

fn empty_column(kind: ColumnType) -> Column {
    match kind {
        ColumnType::Text | ColumnType::Severity => Column::Texts(TextColumn::default()),
        ColumnType::TextList => Column::TextLists(TextLists::default()),
        ColumnType::NumberList => Column::NumberLists(NumberLists::default()),
        _ => Column::Numbers(Vec::new()),
    }
}

fn series_of(about: &ColumnSpec, column: &Column) -> PolarsResult<Series> {
    let name = about.name.into();
    match column {
        Column::Numbers(values) => number_series(about, values),
        Column::Texts(texts) => Ok(StringChunked::from_iter_values(name, texts.iter()).into_series()),
        Column::TextLists(lists) => {
            let mut builder = ListStringChunkedBuilder::new(name, lists.len(), lists.len());
            (0..lists.len()).for_each(|row| builder.append_values_iter(lists.get(row)));
            Ok(builder.finish().into_series())
        }
        Column::NumberLists(lists) => {
            let mut builder =
                ListPrimitiveChunkedBuilder::<Float64Type>::new(name, lists.len(), lists.len(), DataType::Float64);
            (0..lists.len()).for_each(|row| builder.append_iter(lists.get(row).iter().map(|&item| known(item))));
            Ok(builder.finish().into_series())
        }
    }
}

fn number_series(about: &ColumnSpec, values: &[f64]) -> PolarsResult<Series> {
    let exact = match about.kind {
        ColumnType::Bool => {
            whole(values, |value| Some(value > 0.5)).map(|v| BooleanChunked::from_iter(v).into_series())
        }
        ColumnType::U8 => whole(values, u8_of).map(|v| UInt8Chunked::from_iter(v).into_series()),
        ColumnType::U16 => whole(values, u16_of).map(|v| UInt16Chunked::from_iter(v).into_series()),
        ColumnType::U32 => whole(values, u32_of).map(|v| UInt32Chunked::from_iter(v).into_series()),
        ColumnType::U64 => whole(values, u64_of).map(|v| UInt64Chunked::from_iter(v).into_series()),
        ColumnType::TimestampMs => whole(values, i64_of).map(|v| Int64Chunked::from_iter(v).into_series()),
        ColumnType::Date => {
            let days = whole(values, i32_of).map(|v| Int32Chunked::from_iter(v).into_series());
            return days
                .map_or_else(|| Ok(double_series(about, values)), |days| named(days.cast(&DataType::Date)?, about));
        }
        ColumnType::F32 => whole(values, f32_of).map(|v| Float32Chunked::from_iter(v).into_series()),
        ColumnType::Decimal => match whole(values, |value| to_decimal(value, DECIMAL.1)) {
            Some(digits) => Some(Int128Chunked::from_iter(digits).into_decimal(DECIMAL.0, DECIMAL.1)?.into_series()),
            None => None,
        },
        _ => None,
    };
    exact.map_or_else(|| Ok(double_series(about, values)), |series| named(series, about))
}

fn named(mut series: Series, about: &ColumnSpec) -> PolarsResult<Series> {
    series.rename(about.name.into());
    Ok(series)
}

fn double_series(about: &ColumnSpec, values: &[f64]) -> Series {
    let column: Float64Chunked = values.iter().map(|&value| known(value)).collect();
    column.with_name(about.name.into()).into_series()
}

fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// Every value converted, missing ones to null; `None` when one of them does not survive.
fn whole<T>(values: &[f64], convert: impl Fn(f64) -> Option<T>) -> Option<Vec<Option<T>>> {
    values.iter().map(|&value| if value.is_nan() { Some(None) } else { convert(value).map(Some) }).collect()
}

fn i64_of(value: f64) -> Option<i64> {
    // `as` saturates, and a saturated value is not the value that went in.
    #[expect(clippy::cast_possible_truncation, reason = "checked by the comparison")]
    let integer = value as i64;
    (same(integer as f64, value) && integer != i64::MAX).then_some(integer)
}

fn u8_of(value: f64) -> Option<u8> {
    i64_of(value).and_then(|value| value.try_into().ok())
}

fn u16_of(value: f64) -> Option<u16> {
    i64_of(value).and_then(|value| value.try_into().ok())
}

fn u32_of(value: f64) -> Option<u32> {
    i64_of(value).and_then(|value| value.try_into().ok())
}

fn u64_of(value: f64) -> Option<u64> {
    i64_of(value).and_then(|value| value.try_into().ok())
}

fn i32_of(value: f64) -> Option<i32> {
    i64_of(value).and_then(|value| value.try_into().ok())
}

fn f32_of(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "checked by the comparison")]
    let single = value as f32;
    same(f64::from(single), value).then_some(single)
}
