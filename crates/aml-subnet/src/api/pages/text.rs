//! Numbers, times and keys as a page shows them.

use chrono::DateTime;

use crate::calendar::date_from;

/// What is not known.
pub(super) const NONE: &str = "–";

/// A score or share of checks, to three digits.
pub(super) fn score(value: f64) -> String {
    format!("{value:.3}")
}

/// The same, where it may be missing.
pub(super) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), score)
}

/// A share in percent.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{:.1} %", value * 100.0))
}

/// A whole number with thin spaces between thousands.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A time as RFC 3339, as a person reads it: `5 Jan 2026, 14:20`.
pub(super) fn when(rfc3339: &str) -> String {
    DateTime::parse_from_rfc3339(rfc3339)
        .map_or_else(|_| rfc3339.to_owned(), |time| time.format("%-d %b %Y, %H:%M").to_string())
}

/// A day as a person reads it: `5 Jan`.
pub(super) fn day(date: &str) -> String {
    date_from(date).map_or_else(|| date.to_owned(), |date| date.format("%-d %b").to_string())
}

/// A duration of milliseconds.
pub(super) fn took(millis: u64) -> String {
    match millis {
        0 => NONE.to_owned(),
        1..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min", millis / 60_000),
    }
}

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// A number of seconds ago.
pub(super) fn ago(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s ago"),
        90..5_400 => format!("{} min ago", seconds / 60),
        5_400..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A key cut in the middle; the whole stands beside it.
pub(super) fn short(key: &str) -> String {
    let count = key.chars().count();
    if count <= 14 {
        return key.to_owned();
    }
    let head: String = key.chars().take(6).collect();
    let tail: String = key.chars().skip(count - 6).collect();
    format!("{head}…{tail}")
}

/// A character as a page shows it: those that move or hide their neighbours are seen to be there.
const fn shown(c: char) -> char {
    match c {
        '\u{061c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => ' ',
        c => c,
    }
}

/// A stranger's text of several lines, cut to so many characters.
pub(super) fn prose(text: &str, most: usize) -> String {
    line(text, most).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as one part of a path, or a value of a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The page of an alert or a cluster of a round; empty where no link can name it, for browsers take `.` and `..` for steps.
pub(super) fn link(kind: &str, round: &str, id: &str) -> String {
    if matches!(id, "" | "." | "..") || id.len() > LONGEST_LINK {
        return String::new();
    }
    format!("/page/{kind}/{round}/{}", encoded(id))
}

/// Bytes of an id that still go into a link.
const LONGEST_LINK: usize = 1024;

/// A stranger's text, cut to what fits a line.
pub(super) fn line(text: &str, most: usize) -> String {
    let flat: String = text.chars().map(shown).take(most + 1).collect();
    if flat.chars().count() <= most {
        return flat;
    }
    let cut: String = flat.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([bytes(0), bytes(999), bytes(12_340), bytes(7_100_000)], ["0 B", "999 B", "12.3 kB", "7.1 MB"]);
        assert_eq!(whole(5_123_456), "5\u{202f}123\u{202f}456");
        assert_eq!(whole(999), "999");
        assert_eq!((took(0).as_str(), took(31).as_str(), took(2_540).as_str()), ("–", "31 ms", "2.5 s"));
        assert_eq!(
            (ago(12).as_str(), ago(600).as_str(), ago(999_999).as_str()),
            ("12 s ago", "10 min ago", "11 days ago")
        );
        assert_eq!(when("2026-01-05T14:20:00Z"), "5 Jan 2026, 14:20");
        assert_eq!(day("2026-01-05"), "5 Jan");
    }

    #[test]
    fn long_texts_are_cut_and_flattened() {
        assert_eq!(
            short("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
            "5Grwva…KutQYY".replace("KutQYY", "GKutQY")
        );
        assert_eq!(line("a\nb\u{7}c", 10), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("a\u{202e}b\u{200b}c\u{2066}\u{85}", 10), "a\u{fffd}b\u{fffd}c\u{fffd} ");
        assert_eq!(prose("  a\n\n b\tc ", 20), "a b c");
    }

    #[test]
    fn links_name_what_a_path_can_name() {
        assert_eq!(link("alerts", "1-2026-01-05-30", "a/b c?"), "/page/alerts/1-2026-01-05-30/a%2Fb%20c%3F");
        for none in ["", ".", "..", &"x".repeat(2_000)] {
            assert_eq!(link("alerts", "r", none), "");
        }
    }
}
