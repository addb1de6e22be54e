//! Values of a re-issued row: near the original, of its kind, and in agreement with each other.
//!
//! Amounts of one trap are all multiplied by one factor, so that what adds up still does. Times move with the batch.
//! Flags, hours, whole numbers in columns of fractions, and small counts, which other rows spell out, stay.

use aml_miner::wire::spec::{ColumnSpec, ColumnType};
use aml_miner::wire::{Column, Table};

use super::draw::Draw;
use super::fineness::{Fineness, like};
use crate::calendar::DAY_MS;

/// Amounts change by up to this share.
const AMOUNTS: f64 = 0.05;
/// Other measurements change by up to this share.
const MEASURES: f64 = 0.02;
/// Counts up to this stay: money flows, for one, can be counted.
const SMALL_COUNT: f64 = 64.0;
/// Times move by up to ten minutes, all of one trap alike.
const TIMES_MS: f64 = 600_000.0;
/// Measured in USD though stored as plain numbers, and to which power.
const IN_USD: [(&str, i32); 2] = [("volume_std", 1), ("amount_variance", 2)];
/// Counts of which the lists of activity are the parts.
const COUNTED: [&str; 4] = ["tx_in_count", "tx_out_count", "tx_total_count", "tx_count"];
/// `total = part + sign * other`, kept where the original keeps it.
const SUMS: [(&str, &str, f64, &str); 3] = [
    ("degree_total", "degree_in", 1.0, "degree_out"),
    ("total_volume_usd", "total_in_usd", 1.0, "total_out_usd"),
    ("net_flow_usd", "total_in_usd", -1.0, "total_out_usd"),
];

/// How the values of one trap change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// What amounts are multiplied by.
    pub(super) factor: f64,
    /// By how many milliseconds times move.
    pub(super) milliseconds: i64,
}

impl Change {
    /// A random one for a batch that is `days` later.
    pub(super) fn random(days: i32, draw: &mut Draw) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
        let offset = draw.around_zero(TIMES_MS) as i64;
        Self { factor: 1.0 + draw.around_zero(AMOUNTS), milliseconds: i64::from(days) * DAY_MS + offset }
    }
}

/// What is known of a column from the whole of its settled batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    /// Its smallest and its largest value.
    pub(super) range: Option<(f64, f64)>,
    /// How finely it is written.
    pub(super) fineness: Option<&'a Fineness>,
}

impl Known<'_> {
    /// `new` in place of `old`, as the column writes it.
    pub(super) fn written(&self, old: f64, new: f64) -> f64 {
        self.fineness.map_or_else(|| like(old, new), |fineness| fineness.written(old, new))
    }
}

/// Changes the numbers of `table`, row `i` by `changes[i]`; `known` tells of a column, and `days` by how much later the new
/// batch is.
pub(super) fn change<'a>(
    table: &mut Table,
    changes: &[Change],
    days: i32,
    known: impl Fn(&str) -> Known<'a>,
    draw: &mut Draw,
) {
    let before = table.clone();
    for (index, about) in table.spec().columns.iter().enumerate() {
        let Some(Column::Numbers(values)) = before.column(index) else { continue };
        let known = known(about.name);
        let (low, high) = known.range.unwrap_or((about.min, about.max));
        let span = match about.kind {
            ColumnType::TimestampMs => Span { low, high }.later(days),
            _ => Span { low, high },
        };
        let new = values.iter().zip(changes).map(|(&value, change)| {
            // Drawn for every cell, so that one value does not shift the others'.
            let noise = draw.around_zero(1.0);
            if value.is_nan() { value } else { within(about, value, Changed { change, noise, span, known }) }
        });
        let new = new.collect();
        table.set_column(index, Some(Column::Numbers(new)));
    }
    keep_sums(&before, table, known);
}

/// Between what values a column lies.
#[derive(Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    fn later(self, days: i32) -> Self {
        let by = f64::from(days) * DAY_MS as f64;
        Self { low: self.low + by, high: self.high + by }
    }
}

/// How one value changes.
struct Changed<'a> {
    change: &'a Change,
    /// Between -1 and 1.
    noise: f64,
    span: Span,
    known: Known<'a>,
}

fn within(
    about: &ColumnSpec,
    value: f64,
    Changed { change, noise, span: Span { low, high }, known }: Changed<'_>,
) -> f64 {
    let power = IN_USD.iter().find(|(name, _)| *name == about.name).map(|(_, power)| *power);
    let at_an_end = value <= low || value >= high;
    let new = match about.kind {
        ColumnType::TimestampMs => return (value + change.milliseconds as f64).clamp(low, high.max(low)),
        _ if at_an_end => value,
        ColumnType::Decimal => known.written(value, value * change.factor),
        ColumnType::U16 | ColumnType::U32 | ColumnType::U64
            if value > SMALL_COUNT && !COUNTED.contains(&about.name) =>
        {
            (value * (1.0 + MEASURES * noise)).round()
        }
        ColumnType::F32 | ColumnType::F64 if value.fract() != 0.0 => match power {
            Some(power) => known.written(value, value * change.factor.powi(power)),
            None => known.written(value, value * (1.0 + MEASURES * noise)),
        },
        _ => value,
    };
    new.clamp(low, high).clamp(about.min, about.max)
}

fn keep_sums<'a>(before: &Table, after: &mut Table, known: impl Fn(&str) -> Known<'a>) {
    for (total, part, sign, other) in SUMS {
        let of = |table: &Table, name: &str| table.numbers(name).map(<[f64]>::to_vec);
        let old = (of(before, total), of(before, part), of(before, other));
        let (Some(old_total), Some(old_part), Some(old_other)) = old else { continue };
        let new = (of(after, total), of(after, part), of(after, other));
        let (Some(mut new_total), Some(new_part), Some(new_other)) = new else { continue };
        for row in 0..old_total.len() {
            let sum = old_part[row] + sign * old_other[row];
            let slack = 1e-9 * old_part[row].abs().max(old_other[row].abs()).max(1.0);
            if (sum - old_total[row]).abs() <= slack {
                new_total[row] = known(total).written(old_total[row], new_part[row] + sign * new_other[row]);
            }
        }
        if let Some(index) = after.spec().position(total) {
            after.set_column(index, Some(Column::Numbers(new_total)));
        }
    }
}
