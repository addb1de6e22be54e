//! How finely a column is written: to so many decimals or digits, or in single precision.
//!
//! A value that is written more finely than its neighbours gives away that somebody calculated with it, and so does one that
//! is written more coarsely. So new values are rounded as the column's own are, by their order of magnitude: a column to the
//! cent has two decimals at every magnitude, one of nine digits has fewer decimals the larger its values are. Where a column
//! mixes amounts to the cent with means of them, a value stays of its kind.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use aml_miner::wire::Batch;
use serde::{Deserialize, Serialize};

use super::slice::numeric_columns;

/// More decimals than this are no rounding: a double has no more.
const MOST_DECIMALS: u8 = 15;
/// One in so many ends in a zero by chance, and looks coarser than it is.
const BY_CHANCE: f64 = 0.1;

/// How finely one column is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fineness {
    /// Whether all its values are of single precision.
    single: bool,
    /// How many values have how many decimals, by order of magnitude.
    decimals: BTreeMap<i32, BTreeMap<u8, u32>>,
}

impl Fineness {
    /// That of a column with these values; what is not finite says nothing.
    pub(super) fn of(values: &[f64]) -> Self {
        let mut own = Self { single: true, ..Self::default() };
        for &value in values.iter().filter(|value| value.is_finite()) {
            own.single &= single(value).to_bits() == value.to_bits();
            *own.decimals.entry(magnitude(value)).or_default().entry(decimals(value)).or_default() += 1;
        }
        own
    }

    /// `new` in place of `old`, as this column would have it.
    pub(super) fn written(&self, old: f64, new: f64) -> f64 {
        let Some(kinds) = self.decimals.get(&magnitude(old)).filter(|_| new.is_finite()) else { return new };
        let kind = kind_of(kinds, decimals(old));
        let finest = kinds.keys().next_back().copied();
        // The finest kind has fewer decimals where values are larger.
        let there = self.decimals.get(&magnitude(new)).and_then(|kinds| kinds.keys().next_back().copied());
        let decimals = if Some(kind) == finest { there.unwrap_or(kind) } else { kind };
        if decimals > MOST_DECIMALS {
            return if self.single { single(new) } else { new };
        }
        let grain = 10_f64.powi(decimals.into());
        let rounded = (new * grain).round() / grain;
        if rounded.is_finite() { rounded } else { new }
    }
}

/// The decimals that values with `decimals` of them were rounded to: the finest of which they are more than by chance.
fn kind_of(kinds: &BTreeMap<u8, u32>, decimals: u8) -> u8 {
    let mut kind = decimals;
    for (&own, &count) in kinds.range(decimals..) {
        let finer = kinds.range(own..).skip(1);
        let by_chance: f64 = finer.map(|(finer, count)| f64::from(*count) * BY_CHANCE.powi((finer - own).into())).sum();
        kind = own;
        if f64::from(count) > 2.0 * by_chance + 1.0 {
            break;
        }
    }
    kind
}

/// Every numeric column of a batch, by `table.column`.
pub(super) fn of_batch(batch: &Batch) -> BTreeMap<String, Fineness> {
    numeric_columns(batch).map(|(name, values)| (name, Fineness::of(values))).collect()
}

/// `new` written as finely as `old` alone is: with as many decimals, up to six, or in single precision. For pools of
/// programs that did not look at the column.
pub(super) fn like(old: f64, new: f64) -> f64 {
    for decimals in 0..=6 {
        let grain = 10_f64.powi(decimals);
        let rounded = (old * grain).round() / grain;
        if rounded.to_bits() == old.to_bits() {
            return (new * grain).round() / grain;
        }
    }
    if single(old).to_bits() == old.to_bits() { single(new) } else { new }
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is what is asked about")]
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// Up to so many decimals are tried before a value is written out.
const TRIED: [f64; 8] = [1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
/// Below it a product with a power of ten is off by less than half, so that rounding finds the whole number.
const EXACT: f64 = 1e15;

/// Decimals of the shortest text that is read back as the value.
///
/// A value with few decimals is the quotient of two whole numbers that a double holds exactly, and a quotient is rounded
/// like a text that is read. Most values of a batch are such; the others are written out.
fn decimals(value: f64) -> u8 {
    if value.fract() == 0.0 {
        return 0;
    }
    let is_quotient = |grain: f64| {
        let whole = (value * grain).round();
        whole.abs() < EXACT && (whole / grain).to_bits() == value.to_bits()
    };
    match TRIED.iter().zip(1..).find(|(grain, _)| is_quotient(**grain)) {
        Some((_, decimals)) => decimals,
        None => written_decimals(value),
    }
}

/// Counts what is written after the point.
#[derive(Default)]
struct AfterPoint(Option<usize>);

impl Write for AfterPoint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match (&mut self.0, text.split_once('.')) {
            (Some(count), _) => *count += text.len(),
            (None, Some((_, decimals))) => self.0 = Some(decimals.len()),
            (None, None) => {}
        }
        Ok(())
    }
}

