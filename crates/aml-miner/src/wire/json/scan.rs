//! The scanner: a position in the text, and steps over values, strings and punctuation.

use super::text::{Span, plain_end, skip_escape};
use super::{Number, SyntaxError};

/// A position in JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    max_string: usize,
    max_depth: u32,
}

/// How a list of members or items goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// After a comma: another one follows.
    More,
    /// The closing bracket was passed.
    End,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, max_string: usize, max_depth: u32) -> Self {
        // The open brackets are kept in the bits of one u64.
        Self { text, at: 0, max_string, max_depth: max_depth.min(63) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn move_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The text from `start` to the position.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    pub(crate) fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(crate) fn error<T>(&self, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, what })
    }

    /// Passes white space; what stands there then.
    #[inline]
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    /// Passes the colon after a key, and the white space around it.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), SyntaxError> {
        if self.next_byte() != Some(b':') {
            return self.error("expected `:` after a key");
        }
        self.at += 1;
        self.next_byte();
        Ok(())
    }

    /// After a member or an item: a comma and what follows, or the closing bracket `close`.
    #[inline]
    pub(crate) fn after_item(&mut self, close: u8) -> Result<Next, SyntaxError> {
        match self.next_byte() {
            Some(b',') => {
                self.at += 1;
                self.next_byte();
                Ok(Next::More)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(Next::End)
            }
            None => self.error("the text ends before it is complete"),
            Some(_) => self.error("expected `,` or a closing bracket"),
        }
    }

    /// After an opening bracket: whether it is closed at once by `close`.
    #[inline]
    pub(crate) fn closes(&mut self, close: u8) -> bool {
        let closes = self.next_byte() == Some(close);
        if closes {
            self.at += 1;
        }
        closes
    }

    /// Passes a string; what stands between its quotes.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Span, SyntaxError> {
        if self.peek() != Some(b'"') {
            return self.error("expected a string");
        }
        let bytes = self.bytes();
        let start = self.at + 1;
        let (mut end, mut escaped) = (start, false);
        loop {
            end = plain_end(bytes, end);
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end = skip_escape(bytes, end)?;
                }
                Some(_) => return Err(SyntaxError { at: end, what: "control character in a string" }),
                None => return Err(SyntaxError { at: end, what: "the text ends inside a string" }),
            }
        }
        if end - start > self.max_string {
            return self.error("a string is longer than the limit");
        }
        self.at = end + 1;
        Ok(Span { start, end, escaped })
    }

    /// Passes a number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Number, SyntaxError> {
        let (number, end) = Number::scan(self.bytes(), self.at)?;
        self.at = end;
        Ok(number)
    }

    /// Passes `word` if it stands here.
    #[inline]
    pub(crate) fn literal(&mut self, word: &str) -> bool {
        let here = self.bytes()[self.at..].starts_with(word.as_bytes());
        if here {
            self.at += word.len();
        }
        here
    }

    /// Passes `text` if it stands here: compared by words, where most texts are longer than one.
    #[inline]
    pub(crate) fn pass(&mut self, text: &[u8]) -> bool {
        let Some(here) = self.bytes().get(self.at..self.at + text.len()) else { return false };
        let same = match (here.last_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(end), Some(known)) => {
                let words = here.as_chunks::<8>().0.iter().zip(text.as_chunks::<8>().0);
                end == known
                    && words.fold(true, |same, (a, b)| same & (u64::from_le_bytes(*a) == u64::from_le_bytes(*b)))
            }
            _ => here == text,
        };
        if same {
            self.at += text.len();
        }
        same
    }

    /// Passes any value that stands here, `depth` brackets being open around it.
    pub(crate) fn value(&mut self, depth: u32) -> Result<(), SyntaxError> {
        let mut open = Open { bits: 0, depth, floor: depth };
        loop {
            if !self.open_or_scalar(&mut open)? {
                continue;
            }
            // A value is complete: close what ends here, or go on after the comma.
            loop {
                if open.depth == open.floor {
                    return Ok(());
                }
                let close = if open.is_object() { b'}' } else { b']' };
                if self.after_item(close)? == Next::End {
                    open.pop();
                    continue;
                }
                if open.is_object() {
                    self.key()?;
                }
                break;
            }
        }
    }

    /// Opens a bracket (false) or passes a scalar or an empty pair of brackets (true).
    fn open_or_scalar(&mut self, open: &mut Open) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b'{') => {
                self.enter(open, true)?;
                if self.closes(b'}') {
                    open.pop();
                    return Ok(true);
                }
                self.key()?;
                Ok(false)
            }
            Some(b'[') => {
                self.enter(open, false)?;
                let closed = self.closes(b']');
                if closed {
                    open.pop();
                }
                Ok(closed)
            }
            _ => self.scalar().map(|()| true),
        }
    }

    fn key(&mut self) -> Result<(), SyntaxError> {
        self.string()?;
        self.colon()
    }

    fn enter(&mut self, open: &mut Open, object: bool) -> Result<(), SyntaxError> {
        if open.depth >= self.max_depth {
            return self.error("nested deeper than the limit");
        }
        open.push(object);
        self.at += 1;
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b't') if self.literal("true") => Ok(()),
            Some(b'f') if self.literal("false") => Ok(()),
            Some(b'n') if self.literal("null") => Ok(()),
            Some(b'N' | b'I') => self.error("NaN and Infinity are not JSON; write null or leave the value out"),
            Some(_) => self.error("expected a value"),
            None => self.error("the text ends where a value is expected"),
        }
    }
}

/// The brackets open at a position, one bit each: 1 is an object.
struct Open {
    bits: u64,
    depth: u32,
    floor: u32,
}

impl Open {
    fn push(&mut self, object: bool) {
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
    }

    fn is_object(&self) -> bool {
        self.bits & 1 == 1
    }
}
