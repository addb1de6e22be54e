//! Data as people read them. The same in `scripts/checks/reasons.py`, from `docs/reasons.md`.

use super::catalogue::{Code, Unit};
use super::data::Datum;

/// A smaller size is not written out.
const LEAST: f64 = 1e-9;

/// The sentence of a code with its datum.
#[must_use]
pub fn sentence(code: &Code, datum: &Datum) -> String {
    let said = match datum {
        Datum::Number(value) => number(*value, code.unit),
        Datum::Name(name) => name.clone(),
    };
    code.sentence.replacen("{}", &said, 1)
}

/// A number with its unit.
#[must_use]
pub fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Usd => usd(value),
        Unit::Share => share(value),
        Unit::Count => grouped(&format!("{value:.0}")),
        Unit::Days => days(value),
        Unit::Hours => format!("{} hours", plain(value)),
        Unit::Hour => format!("{value:02.0}:00"),
        Unit::Times => format!("{} times", plain(value)),
        Unit::Flag => if value > 0.0 { "yes" } else { "no" }.to_owned(),
        Unit::Number | Unit::Name => plain(value),
    }
}

/// An amount of money: cents below a hundred dollars, whole dollars above.
#[must_use]
pub fn usd(value: f64) -> String {
    let text = grouped(&if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") });
    text.strip_prefix('-').map_or_else(|| format!("${text}"), |digits| format!("-${digits}"))
}

/// Per cent: whole ones from ten on, tenths below.
fn share(value: f64) -> String {
    let percent = value * 100.0;
    let text = match percent.abs() {
        large if large >= 10.0 => grouped(&format!("{percent:.0}")),
        tenths if tenths >= 0.1 => grouped(&format!("{percent:.1}")),
        _ => plain(percent),
    };
    format!("{text} %")
}

/// Days before the day of the batch.
fn days(value: f64) -> String {
    if value > 0.0 {
        return format!("{} days before the day of the batch", plain(value));
    }
    if value > -1.0 { "on the day of the batch" } else { "after the day of the batch" }.to_owned()
}

/// Whole from a thousand on, else up to three digits behind the point; below 1 three digits that count, so that only zero is 0.
fn plain(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        return grouped(&format!("{value:.0}"));
    }
    if size > 0.0 && size < LEAST {
        return if value > 0.0 { "less than 0.000000001" } else { "more than -0.000000001" }.to_owned();
    }
    let digits = if size > 0.0 && size < 1.0 { behind_the_point(size) } else { 3 };
    let text = format!("{value:.digits$}");
    grouped(text.trim_end_matches('0').trim_end_matches('.'))
}

/// Digits behind the point of a size below 1, of which three count.
fn behind_the_point(size: f64) -> usize {
    let rounded = format!("{size:.2e}");
    let exponent = rounded.rsplit_once("e-").and_then(|(_, exponent)| exponent.parse::<usize>().ok());
    2 + exponent.unwrap_or(0)
}

/// Commas between thousands of what stands before the point, and no sign before nothing but zeros.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, cents) = digits.split_once('.').map_or((digits, None), |(whole, cents)| (whole, Some(cents)));
    let nothing = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let mut out = if nothing { String::new() } else { sign.to_owned() };
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(cents) = cents {
        out.push('.');
        out.push_str(cents);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{CodeName, Unit};
    use super::super::data::Datum;
    use super::{number, sentence, usd};

    #[test]
    fn money_reads_well() {
        let shown = [0.5, 99.994, 1_234.5, 1_234_567.0, -5_000.0, -0.0, -0.004].map(usd);
        assert_eq!(shown, ["$0.50", "$99.99", "$1,234", "$1,234,567", "-$5,000", "$0.00", "$0.00"]);
    }

    #[test]
    fn data_read_well() {
        for (value, unit, text) in [
            (0.9414, Unit::Share, "94 %"),
            (0.0314, Unit::Share, "3.1 %"),
            (12.5, Unit::Share, "1,250 %"),
            (-0.0001, Unit::Share, "-0.01 %"),
            (0.000_004, Unit::Share, "0.0004 %"),
            (0.0, Unit::Share, "0 %"),
            (12_345.0, Unit::Count, "12,345"),
            (-0.0, Unit::Count, "0"),
            (3.0, Unit::Hours, "3 hours"),
            (12.5, Unit::Days, "12.5 days before the day of the batch"),
            (0.000_25, Unit::Days, "0.00025 days before the day of the batch"),
            (0.0, Unit::Days, "on the day of the batch"),
            (-0.75, Unit::Days, "on the day of the batch"),
            (-1.0, Unit::Days, "after the day of the batch"),
            (0.000_012_345, Unit::Number, "0.0000123"),
            (-0.000_1, Unit::Number, "-0.0001"),
            (0.999_6, Unit::Number, "1"),
            (0.009_996, Unit::Number, "0.01"),
            (1e-9, Unit::Number, "0.000000001"),
            (9e-10, Unit::Number, "less than 0.000000001"),
            (-f64::MIN_POSITIVE, Unit::Number, "more than -0.000000001"),
            (0.0, Unit::Number, "0"),
            (-0.0, Unit::Number, "0"),
            (7.0, Unit::Hour, "07:00"),
            (1.25, Unit::Times, "1.25 times"),
            (0.12345, Unit::Number, "0.123"),
            (-12_345.6, Unit::Number, "-12,346"),
            (1.0, Unit::Flag, "yes"),
            (0.0, Unit::Flag, "no"),
        ] {
            assert_eq!(number(value, unit), text);
        }
        let code = CodeName::of("passed_on").expect("a code").entry();
        assert_eq!(sentence(code, &Datum::Number(0.94)), "sent on 94 % of what came in, within a day");
        let code = CodeName::of("typology").expect("a code").entry();
        assert_eq!(sentence(code, &Datum::Name("{}".to_owned())), "the detector suspects {}");
    }
}