fn written_decimals(value: f64) -> u8 {
    let mut after = AfterPoint::default();
    let _ = write!(after, "{value}");
    u8::try_from(after.0.unwrap_or(0)).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "between -324 and 308")]
fn magnitude(value: f64) -> i32 {
    if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fineness, decimals, like};

    fn as_text(value: f64) -> usize {
        value.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
    }

    proptest! {
        #[test]
        fn decimals_are_those_of_the_shortest_text(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(usize::from(decimals(value)), as_text(value).min(255));
        }

        #[test]
        fn decimals_of_rounded_values_are_found(whole in -(1_i64 << 52)..(1_i64 << 52), places in 0_i32..18, ulps in -2_i64..3) {
            #[expect(clippy::cast_precision_loss, reason = "any double will do")]
            let value = whole as f64 / 10_f64.powi(places);
            let beside = f64::from_bits(value.to_bits().wrapping_add_signed(ulps));
            for value in [value, beside, beside / 2_f64.powi(30)] {
                prop_assert_eq!(usize::from(decimals(value)), as_text(value).min(255), "{}", value);
            }
        }
    }

    #[track_caller]
    fn assert_written(column: &Fineness, old: f64, new: f64, expected: f64) {
        let written = column.written(old, new);
        assert!((written - expected).abs() < 1e-12, "{old} to {new}: {written}, not {expected}");
    }

    #[test]
    fn new_values_are_as_fine_as_the_column_at_their_magnitude() {
        let mut cents: Vec<f64> = (1..30).map(|cents| 11.0 + f64::from(cents) / 100.0).collect();
        cents.extend([12.25, 13.5, 1000.51, 7.11, 0.99, f64::NAN]);
        let cents = Fineness::of(&cents);
        // The one that ends in a zero by chance does so no more.
        let cases = [(1000.51, 1000.126, 1000.13), (12.25, 12.251, 12.25), (13.5, 13.777, 13.78), (0.99, 0.994, 0.99)];
        cases.into_iter().for_each(|(old, new, expected)| assert_written(&cents, old, new, expected));
        let digits = Fineness::of(&[0.012345678, 0.12345678, 1.2345678, 12.345678]);
        assert_written(&digits, 0.12345678, 0.9876543219, 0.98765432);
        // Fewer decimals where values are larger; of the last magnitude nothing is known.
        assert_written(&digits, 1.2345678, 12.34567891, 12.345679);
        assert_written(&digits, 12.345678, 123.45678901, 123.456789);
        let floats = Fineness::of(&[f64::from(0.1_f32), f64::from(12.7_f32)]);
        assert_eq!(floats.written(f64::from(0.1_f32), 0.123456789).to_bits(), f64::from(0.123_456_79_f32).to_bits());
        let full = Fineness::of(&[1.0 / 3.0, 0.1]);
        assert_eq!(full.written(1.0 / 3.0, 2.0 / 7.0).to_bits(), (2.0_f64 / 7.0).to_bits());
    }

    #[test]
    fn a_value_stays_of_its_kind() {
        let mut values: Vec<f64> = (0..50).map(|cents| 10.0 + f64::from(cents) / 97.0).collect();
        values.extend((0..50).map(|cents| 10.0 + f64::from(cents) / 100.0));
        let mixed = Fineness::of(&values);
        assert_written(&mixed, 10.25, 10.33333, 10.33);
        assert_eq!(mixed.written(10.0 + 1.0 / 97.0, 10.1234567890123).to_bits(), 10.1234567890123_f64.to_bits());
        let whole = Fineness::of(&[100.0, 200.0, 300.0, 250.5]);
        assert_written(&whole, 200.0, 203.37, 203.0);
        assert!((like(0.5, 0.77) - 0.8).abs() < 1e-12);
    }
}
