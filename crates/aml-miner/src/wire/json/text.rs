//! Strings: finding their end 16 bytes at a time, checking and decoding escapes.

use std::borrow::Cow;

use super::SyntaxError;

/// What stands between the quotes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    /// Whether there are escapes to decode.
    pub escaped: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// High bit of the lowest byte of `word` that is below `limit` (bits above that one mean nothing).
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGHS
}

/// High bit of the lowest byte of `word` that is a quote, a backslash or a control character.
const fn special(word: u64) -> u64 {
    below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1) | below(word, 0x20)
}

/// Whether any byte is a quote, a backslash or a control character; compilers make vector comparisons of it.
#[inline]
fn is_special(chunk: &[u8; 16]) -> bool {
    chunk.iter().fold(false, |any, byte| any | (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20))
}

/// Offset of the first quote, backslash or control character at or after `at`; the length where there is none.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if is_special(chunk) {
            break;
        }
        at += 16;
    }
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = special(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// Checks the escape at `at` (a backslash); the offset after it.
pub(crate) fn skip_escape(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(bytes, at + 2) {
            None => Err(SyntaxError { at, what: "`\\u` needs four hex digits" }),
            Some(0xDC00..=0xDFFF) => Err(SyntaxError { at, what: "lone surrogate in a string" }),
            Some(0xD800..=0xDBFF) if !low_surrogate_follows(bytes, at + 6) => {
                Err(SyntaxError { at, what: "lone surrogate in a string" })
            }
            Some(0xD800..=0xDBFF) => Ok(at + 12),
            Some(_) => Ok(at + 6),
        },
        _ => Err(SyntaxError { at, what: "unknown escape in a string" }),
    }
}

fn low_surrogate_follows(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 2) == Some(b"\\u") && matches!(hex4(bytes, at + 2), Some(0xDC00..=0xDFFF))
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

/// The text that `raw`, the inside of a checked string, stands for.
pub(crate) fn decode(raw: &str, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..backslash]);
        let (decoded, used) = decode_escape(&rest.as_bytes()[backslash..]);
        text.push(decoded);
        rest = &rest[backslash + used..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of one checked escape and its length.
fn decode_escape(escape: &[u8]) -> (char, usize) {
    let unit = |at| hex4(escape, at).unwrap_or(0xFFFD);
    match escape.get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => match unit(2) {
            high @ 0xD800..=0xDBFF => {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + unit(8).wrapping_sub(0xDC00);
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            code => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
        },
        Some(&other) => (char::from(other), 2),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}
