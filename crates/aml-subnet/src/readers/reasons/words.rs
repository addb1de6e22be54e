//! Data as people read them. The same in `scripts/checks/reasons.py`, from `docs/reasons.md`.

use super::catalogue::{Code, Unit};
use super::data::Datum;

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
        Unit::Days => format!("{} days", plain(value)),
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
    let text = if percent.abs() >= 10.0 { format!("{percent:.0}") } else { format!("{percent:.1}") };
    format!("{} %", grouped(&text))
}

/// Whole from a thousand on, else up to three digits behind the point.
fn plain(value: f64) -> String {
    if value.abs() >= 1_000.0 {
        return grouped(&format!("{value:.0}"));
    }
    let text = format!("{value:.3}");
    grouped(text.trim_end_matches('0').trim_end_matches('.'))
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
            (-0.0001, Unit::Share, "0.0 %"),
            (12_345.0, Unit::Count, "12,345"),
            (-0.0, Unit::Count, "0"),
            (3.0, Unit::Hours, "3 hours"),
            (-0.0001, Unit::Days, "0 days"),
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
