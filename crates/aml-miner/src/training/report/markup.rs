//! Writing markup, and what others wrote into it.

use std::fmt::Write;

/// Adds to a page.
pub(in crate::training) fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = page.write_fmt(text);
}

/// Names come from data that others made.
pub(in crate::training) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
