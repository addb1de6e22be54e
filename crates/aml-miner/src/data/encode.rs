//! One table to the bytes of a Parquet file, the same bytes for the same table.
//!
//! A column is stored in the format's type when every value survives it, else as a double: reading gives back what was
//! written, bit for bit. A table without rows gets all columns, so that the file shows its shape. Types are Parquet's own
//! alone, so that every reader of Parquet opens it.

use std::io::Write;

use polars_arrow::array::{
    Array, ArrayFromIter as _, BooleanArray, MutableArray as _, MutableBinaryViewArray, MutableListArray,
    MutablePrimitiveArray, PrimitiveArray,
};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::types::NativeType;
use polars_error::{PolarsError, PolarsResult};
use polars_parquet::read::ParquetError;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynIter, DynStreamingIterator, FallibleStreamingIterator as _,
    FileWriter, ParquetType, StatisticsOptions, Version, WriteOptions, array_to_columns, get_dtype_encoding,
};

use crate::table::cells::{same, to_decimal};
use crate::table::spec::{ColumnSpec, ColumnType};
use crate::table::{Column, Table};

/// Digits of a decimal and how many of them are behind the point.
const DECIMAL: (usize, usize) = (38, 18);
/// Rows from which there is more than one row group: the size at which readers can work in parallel without small
/// pages.
const GROUP_ROWS: usize = 1 << 18;
/// How pages are made. Each of these decides the bytes of a file, so a change of one changes every digest.
const PAGES: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: CompressionOptions::Zstd(None),
    data_page_size: None,
};

pub(crate) type Boxed = Box<dyn Array>;

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
    let (fields, arrays) = arrays_of(table)?;
    file_of(fields, &arrays, table.rows())
}

/// The columns of a file that holds `table`: what they are called and what they hold.
pub(crate) fn arrays_of(table: &Table) -> PolarsResult<(Vec<Field>, Vec<Boxed>)> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (about, column) in table.spec().columns.iter().zip(table.columns()) {
        let array = match column {
            Some(column) => array_of(about, column)?,
            None if table.rows() == 0 => array_of(about, &Column::empty(about.kind))?,
            None => continue,
        };
        fields.push(Field::new(about.name.into(), array.dtype().clone(), true));
        arrays.push(array);
    }
    Ok((fields, arrays))
}

/// The Parquet file of these columns, all of so many rows.
pub(super) fn file_of(fields: Vec<Field>, arrays: &[Boxed], rows: usize) -> PolarsResult<Vec<u8>> {
    let mut writer = GroupWriter::new(Vec::new(), fields)?;
    for (start, length) in groups(rows) {
        writer.write(arrays, start, length)?;
    }
    writer.finish()
}

/// A Parquet file that is written a group of rows after another.
pub(crate) struct GroupWriter<W: Write> {
    writer: FileWriter<W>,
    types: Vec<ParquetType>,
}

impl<W: Write> GroupWriter<W> {
    /// A file of such columns, into `sink`.
    pub(crate) fn new(sink: W, fields: Vec<Field>) -> PolarsResult<Self> {
        let schema: ArrowSchema = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
        let writer = FileWriter::try_new(sink, schema, PAGES)?;
        let types = writer.parquet_schema().fields().to_vec();
        Ok(Self { writer, types })
    }

    /// Adds a group: `length` rows of `arrays` from `start` on.
    pub(crate) fn write(&mut self, arrays: &[Boxed], start: usize, length: usize) -> PolarsResult<()> {
        let chunks = arrays.iter().zip(&self.types).flat_map(|(array, kind)| {
            let rows = if length == array.len() { array.clone() } else { array.sliced(start, length) };
            chunks_of(rows.as_ref(), kind)
        });
        self.writer.write(length as u64, DynIter::new(chunks))
    }

    /// Ends the file and gives back what it was written to.
    pub(crate) fn finish(mut self) -> PolarsResult<W> {
        // Without the writer's own Arrow schema: it names types that most readers do not know.
        self.writer.end(Some(Vec::new()))?;
        Ok(self.writer.into_inner())
    }
}

