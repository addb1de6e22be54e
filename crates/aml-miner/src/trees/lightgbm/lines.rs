//! The lines of a model file, and the `key=value` fields of a section.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::{Fault, ParseError, quote};

/// One line, without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    /// Where it starts in the file.
    pub(super) offset: usize,
    pub(super) text: &'a str,
}

/// Reads a file line by line, with one line of look-ahead.
pub(super) struct Lines<'a> {
    text: &'a str,
    offset: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, offset: 0, number: 0 }
    }

    /// The next line, left in place.
    pub(super) fn peek(&self) -> Option<Line<'a>> {
        let rest = &self.text[self.offset..];
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let text = rest[..end].trim_end_matches('\r');
        Some(Line { number: self.number + 1, offset: self.offset, text })
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Option<Line<'a>> {
        let line = self.peek()?;
        let rest = &self.text.as_bytes()[self.offset..];
        self.offset += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        self.number += 1;
        Some(line)
    }

    /// Number of the line that was read last.
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

/// Whether a line ends a section: the next tree, or the end of all.
pub(super) fn ends_section(line: &str) -> bool {
    line.starts_with("Tree=") || line == "end of trees"
}

/// The `key=value` lines of one section.
pub(super) struct Fields<'a> {
    /// The line after the section, to which missing keys are charged.
    end: usize,
    values: BTreeMap<&'a str, Line<'a>>,
}

impl<'a> Fields<'a> {
    /// Reads up to the next tree, or the end of the trees.
    pub(super) fn read(lines: &mut Lines<'a>) -> Result<Self, ParseError> {
        let mut values = BTreeMap::new();
        loop {
            let line = lines.peek().ok_or_else(|| Fault::Cut.at(lines.number()))?;
            if ends_section(line.text) {
                return Ok(Self { end: line.number, values });
            }
            lines.next();
            if line.text.is_empty() {
                continue;
            }
            let (key, text) = line.text.split_once('=').unwrap_or((line.text, ""));
            if values.insert(key, Line { text, ..line }).is_some() {
                return Err(Fault::Twice { key: quote(key) }.at(line.number));
            }
        }
    }

    /// Every key there is, with its line.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.values.iter().map(|(key, line)| (*key, line.number))
    }

    pub(super) fn get(&self, key: &str) -> Option<Line<'a>> {
        self.values.get(key).copied()
    }

    pub(super) fn must(&self, key: &'static str) -> Result<Line<'a>, ParseError> {
        self.get(key).ok_or_else(|| Fault::Missing { key }.at(self.end))
    }

    /// A whole number within `range`.
    pub(super) fn integer(&self, key: &'static str, range: RangeInclusive<usize>) -> Result<usize, ParseError> {
        let line = self.must(key)?;
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        match line.text.trim().parse() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(Fault::bad(key, line.text, expected()).at(line.number)),
        }
    }

    /// Exactly `length` numbers.
    pub(super) fn list<T: FromStr>(&self, key: &'static str, length: usize) -> Result<Vec<T>, ParseError> {
        let line = self.must(key)?;
        // No more than the text can hold: a tree may declare what it does not have.
        let mut values = Vec::with_capacity(length.min(line.text.len() / 2 + 1));
        for word in line.text.split_ascii_whitespace() {
            if values.len() == length {
                return Err(Fault::Length { key, found: length + 1, expected: length }.at(line.number));
            }
            let value = word.parse();
            values.push(value.map_err(|_| Fault::bad(key, word, "a number").at(line.number))?);
        }
        if values.len() < length {
            let found = values.len();
            return Err(Fault::Length { key, found, expected: length }.at(line.number));
        }
        Ok(values)
    }

    /// Exactly `length` numbers, or nothing at all.
    pub(super) fn list_or_none<T: FromStr>(&self, key: &'static str, length: usize) -> Result<Vec<T>, ParseError> {
        match self.get(key) {
            Some(line) if !line.text.trim().is_empty() => self.list(key, length),
            _ => Ok(Vec::new()),
        }
    }
}
