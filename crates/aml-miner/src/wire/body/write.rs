//! Writes a batch as a request body: what [`read_body`](super::read_body) reads back to the same bits.

use serde::Serialize;

use crate::table::Batch;
use crate::table::date::date_of_days;
use crate::table::spec::ColumnType;
use crate::table::{Column, Table};

/// The rows of a table as JSON objects with a comma between each two, so that bodies can be put together from parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The JSON of all rows.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the JSON of the given rows stands, commas between them included.
    ///
    /// # Panics
    /// When a row is not below [`Rows::len`].
    #[must_use]
    pub fn span(&self, rows: std::ops::Range<usize>) -> std::ops::Range<usize> {
        if rows.is_empty() {
            return 0..0;
        }
        let start = if rows.start == 0 { 0 } else { self.ends[rows.start - 1] + 1 };
        start..self.ends[rows.end - 1]
    }

    /// Takes the JSON out; the places of the rows stay.
    #[must_use]
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// The rows of `table` as they stand in a body. Missing numbers are `null`, absent columns are left out.
#[must_use]
pub fn write_rows(table: &Table) -> Rows {
    let specs = table.spec().columns;
    let present: Vec<_> =
        specs.iter().zip(table.columns()).filter_map(|(about, column)| Some((about, column.as_ref()?))).collect();
    let mut rows = Rows { bytes: Vec::new(), ends: Vec::with_capacity(table.rows()) };
    let out = &mut rows.bytes;
    for row in 0..table.rows() {
        if row > 0 {
            out.push(b',');
        }
        out.push(b'{');
        for (place, (about, column)) in present.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_json(out, about.name);
            out.push(b':');
            write_cell(out, column, row, about.kind);
        }
        out.push(b'}');
        rows.ends.push(out.len());
    }
    rows
}

/// The JSON body of `batch`. Missing numbers are `null`, absent columns are left out.
#[must_use]
pub fn write_body(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, table) in [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows].into_iter().enumerate()
    {
        out.push(if index == 0 { b'{' } else { b',' });
        write_json(&mut out, table.spec().name);
        out.extend_from_slice(b":[");
        out.extend_from_slice(write_rows(table).bytes());
        out.push(b']');
    }
    out.push(b'}');
    out
}

fn write_cell(out: &mut Vec<u8>, column: &Column, row: usize, kind: ColumnType) {
    match column {
        Column::Numbers(values) => write_number(out, values[row], kind),
        Column::Texts(values) => write_json(out, values.get(row)),
        Column::TextLists(lists) => write_list(out, lists.get(row), write_json),
        Column::NumberLists(lists) => {
            write_list(out, lists.get(row).iter(), |out, value| write_number(out, *value, ColumnType::F64));
        }
    }
}

fn write_list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn write_number(out: &mut Vec<u8>, value: f64, kind: ColumnType) {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
    let whole = || (value.trunc().to_bits() == value.to_bits() && value.abs() < 9e15).then_some(value as i64);
    let negative_zero = value.to_bits() == (-0.0_f64).to_bits();
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    match (kind, whole()) {
        (ColumnType::Date, Some(days)) => match i32::try_from(days).ok().and_then(date_of_days) {
            Some(date) => write_json(out, date.as_str()),
            None => out.extend_from_slice(b"null"),
        },
        (ColumnType::Bool, Some(flag)) => write_json(out, flag != 0),
        (_, Some(whole)) if !negative_zero => out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes()),
        _ => write_json(out, value),
    }
}

fn write_json<T: Serialize>(out: &mut Vec<u8>, value: T) {
    serde_json::to_writer(out, &value).expect("texts, numbers and flags are written to memory without failing");
}
