//! Columns bound to the tables of one batch, and the filling of a matrix from them.
//!
//! Every cell depends on its own row only, so blocks of rows are filled side by side by the caller's rayon pool and
//! the result does not depend on the number of threads.

use rayon::prelude::*;

use super::op::Op;
use crate::features::expressions::{Aggregate, Counterparties, MAX_INPUTS};
use crate::features::view::{AlertsView, JoinedRows};
use crate::features::vocabulary::{Matrix, NONE, Part, Rows, count};
use crate::history::Known;
use crate::wire::spec::severity_rank;
use crate::wire::{Column, NumberLists, TextColumn, TextLists};

/// Rows that one task fills: large enough to hide the cost of a task, small enough for a core's cache.
const BLOCK: usize = 256;
/// Addresses whose counterparties one task looks at.
const ADDRESSES: usize = 64;

/// The rows of a matrix: alerts, or rows of another table.
#[derive(Clone, Copy)]
pub(crate) enum RowsOf<'a> {
    /// One row per alert.
    Alerts(&'a AlertsView<'a>),
    /// One row per cluster or address.
    Others(&'a JoinedRows<'a>),
}

impl<'a> RowsOf<'a> {
    fn joined(self) -> &'a JoinedRows<'a> {
        match self {
            Self::Alerts(alerts) => alerts.joined(),
            Self::Others(rows) => rows,
        }
    }
}

