//! Numbers: the grammar in one pass, and the nearest double, always.
//!
//! Digits are read eight at a time. Up to 19 digits with an exponent within ±22 and a mantissa below 2^53 are one exact multiplication or division;
//! everything else goes to the standard library's parser.

use super::SyntaxError;
use crate::table::cells::TENS;

/// A number and how it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    /// The nearest double; infinite where it is too large for one.
    pub value: f64,
}

const MAX_EXACT_MANTISSA: u64 = 1 << 53;

/// Digits read so far.
#[derive(Clone, Copy)]
struct Digits {
    mantissa: u64,
    at: usize,
}

impl Digits {
    /// Reads the digits that stand here; how many there are.
    #[inline]
    fn read(&mut self, bytes: &[u8]) -> usize {
        let start = self.at;
        while let Some(chunk) = bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let values = u64::from_le_bytes(*chunk) ^ (ONES * b'0' as u64);
            let others = (values.wrapping_add(ONES * 0x76) | values) & (ONES * 0x80);
            let count = others.trailing_zeros() / 8;
            if count == 0 {
                return self.at - start;
            }
            // Bytes that are shifted in are zeros before the digits.
            self.add(eight(values << (64 - 8 * count)), count);
            if count < 8 {
                return self.at - start;
            }
        }
        while let Some(digit) = bytes.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            self.add(u64::from(digit), 1);
        }
        self.at - start
    }

    /// Adds `count` digits of this value.
    #[inline]
    fn add(&mut self, value: u64, count: u32) {
        self.mantissa = self.mantissa.wrapping_mul(POWERS[count as usize]).wrapping_add(value);
        self.at += count as usize;
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that eight digits make, the first in the lowest byte.
#[inline]
const fn eight(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

impl Number {
    /// The number at `start` and the offset after it.
    #[inline]
    pub(crate) fn scan(bytes: &[u8], start: usize) -> Result<(Self, usize), SyntaxError> {
        let negative = bytes.get(start) == Some(&b'-');
        let first = start + usize::from(negative);
        let mut digits = Digits { mantissa: 0, at: first };
        let whole = digits.read(bytes);
        if whole == 0 {
            return Err(SyntaxError { at: digits.at, what: "expected a digit" });
        }
        if whole > 1 && bytes[first] == b'0' {
            return Err(SyntaxError { at: first + 1, what: "a number may not begin with 0" });
        }
        let mut fraction = 0;
        if bytes.get(digits.at) == Some(&b'.') {
            digits.at += 1;
            fraction = digits.read(bytes);
            if fraction == 0 {
                return Err(SyntaxError { at: digits.at, what: "expected a digit after the point" });
            }
        }
        let mut end = digits.at;
        let mut exponent = 0;
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            (exponent, end) = scan_exponent(bytes, end + 1)?;
        }
        let power = i64::from(exponent) - i64::try_from(fraction).unwrap_or(i64::MAX);
        let exact = (whole + fraction <= 19).then(|| exact_double(digits.mantissa, power)).flatten();
        let value = match exact {
            Some(value) if negative => -value,
            Some(value) => value,
            None => nearest_double(&bytes[start..end]),
        };
        Ok((Self { value }, end))
    }

    /// The number that the whole of `text` is; a leading `+` and white space are not part of numbers.
    pub(crate) fn parse(text: &str) -> Option<f64> {
        match Self::scan(text.as_bytes(), 0) {
            Ok((number, end)) if end == text.len() => Some(number.value),
            _ => None,
        }
    }
}

fn scan_exponent(bytes: &[u8], mut at: usize) -> Result<(i32, usize), SyntaxError> {
    let negative = bytes.get(at) == Some(&b'-');
    at += usize::from(matches!(bytes.get(at), Some(b'-' | b'+')));
    let start = at;
    let mut value = 0_i32;
    while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
        at += 1;
    }
    if at == start {
        return Err(SyntaxError { at, what: "expected a digit in the exponent" });
    }
    Ok((if negative { -value } else { value }, at))
}

/// `mantissa` x 10^`power` where one operation on exact operands gives it, so that it is rounded once.
#[inline]
fn exact_double(mantissa: u64, power: i64) -> Option<f64> {
    if mantissa > MAX_EXACT_MANTISSA {
        return None;
    }
    let factor = *TENS.get(usize::try_from(power.unsigned_abs()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "integers up to 2^53 are doubles exactly")]
    let value = mantissa as f64;
    Some(if power < 0 { value / factor } else { value * factor })
}

#[cold]
fn nearest_double(text: &[u8]) -> f64 {
    // Every JSON number is in the grammar of Rust's parser, so neither step fails.
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}
