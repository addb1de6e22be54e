//! Single values: exact conversions between stored forms and the doubles and texts of a table.

use crate::table::date::{date_of_days, days_of_date};
use crate::table::excerpt;
use crate::table::flaw::CellProblem;

/// Integers up to here are all doubles.
const EXACT: u64 = 1 << 53;
/// Milliseconds of a day.
pub const DAY_MS: f64 = 86_400_000.0;
/// Powers of ten that are doubles exactly.
pub const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The double that equals `value`.
///
/// # Errors
/// When there is none.
pub fn from_i64(value: i64) -> Result<f64, CellProblem> {
    let double = value as f64;
    // Printing a double is exact.
    if value.unsigned_abs() <= EXACT || format!("{double:.0}") == value.to_string() {
        return Ok(double);
    }
    Err(CellProblem::NotExact(value.to_string()))
}

/// The double that equals `value`.
///
/// # Errors
/// When there is none.
pub fn from_u64(value: u64) -> Result<f64, CellProblem> {
    let double = value as f64;
    if value <= EXACT || format!("{double:.0}") == value.to_string() {
        return Ok(double);
    }
    Err(CellProblem::NotExact(value.to_string()))
}

/// The double nearest to `digits / 10^scale`.
#[must_use]
pub fn from_decimal(digits: i128, scale: usize) -> f64 {
    let (mut digits, mut scale) = (digits, scale);
    for step in [12, 6, 3, 1, 1] {
        let ten = 10_i128.pow(step);
        while scale >= step as usize && digits % ten == 0 && digits != 0 {
            digits /= ten;
            scale -= step as usize;
        }
    }
    if digits.unsigned_abs() <= u128::from(EXACT) && scale < TENS.len() {
        // Both operands are exact, so the division rounds once.
        return digits as f64 / TENS[scale];
    }
    let near = TENS.get(scale).and_then(|&ten| quotient(digits, ten));
    near.unwrap_or_else(|| format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN))
}

/// The double nearest to `digits / ten`, where twice the digits of a double tell which one that is: only what lies between
/// two doubles but for 1 in 2^30 of their distance, and powers of two, are left open.
fn quotient(digits: i128, ten: f64) -> Option<f64> {
    let high = digits as f64;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and saturated at most by one")]
    let low = digits.wrapping_sub(high as i128) as f64;
    let first = high / ten;
    let second = ((-first).mul_add(ten, high) + low) / ten;
    let nearest = first + second;
    let off = second - (nearest - first);
    let half = (f64::from_bits(nearest.abs().to_bits() + 1) - nearest.abs()) / 2.0;
    let is_power = nearest.to_bits() << 12 == 0;
    (!is_power && (off.abs() - half).abs() > half / f64::from(1 << 30)).then_some(nearest)
}

/// `value * 10^scale` when that is whole, fits 38 digits and reads back as `value`.
#[must_use]
pub fn to_decimal(value: f64, scale: usize) -> Option<i128> {
    let text = format!("{:.scale$}", value.abs());
    // Printing is exact, so what lies beyond the scale shows as another value when read back.
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.len() + fraction.len() > 38 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let digits = if value.is_sign_negative() { -digits } else { digits };
    same(from_decimal(digits, scale), value).then_some(digits)
}

/// Whether two doubles are the same, the sign of zero included.
#[must_use]
pub fn same(left: f64, right: f64) -> bool {
    left.total_cmp(&right).is_eq()
}

/// The number that `text` writes: sign, digits, fraction, exponent; no spaces, no words.
///
/// # Errors
/// When it writes none, or one too large for a double.
pub fn from_text(text: &str) -> Result<f64, CellProblem> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let wrong = || CellProblem::NotANumber(excerpt(text));
    if !text.bytes().all(plain) {
        return Err(wrong());
    }
    let value: f64 = text.parse().map_err(|_| wrong())?;
    if value.is_finite() { Ok(value) } else { Err(CellProblem::NotFinite(value)) }
}

/// Days since 1970-01-01 of a text `YYYY-MM-DD`.
///
/// # Errors
/// When there is no such day.
pub fn days_from_text(text: &str) -> Result<f64, CellProblem> {
    days_of_date(text).map(f64::from).ok_or_else(|| CellProblem::NotADate(excerpt(text)))
}

/// A number of days since 1970-01-01 as `YYYY-MM-DD`; as a number where no date is so far away.
#[must_use]
pub fn day_text(days: f64) -> String {
    let text = format!("{days:.0}");
    text.parse().ok().and_then(date_of_days).unwrap_or(text)
}

/// A count of `unit`s since the epoch in milliseconds, where it is a whole number of them.
///
/// # Errors
/// When it is not, or no double equals it.
pub fn ms_from_units(value: i64, units_per_ms: i64) -> Result<f64, CellProblem> {
    if value % units_per_ms != 0 {
        return Err(CellProblem::TooFine(format!("{value} (1/{units_per_ms} ms)")));
    }
    from_i64(value / units_per_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_decimal_reads_as_the_nearest_double(digits in any::<i128>(), shift in 0_u32..127, scale in 0_usize..=38) {
            let digits = digits >> shift;
            let expected: f64 = format!("{digits}e-{scale}").parse().expect("a number");
            prop_assert!(same(from_decimal(digits, scale) + 0.0, expected + 0.0));
        }

        #[test]
        fn a_double_survives_as_decimal_or_is_refused(value in any::<f64>(), cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            if let Some(digits) = to_decimal(value, 18) {
                prop_assert!(same(from_decimal(digits, 18), value));
            }
            let money = cents as f64 / 100.0;
            prop_assert!(to_decimal(money, 18).is_some(), "{money} has a decimal form");
        }

        #[test]
        fn an_integer_is_exact_or_refused(value in any::<i64>(), shift in 0_u32..63) {
            let value = value >> shift;
            match from_i64(value) {
                Ok(double) => prop_assert_eq!(format!("{double:.0}"), value.to_string()),
                Err(_) => prop_assert!(value.unsigned_abs() > EXACT && value % 2 != 0 || value.unsigned_abs() > EXACT * 2),
            }
        }
    }

    #[test]
    fn days_and_their_texts_agree() {
        for (text, days) in [("1970-01-01", 0.0), ("2025-10-26", 20_387.0), ("0001-01-01", -719_162.0)] {
            assert!(same(days_from_text(text).expect("a day"), days));
            assert_eq!(day_text(days), text);
        }
        for text in ["2025-13-01", "2025-1-01", "26.10.2025", "2025-02-29", ""] {
            assert!(days_from_text(text).is_err(), "{text}");
        }
    }
}