/// A column of the matrix, ready to be read row by row.
pub(crate) enum Bound<'a> {
    /// Missing in every row.
    Missing,
    /// A column of the table that the rows come from.
    Same(&'a [f64]),
    /// A column of another table.
    Joined(&'a [f64], &'a [u32]),
    /// Anything else.
    Each(Box<dyn Fn(usize) -> f64 + Send + Sync + 'a>),
}

impl<'a> Bound<'a> {
    /// Binds `op` to the tables of `rows`.
    pub(crate) fn new(op: &'a Op, rows: RowsOf<'a>) -> Self {
        let view = rows.joined();
        match op {
            Op::Number(part, column) => numbers(*part, *column, view),
            Op::Severity(part, column) => {
                text(*part, *column, view, |text| severity_rank(text).map_or(f64::NAN, |rank| SEVERITY_CODES[rank]))
            }
            Op::HasText(part, column) => text(*part, *column, view, |text| f64::from(u8::from(!text.is_empty()))),
            Op::OneHot { part, column, value, empty } => {
                text(
                    *part,
                    *column,
                    view,
                    move |text| {
                        if text.is_empty() { *empty } else { f64::from(u8::from(text == &**value)) }
                    },
                )
            }
            Op::Lists { part, column, value } => list(*part, *column, view, move |lists, row| {
                f64::from(u8::from(lists.get(row).any(|item| item == &**value)))
            }),
            Op::Count(part, column) => list(*part, *column, view, |lists, row| count(lists.count(row))),
            Op::OfList(part, column, figure) => number_list(*part, *column, view, *figure),
            Op::Of(inputs, function) => Self::of(inputs, *function, rows),
            Op::InCluster => in_cluster(view),
            Op::Flow(_, figure) => match &view.flows {
                Some(flows) => Self::Each(Box::new(move |row| flows.of(row).map_or(f64::NAN, figure))),
                None => Self::Missing,
            },
            Op::Past(volume, figure) => Self::past(*volume, *figure, view),
            Op::Over(side, aggregate, inner) => Self::over(*side, *aggregate, inner, view),
            Op::Relative(comparison) => view.spreads.values(*comparison).map_or(Self::Missing, Self::Each),
            Op::Custom(custom) => match rows {
                RowsOf::Alerts(alerts) => Self::Each(custom.bind(alerts)),
                RowsOf::Others(_) => Self::Missing,
            },
        }
    }

    /// The value of row `row`.
    pub(crate) fn value(&self, row: usize) -> f64 {
        match self {
            Self::Missing => f64::NAN,
            Self::Same(values) => values[row],
            Self::Joined(values, rows) => values.get(rows[row] as usize).copied().unwrap_or(f64::NAN),
            Self::Each(value) => value(row),
        }
    }

    fn of(inputs: &'a [Op], function: fn(&[f64]) -> f64, rows: RowsOf<'a>) -> Self {
        let inputs: Vec<_> = inputs.iter().take(MAX_INPUTS).map(|input| Bound::new(input, rows)).collect();
        Self::Each(Box::new(move |row| {
            let mut values = [f64::NAN; MAX_INPUTS];
            for (value, input) in values.iter_mut().zip(&inputs) {
                *value = input.value(row);
            }
            function(&values[..inputs.len()])
        }))
    }

    /// A figure over the counterparties of the row's address, made once for each address however many rows it has; values are
    /// put in ascending order first.
    fn over(side: Counterparties, aggregate: Aggregate, inner: &'a Op, view: &'a JoinedRows<'a>) -> Self {
        let Some(dealings) = &view.dealings else { return Self::Missing };
        let inner = Bound::new(inner, RowsOf::Others(&dealings.features));
        let figure = |address: usize| {
            let values = dealings.of(side, address).iter().map(|&other| inner.value(other as usize));
            let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            values.sort_unstable_by(f64::total_cmp);
            aggregate.of(&values)
        };
        let figures: Vec<f64> = (0..dealings.addresses()).into_par_iter().with_min_len(ADDRESSES).map(figure).collect();
        let none = aggregate.of(&[]);
        Self::Each(Box::new(move |row| dealings.address(row).map_or(none, |address| figures[address])))
    }

    /// A figure of what earlier days say of the row's address.
    fn past(volume: usize, figure: fn(&Known<'_>, f64) -> f64, view: &'a JoinedRows<'a>) -> Self {
        let Some(pasts) = &view.pasts else { return Self::Missing };
        let volume = numbers(Part::Addresses, volume, view);
        Self::Each(Box::new(move |row| pasts[row].map_or(f64::NAN, |known| figure(&known, volume.value(row)))))
    }

    /// Writes the rows from `first` on to every `width`-th place of `cells`.
    fn fill(&self, first: usize, cells: &mut [f64], width: usize) {
        let cells = cells.iter_mut().step_by(width);
        match self {
            Self::Missing => {}
            Self::Same(values) => cells.zip(&values[first..]).for_each(|(cell, value)| *cell = *value),
            Self::Joined(values, rows) => {
                for (cell, &row) in cells.zip(&rows[first..]) {
                    if let Some(value) = values.get(row as usize) {
                        *cell = *value;
                    }
                }
            }
            Self::Each(value) => cells.enumerate().for_each(|(row, cell)| *cell = value(first + row)),
        }
    }
}

/// Each of `ops` bound to the tables of `rows`; `None` once `wanted` says no, which it is asked before each.
pub(crate) fn bound<'a>(ops: &'a [Op], rows: RowsOf<'a>, wanted: &dyn Fn() -> bool) -> Option<Vec<Bound<'a>>> {
    ops.iter().map(|op| wanted().then(|| Bound::new(op, rows))).collect()
}

/// The codes of [`crate::wire::spec::SEVERITIES`].
const SEVERITY_CODES: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

/// A matrix of `rows` rows with a column for each of `columns`.
pub(crate) fn fill(columns: &[Bound<'_>], rows: usize) -> Matrix {
    let width = columns.len();
    let mut matrix = Matrix::missing(rows, width);
    if matrix.values().is_empty() {
        return matrix;
    }
    let block = |(number, cells): (usize, &mut [f64])| {
        for (position, column) in columns.iter().enumerate() {
            column.fill(number * BLOCK, &mut cells[position..], width);
        }
    };
    if rows > BLOCK && width > 0 {
        matrix.values_mut().par_chunks_mut(BLOCK * width).enumerate().for_each(block);
    } else {
        block((0, matrix.values_mut()));
    }
    matrix
}

fn numbers<'a>(part: Part, column: usize, view: &'a JoinedRows<'a>) -> Bound<'a> {
    let Some(Column::Numbers(values)) = part.of(view.batch).column(column) else {
        return Bound::Missing;
    };
    match view.rows_in(part) {
        Rows::Apart => Bound::Missing,
        Rows::Same => Bound::Same(values),
        Rows::Joined(rows) => Bound::Joined(values, rows),
    }
}

fn text<'a>(
    part: Part,
    column: usize,
    view: &'a JoinedRows<'a>,
    value: impl Fn(&str) -> f64 + Send + Sync + 'a,
) -> Bound<'a> {
    let Some(Column::Texts(texts)) = part.of(view.batch).column(column) else {
        return Bound::Missing;
    };
    let texts: &TextColumn = texts;
    Bound::Each(Box::new(move |row| view.row_in(part, row).map_or(f64::NAN, |row| value(texts.get(row)))))
}

fn list<'a>(
    part: Part,
    column: usize,
    view: &'a JoinedRows<'a>,
    value: impl Fn(&TextLists, usize) -> f64 + Send + Sync + 'a,
) -> Bound<'a> {
    let Some(Column::TextLists(lists)) = part.of(view.batch).column(column) else {
        return Bound::Missing;
    };
    Bound::Each(Box::new(move |row| view.row_in(part, row).map_or(f64::NAN, |row| value(lists, row))))
}

fn number_list<'a>(part: Part, column: usize, view: &'a JoinedRows<'a>, figure: fn(&[f64]) -> f64) -> Bound<'a> {
    let Some(Column::NumberLists(lists)) = part.of(view.batch).column(column) else {
        return Bound::Missing;
    };
    let lists: &NumberLists = lists;
    Bound::Each(Box::new(move |row| view.row_in(part, row).map_or(f64::NAN, |row| figure(lists.get(row)))))
}

/// Membership is known when the clusters say whom they hold, or when there are none at all.
fn in_cluster<'a>(view: &'a JoinedRows<'a>) -> Bound<'a> {
    let clusters = &view.batch.clusters;
    match &view.cluster {
        Rows::Joined(rows) if clusters.rows() == 0 || clusters.text_lists("related_alert_ids").is_some() => {
            Bound::Each(Box::new(move |row| f64::from(u8::from(rows[row] != NONE))))
        }
        _ => Bound::Missing,
    }
}