/// First row and number of rows of every row group: as many whole [`GROUP_ROWS`] as there are decide how many, and
/// they share the rows equally.
pub(crate) fn groups(rows: usize) -> Vec<(usize, usize)> {
    if rows == 0 {
        return Vec::new();
    }
    let count = (rows / GROUP_ROWS).max(1);
    let each = rows / count;
    (0..count).map(|group| (group * each, if group + 1 == count { rows - group * each } else { each })).collect()
}

type Chunk<'a> = PolarsResult<DynStreamingIterator<'a, CompressedPage, PolarsError>>;

/// The compressed pages of one column: one chunk for every leaf of its type.
fn chunks_of(array: &dyn Array, kind: &ParquetType) -> Vec<Chunk<'static>> {
    let leaves = match array_to_columns(array, kind.clone(), PAGES, &get_dtype_encoding(array.dtype())) {
        Ok(leaves) => leaves,
        Err(error) => return vec![Err(error)],
    };
    let compressed = leaves.into_iter().map(|pages| {
        let pages = pages.map(|page| page.map_err(|error| ParquetError::FeatureNotSupported(error.to_string())));
        let pages = Compressor::new_from_vec(pages, PAGES.compression, Vec::new());
        Ok(DynStreamingIterator::new(pages.map_err(PolarsError::from)))
    });
    compressed.collect()
}

/// The array in which a file holds `column`.
pub(crate) fn array_of(about: &ColumnSpec, column: &Column) -> PolarsResult<Boxed> {
    match column {
        Column::Numbers(values) => Ok(numbers(about, values)),
        Column::Texts(texts) => Ok(MutableBinaryViewArray::<str>::from_values_iter(texts.iter()).freeze().boxed()),
        Column::TextLists(lists) => {
            let items = MutableBinaryViewArray::<str>::with_capacity(lists.len());
            let mut rows = MutableListArray::<i64, _>::new_with_capacity(items, lists.len());
            for row in 0..lists.len() {
                rows.mut_values().extend_values(lists.get(row));
                rows.try_push_valid()?;
            }
            Ok(rows.as_box())
        }
        Column::NumberLists(lists) => {
            let items = MutablePrimitiveArray::<f64>::with_capacity(lists.len());
            let mut rows = MutableListArray::<i64, _>::new_with_capacity(items, lists.len());
            for row in 0..lists.len() {
                rows.mut_values().extend_trusted_len(lists.get(row).iter().map(|&item| known(item)));
                rows.try_push_valid()?;
            }
            Ok(rows.as_box())
        }
    }
}

fn numbers(about: &ColumnSpec, values: &[f64]) -> Boxed {
    let exact = match about.kind {
        ColumnType::Bool => {
            whole(values, |value| Some(value > 0.5)).map(|flags| BooleanArray::from_iter(flags).boxed())
        }
        ColumnType::U8 => whole(values, u8_of).map(|v| primitive(ArrowDataType::UInt8, v)),
        ColumnType::U16 => whole(values, u16_of).map(|v| primitive(ArrowDataType::UInt16, v)),
        ColumnType::U32 => whole(values, u32_of).map(|v| primitive(ArrowDataType::UInt32, v)),
        ColumnType::U64 => whole(values, u64_of).map(|v| primitive(ArrowDataType::UInt64, v)),
        ColumnType::TimestampMs => whole(values, i64_of).map(|v| primitive(ArrowDataType::Int64, v)),
        ColumnType::Date => whole(values, i32_of).map(|v| primitive(ArrowDataType::Date32, v)),
        ColumnType::F32 => whole(values, f32_of).map(|v| primitive(ArrowDataType::Float32, v)),
        ColumnType::Decimal => {
            let dtype = ArrowDataType::Decimal(DECIMAL.0, DECIMAL.1);
            whole(values, |value| to_decimal(value, DECIMAL.1)).map(|v| primitive(dtype, v))
        }
        _ => None,
    };
    let doubles = || primitive(ArrowDataType::Float64, values.iter().map(|&value| known(value)).collect());
    exact.unwrap_or_else(doubles)
}

/// Values and nulls; where nothing is missing there is no map of what is.
fn primitive<T: NativeType>(dtype: ArrowDataType, values: Vec<Option<T>>) -> Boxed {
    PrimitiveArray::arr_from_iter(values).to(dtype).boxed()
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
