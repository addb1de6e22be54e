//! The rules that cells and tables keep, whether they come as JSON, Parquet, Arrow or CSV, or are about to be written.
//!
//! A reader turns stored forms into doubles and texts (see [`cells`](crate::table::cells)); from there on these rules
//! are the only ones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::table::cells::day_text;
use crate::table::column::{Column, TextColumn};
use crate::table::flaw::{CellProblem, ColumnProblem, Flaw};
use crate::table::instant::doubt;
use crate::table::keyed_hash::Keyed;
use crate::table::spec::{ColumnSpec, ColumnType, severity_rank};
use crate::table::{Table, excerpt};

/// What a number breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberBreach {
    /// The column needs one in every row.
    Missing,
    /// Infinite.
    NotFinite,
    /// Below the column's range.
    TooSmall,
    /// Above the column's range.
    TooLarge,
    /// A fraction where whole numbers are wanted.
    NotWhole,
}

/// What a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextBreach {
    /// The column needs one in every row.
    Missing,
    /// Not one of the severities.
    UnknownSeverity,
    /// U+0000, which databases and other languages take for the end of a text.
    Nul {
        /// The byte at which it stands.
        at: usize,
    },
}

/// Whether a column of numbers may hold `value`; NaN is "missing".
///
/// # Errors
/// The rule that it breaks.
#[inline]
pub fn number(value: f64, about: &ColumnSpec) -> Result<(), NumberBreach> {
    if value.is_nan() {
        return if about.required { Err(NumberBreach::Missing) } else { Ok(()) };
    }
    if value.is_infinite() {
        return Err(NumberBreach::NotFinite);
    }
    if value < about.min {
        return Err(NumberBreach::TooSmall);
    }
    if value > about.max {
        return Err(NumberBreach::TooLarge);
    }
    let whole = !matches!(about.kind, ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal);
    if whole && !is_whole(value) { Err(NumberBreach::NotWhole) } else { Ok(()) }
}

/// Whether a finite number has no fraction.
#[inline]
fn is_whole(value: f64) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "what is cut off is what is asked for")]
    let cut = value as i64 as f64;
    // From 2^52 on all doubles are whole; negative zero is.
    value.abs() >= 4_503_599_627_370_496.0 || cut.to_bits() == (value + 0.0).to_bits()
}

/// Whether a list of numbers may hold `value`; NaN is "missing".
///
/// # Errors
/// The rule that it breaks.
#[inline]
pub fn number_item(value: f64) -> Result<(), NumberBreach> {
    if value.is_infinite() { Err(NumberBreach::NotFinite) } else { Ok(()) }
}

/// Whether a column of texts may hold `text`; an empty one is "missing".
///
/// # Errors
/// The rule that it breaks.
pub fn text(text: &str, about: &ColumnSpec) -> Result<(), TextBreach> {
    text_item(text)?;
    if text.is_empty() {
        return if about.required { Err(TextBreach::Missing) } else { Ok(()) };
    }
    if about.kind == ColumnType::Severity && severity_rank(text).is_none() {
        return Err(TextBreach::UnknownSeverity);
    }
    Ok(())
}

/// Whether a list of texts may hold `text`.
///
/// # Errors
/// The rule that it breaks.
pub fn text_item(text: &str) -> Result<(), TextBreach> {
    memchr::memchr(0, text.as_bytes()).map_or(Ok(()), |at| Err(TextBreach::Nul { at }))
}

/// A key that an earlier row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated<'a> {
    /// The row.
    pub row: usize,
    /// The row in which it stood first.
    pub first: usize,
    /// The key.
    pub key: &'a str,
}

/// The rows whose key an earlier row has, in order.
pub fn repeated(keys: &TextColumn) -> impl Iterator<Item = Repeated<'_>> {
    let mut seen = HashMap::with_capacity_and_hasher(keys.len(), Keyed::default());
    keys.iter().enumerate().filter_map(move |(row, key)| match seen.entry(key) {
        Entry::Occupied(first) => Some(Repeated { row, first: *first.get(), key }),
        Entry::Vacant(place) => {
            place.insert(row);
            None
        }
    })
}

/// A flaw and the column that has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flawed {
    /// Name of the column.
    pub column: &'static str,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// Checks required columns, cells, lengths of texts and keys. A table without rows keeps every rule.
///
/// # Errors
/// The first rule that is broken, columns in the order of the format.
pub fn check(table: &Table, longest_text: usize) -> Result<(), Flawed> {
    problems(table, longest_text, 1).pop().map_or(Ok(()), Err)
}

