//! Cells that a spreadsheet shows and does not run. Pure.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tabulator or a line break for a formula. Such a text gets a
//! `'` in front (OWASP, CSV injection). Line breaks and other control characters become spaces: many spreadsheets end the row, or the
//! whole file, at one. Numbers of ours stay numbers. What goes to programs is not changed: that is the published CSV.

/// A stranger's text as a cell of a CSV file.
#[must_use]
pub fn cell(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Spaces, marks without width and the full-width forms of the same signs are passed over by some.
    let first = flat.chars().find(|c| !c.is_whitespace() && !c.is_control() && !is_unseen(*c));
    let dangerous = first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    let shown = if dangerous { format!("'{flat}") } else { flat };
    if shown.contains(['"', ',', ';', '\'']) || shown.starts_with(char::is_whitespace) {
        format!("\"{}\"", shown.replace('"', "\"\""))
    } else {
        shown
    }
}

/// A row of a CSV file, cells given as they are written.
#[must_use]
pub fn row(cells: &[String]) -> String {
    let mut line = cells.join(",");
    line.push_str("\r\n");
    line
}

const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{cell, row};

    #[test]
    fn nothing_that_comes_in_is_run() {
        for (text, shown) in [
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-2", "\"'-2\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=cmd|' /C calc'!A0", "\"' =cmd|' /C calc'!A0\""),
            ("\r\n=1", "\"'  =1\""),
            ("\u{feff}=1", "\"'\u{feff}=1\""),
            ("＝1", "\"'＝1\""),
            ("  =1", "\"'  =1\""),
            ("\0=1", "\"' =1\""),
            ("a\0b\u{1b}[31mc\u{85}d", "a b [31mc d"),
            ("peel chain", "peel chain"),
            ("a=b", "a=b"),
            ("say \"x\", y", "\"say \"\"x\"\", y\""),
            ("a;b", "\"a;b\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown, "{text:?}");
        }
        assert_eq!(row(&[cell("a"), "0.5".to_owned(), cell("=x")]), "a,0.5,\"'=x\"\r\n");
    }
}
