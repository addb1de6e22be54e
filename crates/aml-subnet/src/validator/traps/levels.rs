//! Columns that say more of the day than of the alert: what a whole neighbourhood moved depends on who was active in that
//! week, so that every value of one day is twice that of another. A re-issued alert takes the place among today's values
//! that it had among its own day's.

use std::collections::{BTreeMap, HashSet};

use aml_miner::wire::{Batch, Column, Table};
use serde::{Deserialize, Serialize};

use super::fineness::Fineness;

/// Such columns of the features.
const OF_THE_DAY: [&str; 2] = ["khop2_volume_usd", "khop3_volume_usd"];
/// Steps between the smallest and the largest value.
const STEPS: usize = 64;

/// Quantiles of these columns over the addresses of a batch's alerts, by column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Levels(BTreeMap<String, Vec<f64>>);

impl Levels {
    /// Those of a batch.
    pub(super) fn of(batch: &Batch) -> Self {
        let alerted: HashSet<&str> =
            batch.alerts.texts("address").into_iter().flat_map(|column| column.iter()).collect();
        let Some(addresses) = batch.features.texts("address") else { return Self::default() };
        let quantiles = |name: &&str| {
            let numbers = batch.features.numbers(name)?;
            let of_alerts = addresses.iter().zip(numbers).filter(|(address, _)| alerted.contains(address));
            let mut values: Vec<f64> = of_alerts.map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            let last = values.len().checked_sub(1)?;
            Some(((*name).to_owned(), (0..=STEPS).map(|step| values[last * step / STEPS]).collect()))
        };
        Self(OF_THE_DAY.iter().filter_map(quantiles).collect())
    }

    /// Whether nothing is known, as in pools of programs that did not look.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves the columns of re-issued features from these levels to today's.
    pub(super) fn lift<'a>(&self, features: &mut Table, today: &Self, fineness: impl Fn(&str) -> Option<&'a Fineness>) {
        for name in OF_THE_DAY {
            let Some((from, to)) = self.0.get(name).zip(today.0.get(name)) else { continue };
            let Some(index) = features.spec().position(name) else { continue };
            let Some(Column::Numbers(values)) = features.column(index) else { continue };
            let written = |old: f64, new: f64| fineness(name).map_or(new, |fineness| fineness.written(old, new));
            let values = values.iter().map(|&value| written(value, lifted(value, from, to))).collect();
            features.set_column(index, Some(Column::Numbers(values)));
        }
    }
}

/// The value that has the place among `to` that `value` has among `from`; what lies outside moves with the nearest end.
fn lifted(value: f64, from: &[f64], to: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (from.first(), from.last()) else { return value };
    let by = |of: f64, new: f64| if of == 0.0 { value } else { value * new / of };
    if value.is_nan() || to.len() != from.len() {
        return value;
    }
    if value <= *first {
        return by(*first, to[0]);
    }
    if value >= *last {
        return by(*last, to[to.len() - 1]);
    }
    let above = from.partition_point(|step| *step <= value);
    let (low, high) = (from[above - 1], from[above]);
    let share = (value - low) / (high - low);
    to[above - 1] + share * (to[above] - to[above - 1])
}

#[cfg(test)]
mod tests {
    use super::lifted;

    #[test]
    fn a_value_keeps_its_place() {
        let (from, to) = ([1.0, 2.0, 2.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
        let cases = [(1.0, 10.0), (1.5, 15.0), (3.0, 35.0), (4.0, 40.0), (8.0, 80.0), (0.5, 5.0)];
        for (value, expected) in cases {
            assert!((lifted(value, &from, &to) - expected).abs() < 1e-12, "{value}");
        }
        assert!(lifted(f64::NAN, &from, &to).is_nan());
        assert!((lifted(3.0, &from, &[1.0]) - 3.0).abs() < 1e-12, "of another form");
    }
}
