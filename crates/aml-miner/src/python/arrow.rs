//! Columns for Python through the Arrow C data interface: pyarrow, polars, DuckDB and pandas take them without a copy.
//!
//! The structures, their release and the capsules around them are those of `polars-arrow` and PyO3, both behind safe functions:
//! a capsule owns its structure and releases what nobody has taken.

use polars_arrow::array::{Array, MutableArray as _, MutableListArray, MutableUtf8Array, StructArray, Utf8Array};
use polars_arrow::array::{BooleanArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{export_array_to_c, export_field_to_c};
use polars_error::PolarsResult;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::errors::data;
use crate::data::encode::{Boxed, array_of};
use crate::data::{Frame, FrameColumn};
use crate::table::{Column, Table, TextColumn};

/// Named columns of equal length.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct Columns {
    array: StructArray,
}

impl Columns {
    /// These columns, of `rows` rows each.
    pub(super) fn new(columns: Vec<(String, Boxed)>, rows: usize) -> PyResult<Self> {
        let field = |(name, array): &(String, Boxed)| Field::new(name.as_str().into(), array.dtype().clone(), true);
        let dtype = ArrowDataType::Struct(columns.iter().map(field).collect());
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        StructArray::try_new(dtype, rows, arrays, None).map(|array| Self { array }).map_err(data)
    }

    /// A table, in the types that its file has; texts as `large_utf8`, which every reader knows.
    pub(super) fn of_table(table: &Table) -> PyResult<Self> {
        let mut columns = Vec::new();
        for (about, column) in table.spec().columns.iter().zip(table.columns()) {
            let Some(column) = column else { continue };
            let array = match column {
                Column::Texts(values) => Ok(texts(values)),
                Column::TextLists(_) => text_lists(column),
                Column::Numbers(_) | Column::NumberLists(_) => array_of(about, column),
            };
            columns.push((about.name.to_owned(), array.map_err(data)?));
        }
        Self::new(columns, table.rows())
    }

    /// A frame; numbers that are missing are NaN, so that they become numpy's without a copy.
    pub(super) fn of_frame(Frame(columns): Frame) -> PyResult<Self> {
        let array = |column| match column {
            FrameColumn::Days(days) => PrimitiveArray::<i32>::from_vec(days).to(ArrowDataType::Date32).boxed(),
            FrameColumn::Texts(values) => texts(&values),
            FrameColumn::Numbers(values) => numbers(values),
        };
        let columns: Vec<_> = columns.into_iter().map(|(name, column)| (name, array(column))).collect();
        let rows = columns.first().map_or(0, |(_, array)| array.len());
        Self::new(columns, rows)
    }

    /// One column of numbers, called `value`.
    pub(super) fn of_numbers(values: Vec<f64>) -> PyResult<Self> {
        let rows = values.len();
        Self::new(vec![("value".to_owned(), numbers(values))], rows)
    }
}

#[pymethods]
impl Columns {
    /// The type: a struct with a field for each column.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let field = Field::new("".into(), self.array.dtype().clone(), false);
        PyCapsule::new_with_value(py, export_field_to_c(&field), c"arrow_schema")
    }

    /// The type and the values. Another type that is asked for is not given, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        drop(requested_schema);
        let array = export_array_to_c(self.array.clone().boxed());
        Ok((self.__arrow_c_schema__(py)?, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }

    fn __len__(&self) -> usize {
        self.array.len()
    }
}

/// Doubles, NaN for what is missing.
pub(super) fn numbers(values: Vec<f64>) -> Boxed {
    PrimitiveArray::<f64>::from_vec(values).boxed()
}

/// Texts.
pub(super) fn texts(values: &TextColumn) -> Boxed {
    Utf8Array::<i64>::from_iter_values(values.iter()).boxed()
}

/// Flags.
pub(super) fn flags(values: impl Iterator<Item = bool>) -> Boxed {
    BooleanArray::from_slice(values.collect::<Vec<_>>()).boxed()
}

fn text_lists(column: &Column) -> PolarsResult<Boxed> {
    let Column::TextLists(lists) = column else { return Ok(texts(&TextColumn::default())) };
    let items = MutableUtf8Array::<i64>::with_capacity(lists.len());
    let mut rows = MutableListArray::<i64, _>::new_with_capacity(items, lists.len());
    for row in 0..lists.len() {
        rows.mut_values().extend_values(lists.get(row));
        rows.try_push_valid()?;
    }
    Ok(rows.as_box())
}
