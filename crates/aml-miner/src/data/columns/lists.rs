//! Columns of lists: of text and of numbers.

use polars_arrow::array::{Array, ListArray};
use polars_arrow::datatypes::ArrowDataType;

use super::texts::{TextBudget, Texts, is_text};
use super::{Sink, numbers, typed, wrong_type};
use crate::data::limits::FileLimits;
use crate::table::flaw::Flaw;
use crate::table::spec::ColumnType;
use crate::table::{NumberLists, TextLists};

pub(super) fn text_lists(chunks: &[Box<dyn Array>], limits: &FileLimits) -> Result<TextLists, Flaw> {
    const WANTED: &str = "a list of text";
    let mut lists = TextLists::default();
    let mut budget = TextBudget::new(limits);
    for chunk in chunks {
        let Some(list) = list_of(chunk.as_ref(), WANTED)? else {
            (0..chunk.len()).for_each(|_| lists.end_row());
            continue;
        };
        let items = match list.values().dtype() {
            _ if list.values().null_count() == list.values().len() => None,
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

pub(super) fn number_lists(chunks: &[Box<dyn Array>], most: usize) -> Result<NumberLists, Vec<Flaw>> {
    const WANTED: &str = "a list of numbers";
    let mut lists = NumberLists::default();
    let mut flaws = Vec::new();
    for chunk in chunks {
        let Some(list) = list_of(chunk.as_ref(), WANTED).map_err(|flaw| vec![flaw])? else {
            (0..chunk.len()).for_each(|_| lists.end_row());
            continue;
        };
        let values = list.values().as_ref();
        let mut items = Sink::new(values.len(), most);
        if values.null_count() == values.len() {
            (0..values.len()).for_each(|_| items.put(Ok(f64::NAN)));
        } else {
            numbers(&mut items, values, ColumnType::F64).map_err(|_| vec![wrong_type(chunk.dtype(), WANTED)])?;
        }
        for flaw in items.flaws.into_iter().take(most - flaws.len()) {
            let Flaw::Cell(item, problem) = flaw else { continue };
            let row = (0..list.len()).position(|row| items_of(list, row).contains(&item)).unwrap_or(list.len());
            flaws.push(Flaw::Cell(lists.len() + row, problem));
        }
        for row in 0..list.len() {
            items.values[items_of(list, row)].iter().for_each(|&item| lists.push_item(item));
            lists.end_row();
        }
    }
    if flaws.is_empty() { Ok(lists) } else { Err(flaws) }
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
