//! Free text of a re-issued alert: names become the fresh ones, days move with the batch, amounts change with the rest.
//!
//! Descriptions and evidence repeat what the columns say, so whoever changes only the columns leaves the original in
//! plain sight. What is not a name, a day or a fraction stays as it is.

use aml_miner::wire::body::{date_of_days, days_of_date};

/// A run of letters and digits as long as this is taken for an address that the batch does not list.
const ADDRESS_LENGTH: usize = 26;
/// A whole number of so many digits is taken for a time in milliseconds.
const TIME_DIGITS: usize = 13;

/// How texts are changed.
pub(super) trait Rewording {
    /// The fresh name for `word`; `None` when it is no name. `long` words are names though nobody lists them.
    fn name(&mut self, word: &str, long: bool) -> Option<String>;
    /// What amounts are multiplied by.
    fn factor(&self) -> f64;
    /// By how many days the batch is later.
    fn days(&self) -> i32;
    /// By how many milliseconds times are later.
    fn milliseconds(&self) -> i64;
}

/// The words of a text: runs of letters, digits, `_` and `-`.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !is_inner(letter)).filter(|word| !word.is_empty())
}

/// `text` with everything changed that would tell where it is from.
pub(super) fn reword(text: &str, rewording: &mut impl Rewording) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !is_inner(letter) {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let word = &rest[..rest.find(|letter| !is_inner(letter)).unwrap_or(rest.len())];
        // What follows a point is the rest of a version or an address of the network, no amount of its own.
        let number = fraction(rest).filter(|_| !out.ends_with('.'));
        let (length, changed) = match number {
            Some(number) => (number.len(), scaled(number, rewording.factor())),
            None => (word.len(), changed(word, rewording)),
        };
        out.push_str(&changed);
        rest = &rest[length..];
    }
    out
}

fn is_inner(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

fn changed(word: &str, rewording: &mut impl Rewording) -> String {
    let long = word.len() >= ADDRESS_LENGTH && word.chars().all(char::is_alphanumeric);
    if let Some(name) = rewording.name(word, long) {
        return name;
    }
    if let Some((day, after)) = word.split_at_checked(10)
        && !after.starts_with(|letter: char| letter.is_ascii_digit())
        && let Some(later) = days_of_date(day).and_then(|days| date_of_days(days.saturating_add(rewording.days())))
    {
        return format!("{later}{after}");
    }
    if word.len() == TIME_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse::<i64>().map_or_else(|_| word.to_owned(), |at| (at + rewording.milliseconds()).to_string());
    }
    word.to_owned()
}

/// The number with a fraction that `text` begins with, as in `12.50`; not a version, not an exponent.
fn fraction(text: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let decimals = digits(text[whole..].strip_prefix('.')?);
    let number = &text[..whole + 1 + decimals];
    let after = text[number.len()..].chars().next();
    let ends = after.is_none_or(|letter| !is_inner(letter) && letter != '.')
        || (after == Some('.') && digits(&text[number.len() + 1..]) == 0);
    ((1..=15).contains(&whole) && (1..=15).contains(&decimals) && ends).then_some(number)
}

fn scaled(number: &str, factor: f64) -> String {
    let Ok(value) = number.parse::<f64>() else { return number.to_owned() };
    let decimals = number.len() - number.find('.').map_or(number.len(), |at| at + 1);
    // What is a share stays one.
    let most = if value <= 1.0 { 1.0 } else { f64::MAX };
    format!("{:.decimals$}", (value * factor).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Later;

    impl Rewording for Later {
        fn name(&mut self, word: &str, long: bool) -> Option<String> {
            (word == "alert_1-x" || long).then(|| "FRESH".to_owned())
        }
        fn factor(&self) -> f64 {
            1.1
        }
        fn days(&self) -> i32 {
            30
        }
        fn milliseconds(&self) -> i64 {
            5
        }
    }

    #[test]
    fn names_days_amounts_and_times_change_and_nothing_else_does() {
        let cases = [
            ("seen alert_1-x, then alert_1", "seen FRESH, then alert_1"),
            ("on 2025-09-15 and 2025-09-15T10:00", "on 2025-10-15 and 2025-10-15T10:00"),
            ("100.00 USD of 0.95. Version 1.2.3, 5 days", "110.00 USD of 1.00. Version 1.2.3, 5 days"),
            (r#"{"at":1700000000000,"n":57}"#, r#"{"at":1700000000005,"n":57}"#),
            ("to 5Fabcdefghijklmnopqrstuvwxyz", "to FRESH"),
            ("1.5e-7 \u{e9}\u{1f600} 2025-13-01", "1.5e-7 \u{e9}\u{1f600} 2025-13-01"),
        ];
        for (text, expected) in cases {
            assert_eq!(reword(text, &mut Later), expected);
        }
    }
}
