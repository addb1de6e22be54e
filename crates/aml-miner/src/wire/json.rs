//! A small JSON scanner over text: strictly RFC 8259, positions instead of values, bounded depth and string length.
//!
//! It accepts what `serde_json` accepts as a `Value` (lone surrogates and control characters are refused), except that
//! a number too large for a double is still JSON here: whoever wants its value decides.

pub(crate) mod number;
pub(crate) mod scan;
pub(crate) mod text;

pub(crate) use number::Number;
pub(crate) use scan::Scanner;

/// Where and why text stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Byte offset.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl SyntaxError {
    /// Line and column of the offset, both counted from 1; columns count characters' bytes.
    pub(crate) fn line_and_column(&self, bytes: &[u8]) -> (usize, usize) {
        let before = &bytes[..self.at.min(bytes.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        (line, before.len() - start + 1)
    }
}
