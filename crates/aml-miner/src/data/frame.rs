//! Columns of names that no specification fixes, such as a matrix of features, as one Parquet file.

use polars_arrow::array::{MutableBinaryViewArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::encode::{Boxed, EncodeError, file_of};
use crate::table::TextColumn;

/// A column.
#[derive(Clone, Debug)]
pub enum FrameColumn {
    /// Days since 1970-01-01.
    Days(Vec<i32>),
    /// Texts.
    Texts(TextColumn),
    /// Numbers; NaN is missing.
    Numbers(Vec<f64>),
}

/// Named columns of equal length.
#[derive(Clone, Debug, Default)]
pub struct Frame(pub Vec<(String, FrameColumn)>);

impl Frame {
    /// The Parquet file that holds it: the same bytes for the same columns.
    ///
    /// # Errors
    /// When the columns differ in length, or have no Parquet form.
    pub fn to_parquet(&self) -> Result<Vec<u8>, EncodeError> {
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (name, column) in &self.0 {
            let array = column.array();
            fields.push(Field::new(name.as_str().into(), array.dtype().clone(), true));
            arrays.push(array);
        }
        let rows = arrays.first().map_or(0, |array| array.len());
        file_of(fields, &arrays, rows).map_err(|source| EncodeError { table: "features", source })
    }
}

impl FrameColumn {
    fn array(&self) -> Boxed {
        match self {
            Self::Days(days) => PrimitiveArray::<i32>::from_vec(days.clone()).to(ArrowDataType::Date32).boxed(),
            Self::Texts(texts) => MutableBinaryViewArray::<str>::from_values_iter(texts.iter()).freeze().boxed(),
            Self::Numbers(values) => {
                let known = values.iter().map(|value| (!value.is_nan()).then_some(*value));
                PrimitiveArray::<f64>::from_iter(known).boxed()
            }
        }
    }
}
