//! A whole table to the bytes of an Arrow IPC stream: what [`read_stream`](super::read_stream) reads back to the same bits.
//!
//! The same bytes for the same table. A column of numbers is stored in the narrowest form that holds every one of its
//! values exactly: flags, days, integers, decimals, else doubles. A table that is sent far is packed afterwards, and bytes
//! that are always zero cost nothing then. What is missing is null, absent columns are left out.

use polars_arrow_format::ipc::{Bool, Date, DateUnit, Decimal, Field, FloatingPoint, Int, List, Precision, Type, Utf8};

use super::write::{Body, Part, stream_of};
use crate::table::cells::same;
use crate::table::spec::ColumnType;
use crate::table::{Column, NumberLists, Table, TextColumn, TextLists};

/// Whole numbers up to here are doubles without a gap.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Powers of ten that a decimal may be divided by; all of them are doubles.
const TENS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Digits and bytes of a decimal: the one width that every reader of Arrow knows.
const DECIMAL: (i32, usize) = (38, 16);

/// The stream of `table`.
#[must_use]
pub fn write_table(table: &Table) -> Vec<u8> {
    let columns = table.spec().columns.iter().zip(table.columns());
    let parts = columns.filter_map(|(about, column)| Some(column_part(about.name, about.kind, column.as_ref()?)));
    stream_of(parts.collect(), table.rows())
}

fn column_part(name: &str, kind: ColumnType, column: &Column) -> Part {
    match column {
        Column::Numbers(values) => numbers(name, kind, values),
        Column::Texts(values) => texts(name, values),
        Column::TextLists(lists) => text_lists(name, lists),
        Column::NumberLists(lists) => number_lists(name, lists),
    }
}

/// How every value of a column of numbers can be stored.
enum Exact {
    Flags,
    Days,
    /// Bytes, and whether there is a sign.
    Whole(usize, bool),
    /// Digits behind the point.
    Decimal(usize),
    Doubles,
}

impl Exact {
    fn of(kind: ColumnType, values: &[f64]) -> Self {
        let known = || values.iter().copied().filter(|value| value.is_finite());
        if !known().all(is_whole) {
            let scale = (1..TENS.len()).find(|&scale| known().all(|value| scaled(value, scale).is_some()));
            return scale.map_or(Self::Doubles, Self::Decimal);
        }
        let (low, high) = known().fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        match kind {
            ColumnType::Bool if low >= 0.0 && high <= 1.0 => Self::Flags,
            ColumnType::Date if low >= f64::from(i32::MIN) && high <= f64::from(i32::MAX) => Self::Days,
            ColumnType::Date => Self::Doubles,
            _ if low >= 0.0 => Self::Whole(bytes_below(high, 0), false),
            _ => Self::Whole(bytes_below(high.max(-1.0 - low), 1), true),
        }
    }

    fn kind(&self) -> Type {
        match *self {
            Self::Flags => Type::Bool(Box::new(Bool {})),
            Self::Days => Type::Date(Box::new(Date { unit: DateUnit::Day })),
            Self::Whole(bytes, is_signed) => {
                Type::Int(Box::new(Int { bit_width: i32::try_from(bytes * 8).unwrap_or(64), is_signed }))
            }
            Self::Decimal(scale) => {
                let scale = i32::try_from(scale).unwrap_or(0);
                Type::Decimal(Box::new(Decimal { precision: DECIMAL.0, scale, bit_width: 128 }))
            }
            Self::Doubles => Type::FloatingPoint(Box::new(FloatingPoint { precision: Precision::Double })),
        }
    }

    /// The bytes of these values; of missing ones zeros.
    fn bytes(&self, values: &[f64]) -> Vec<u8> {
        let known = |value: &f64| if value.is_finite() { *value } else { 0.0 };
        let all = values.iter().map(known);
        match *self {
            Self::Flags => bits(values.len(), |row| values.get(row).is_some_and(|value| known(value) > 0.5)),
            Self::Days => all.flat_map(|value| little::<4>(whole(value))).collect(),
            Self::Whole(1, _) => all.flat_map(|value| little::<1>(whole(value))).collect(),
            Self::Whole(2, _) => all.flat_map(|value| little::<2>(whole(value))).collect(),
            Self::Whole(4, _) => all.flat_map(|value| little::<4>(whole(value))).collect(),
            Self::Whole(..) => all.flat_map(|value| little::<8>(whole(value))).collect(),
            Self::Decimal(scale) => {
                let digits = |value: f64| i128::from(scaled(value, scale).unwrap_or(0)).to_le_bytes();
                all.flat_map(digits).collect()
            }
            Self::Doubles => all.flat_map(f64::to_le_bytes).collect(),
        }
    }
}