/// The rules that [`check`] checks and `table` breaks, at most `most` of them.
#[must_use]
pub fn problems(table: &Table, longest_text: usize, most: usize) -> Vec<Flawed> {
    if table.rows() == 0 {
        return Vec::new();
    }
    let columns = table.spec().columns.iter().zip(table.columns()).flat_map(|(about, column)| {
        of_column(column.as_ref(), about, longest_text).map(|flaw| Flawed { column: about.name, flaw })
    });
    let keys = table.spec().key.and_then(|key| Some((key, table.texts(key)?)));
    let twice = keys.into_iter().flat_map(|(column, keys)| {
        // A missing key is told once, as missing.
        repeated(keys).filter(|repeated| !repeated.key.is_empty()).map(move |Repeated { row, first, key }| Flawed {
            column,
            flaw: Flaw::Cell(row, CellProblem::Duplicate { value: excerpt(key), first }),
        })
    });
    columns.chain(twice).take(most).collect()
}

/// What is wrong with a column of a table that has rows, and with its cells.
pub fn of_column<'a>(
    column: Option<&'a Column>,
    about: &'static ColumnSpec,
    longest_text: usize,
) -> Box<dyn Iterator<Item = Flaw> + 'a> {
    match column {
        None if about.required => Box::new(std::iter::once(Flaw::Column(ColumnProblem::Missing))),
        None => Box::new(std::iter::empty()),
        Some(column) => breaches(column, about, longest_text),
    }
}

/// The cells of times that cannot be meant on `day` (days since 1970-01-01; else the first day that the table states), at
/// most `most` of them.
#[must_use]
pub fn stray_times(table: &Table, day: Option<f64>, most: usize) -> Vec<Flawed> {
    let stated = || table.numbers("processing_date")?.iter().copied().find(|day| !day.is_nan());
    let day = day.or_else(stated);
    let times =
        table.spec().columns.iter().zip(table.columns()).filter(|(about, _)| about.kind == ColumnType::TimestampMs);
    let cells = times.filter_map(|(about, column)| match column {
        Some(Column::Numbers(values)) => Some((about.name, values)),
        _ => None,
    });
    let strays =
        cells.flat_map(|(column, values)| stray_times_of(values, day).map(move |flaw| Flawed { column, flaw }));
    strays.take(most).collect()
}

/// Those of a column of times that cannot be meant on `day` (days since 1970-01-01), where that is known.
pub fn stray_times_of(values: &[f64], day: Option<f64>) -> impl Iterator<Item = Flaw> {
    values.iter().enumerate().filter_map(move |(row, &value)| {
        let unit = doubt(value, day)?.unit;
        Some(Flaw::Cell(row, CellProblem::FarAway { value, from: day.map(day_text), unit }))
    })
}

fn breaches<'a>(column: &'a Column, about: &'static ColumnSpec, longest: usize) -> Box<dyn Iterator<Item = Flaw> + 'a> {
    let of_text = move |value: &str, rule: Result<(), TextBreach>| {
        length(value, longest).and_then(|()| rule.map_err(|breach| text_problem(breach, value)))
    };
    match column {
        Column::Numbers(values) => Box::new(values.iter().enumerate().filter_map(|(row, &value)| {
            number(value, about).err().map(|breach| Flaw::Cell(row, number_problem(breach, value, about)))
        })),
        Column::Texts(texts) => Box::new(texts.iter().enumerate().filter_map(move |(row, value)| {
            of_text(value, text(value, about)).err().map(|problem| Flaw::Cell(row, problem))
        })),
        Column::NumberLists(lists) => Box::new((0..lists.len()).filter_map(move |row| {
            let items = lists.get(row).iter();
            let mut bad = items.filter_map(|&item| number_item(item).err().map(|breach| (breach, item)));
            bad.next().map(|(breach, item)| Flaw::Cell(row, number_problem(breach, item, about)))
        })),
        Column::TextLists(lists) => Box::new((0..lists.len()).filter_map(move |row| {
            let mut bad = lists.get(row).filter_map(|item| of_text(item, text_item(item)).err());
            bad.next().map(|problem| Flaw::Cell(row, problem))
        })),
    }
}

fn length(text: &str, limit: usize) -> Result<(), CellProblem> {
    if text.len() > limit { Err(CellProblem::TooLong { bytes: text.len(), limit }) } else { Ok(()) }
}

fn number_problem(breach: NumberBreach, value: f64, about: &ColumnSpec) -> CellProblem {
    match breach {
        NumberBreach::Missing => CellProblem::Missing,
        NumberBreach::NotFinite => CellProblem::NotFinite(value),
        NumberBreach::TooSmall | NumberBreach::TooLarge => CellProblem::Range { value, min: about.min, max: about.max },
        NumberBreach::NotWhole => CellProblem::NotWhole(value),
    }
}

fn text_problem(breach: TextBreach, text: &str) -> CellProblem {
    match breach {
        TextBreach::Missing => CellProblem::Missing,
        TextBreach::UnknownSeverity => CellProblem::Severity(excerpt(text)),
        TextBreach::Nul { at } => CellProblem::Nul { at },
    }
}
