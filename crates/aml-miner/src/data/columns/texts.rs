//! Columns of text, in any of the forms in which text is stored, within their bounds.

use polars_arrow::array::{Array, Utf8Array, Utf8ViewArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::offset::Offset;

use super::{typed, wrong_type};
use crate::data::limits::FileLimits;
use crate::table::TextColumn;
use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};

pub(super) fn texts(chunks: &[Box<dyn Array>], limits: &FileLimits) -> Result<TextColumn, Flaw> {
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

/// Texts in one of the three forms in which they may be stored.
pub(super) enum Texts<'a> {
    Views(&'a Utf8ViewArray),
    Small(&'a Utf8Array<i32>),
    Large(&'a Utf8Array<i64>),
}

impl<'a> Texts<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Result<Self, Flaw> {
        match array.dtype() {
            ArrowDataType::Utf8 => typed(array).map(Self::Small),
            ArrowDataType::LargeUtf8 => typed(array).map(Self::Large),
            _ => typed(array).map(Self::Views),
        }
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = Option<&'a str>> + 'a> {
        match self {
            Self::Views(array) => Box::new(array.iter()),
            Self::Small(array) => Box::new(array.iter()),
            Self::Large(array) => Box::new(array.iter()),
        }
    }

    pub(super) fn get(&self, item: usize) -> Option<&'a str> {
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

pub(super) fn is_text(dtype: &ArrowDataType) -> bool {
    matches!(dtype, ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View)
}

/// Keeps a column's text within its bounds before it is copied.
pub(super) struct TextBudget {
    one: usize,
    all: usize,
    left: usize,
}

impl TextBudget {
    pub(super) fn new(limits: &FileLimits) -> Self {
        Self { one: limits.one_text_bytes, all: limits.text_bytes, left: limits.text_bytes }
    }

    pub(super) fn take(&mut self, row: usize, text: &str) -> Result<(), Flaw> {
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