fn is_whole(value: f64) -> bool {
    value.abs() <= EXACT && same(whole(value) as f64, value)
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and what it makes is compared or within bounds")]
fn whole(value: f64) -> i64 {
    value as i64
}

/// `value` times a power of ten, where that is whole and divides back to the same bits.
fn scaled(value: f64, scale: usize) -> Option<i64> {
    let ten = TENS.get(scale)?;
    let digits = (value * ten).round();
    // Both are exact, so the division rounds once, as every reader of decimals has to.
    (digits.abs() <= EXACT && same(whole(digits) as f64 / ten, value)).then(|| whole(digits))
}

/// The bytes that hold `high` with so many bits to spare.
fn bytes_below(high: f64, spare: u32) -> usize {
    let fits = |bits: u32| high < 2_f64.powi((bits - spare).cast_signed());
    if fits(8) {
        1
    } else if fits(16) {
        2
    } else if fits(32) {
        4
    } else {
        8
    }
}

fn little<const BYTES: usize>(value: i64) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    out.iter_mut().zip(value.to_le_bytes()).for_each(|(to, byte)| *to = byte);
    out
}

fn numbers(name: &str, kind: ColumnType, values: &[f64]) -> Part {
    let exact = Exact::of(kind, values);
    let missing = values.iter().filter(|value| !value.is_finite()).count();
    let mut body = Body::default();
    body.node(values.len(), missing);
    body.buffer(if missing == 0 { Vec::new() } else { bits(values.len(), |row| values[row].is_finite()) });
    body.buffer(exact.bytes(values));
    Part { field: field(name, exact.kind(), Vec::new()), body }
}

fn texts(name: &str, values: &TextColumn) -> Part {
    let mut body = Body::default();
    text_body(&mut body, values.len(), values.iter());
    Part { field: field(name, Type::Utf8(Box::new(Utf8 {})), Vec::new()), body }
}

fn text_body<'a>(body: &mut Body, count: usize, texts: impl Iterator<Item = &'a str>) {
    let (mut ends, mut bytes) = (Ends::default(), Vec::new());
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
        ends.push(bytes.len());
    }
    body.node(count, 0);
    body.buffer(Vec::new());
    body.buffer(ends.0);
    body.buffer(bytes);
}

fn text_lists(name: &str, lists: &TextLists) -> Part {
    let (mut ends, mut count) = (Ends::default(), 0);
    for row in 0..lists.len() {
        count += lists.count(row);
        ends.push(count);
    }
    let mut body = Body::default();
    list_head(&mut body, lists.len(), ends);
    text_body(&mut body, count, (0..lists.len()).flat_map(|row| lists.get(row)));
    let item = field("item", Type::Utf8(Box::new(Utf8 {})), Vec::new());
    Part { field: field(name, Type::List(Box::new(List {})), vec![item]), body }
}

fn number_lists(name: &str, lists: &NumberLists) -> Part {
    let (mut ends, mut items) = (Ends::default(), Vec::new());
    for row in 0..lists.len() {
        items.extend_from_slice(lists.get(row));
        ends.push(items.len());
    }
    let mut body = Body::default();
    list_head(&mut body, lists.len(), ends);
    let Part { field: item, body: inner } = numbers("item", ColumnType::F64, &items);
    body.append(inner);
    Part { field: field(name, Type::List(Box::new(List {})), vec![item]), body }
}

fn list_head(body: &mut Body, rows: usize, ends: Ends) {
    body.node(rows, 0);
    body.buffer(Vec::new());
    body.buffer(ends.0);
}

/// Offsets of 4 bytes, from 0 on.
struct Ends(Vec<u8>);

impl Default for Ends {
    fn default() -> Self {
        Self(vec![0; 4])
    }
}

impl Ends {
    fn push(&mut self, end: usize) {
        let end = i32::try_from(end).expect("the texts of a column are below two gigabytes");
        self.0.extend_from_slice(&end.to_le_bytes());
    }
}

/// One bit a row, the first in the lowest place.
fn bits(rows: usize, set: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut bytes = vec![0_u8; rows.div_ceil(8)];
    for row in (0..rows).filter(|&row| set(row)) {
        bytes[row / 8] |= 1 << (row % 8);
    }
    bytes
}

fn field(name: &str, kind: Type, children: Vec<Field>) -> Field {
    Field {
        name: Some(name.to_owned()),
        nullable: true,
        type_: Some(kind),
        dictionary: None,
        children: Some(children),
        custom_metadata: None,
    }
}
