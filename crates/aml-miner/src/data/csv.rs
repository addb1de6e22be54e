//! CSV as spreadsheets and other programs write it: byte order mark, `,` `;` or tab, quotes, line ends of any kind, gzip of
//! any number of members.
//!
//! What decides the delimiter is the header alone. Nothing is guessed about values: see `csv_table` beside this file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::table::excerpt;

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// A file that is not CSV.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct CsvError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its cells; those without quotes are trimmed.
    pub cells: Vec<Cow<'a, str>>,
}

/// A text of records.
#[derive(Clone, Debug)]
pub struct Csv<'a> {
    /// The names of the columns.
    pub header: Vec<String>,
    rest: &'a str,
    line: usize,
    delimiter: char,
}

/// The bytes of a file, decompressed where it is gzip; at most `most` of them.
///
/// # Errors
/// The file system's, a broken archive, or more bytes than that.
pub fn read_plain(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut packed)?;
    let mut bytes = Vec::new();
    if packed.starts_with(&GZIP) {
        MultiGzDecoder::new(packed.as_slice()).take(most + 1).read_to_end(&mut bytes)?;
    } else {
        bytes = packed;
    }
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes")));
    }
    Ok(bytes)
}

impl<'a> Csv<'a> {
    /// Reads the header of `bytes`.
    ///
    /// # Errors
    /// When the bytes are not UTF-8, there is no header, or a name stands twice.
    pub fn open(bytes: &'a [u8]) -> Result<Self, CsvError> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(wrong(1, "the file is UTF-16: save it as `CSV UTF-8`"));
        }
        let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
            wrong(line, "not UTF-8: save the file as `CSV UTF-8`")
        })?;
        let mut csv = Self { header: Vec::new(), rest: text, line: 1, delimiter: ',' };
        let first = text.lines().next().unwrap_or_default();
        csv.delimiter = match first.strip_prefix("sep=") {
            // The line with which Excel says it.
            Some(stated) => {
                csv.rest = text.get(first.len()..).unwrap_or_default().trim_start_matches(['\r', '\n']);
                csv.line = 2;
                stated.trim().chars().next().unwrap_or(',')
            }
            None => delimiter_of(first),
        };
        let header = csv.next_record()?.ok_or_else(|| wrong(1, "no header"))?;
        csv.header = header.cells.into_iter().map(Cow::into_owned).collect();
        let twice = csv.header.iter().enumerate().find(|(index, name)| csv.header[..*index].contains(name));
        match twice {
            Some((_, name)) => Err(wrong(header.line, &format!("the column `{}` stands twice", excerpt(name)))),
            None => Ok(csv),
        }
    }

    /// The next record; lines without a single character are passed over.
    ///
    /// # Errors
    /// A quote that is not closed or stands in the wrong place, or another number of cells than the header has.
    pub fn record(&mut self) -> Result<Option<Record<'a>>, CsvError> {
        let Some(record) = self.next_record()? else { return Ok(None) };
        if record.cells.len() != self.header.len() {
            let what = format!("{} cells, the header has {}", record.cells.len(), self.header.len());
            return Err(CsvError { line: record.line, what });
        }
        Ok(Some(record))
    }

    fn next_record(&mut self) -> Result<Option<Record<'a>>, CsvError> {
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut record = Record { line: self.line, cells: Vec::with_capacity(self.header.len()) };
        loop {
            record.cells.push(self.cell()?);
            if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix(['\n', '\r'])) {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Some(record));
        }
    }

    /// The cell that begins here, up to its delimiter or the end of the line.
    fn cell(&mut self) -> Result<Cow<'a, str>, CsvError> {
        let quoted = self.rest.trim_start_matches(' ');
        if !quoted.starts_with('"') {
            let end = self.rest.find([self.delimiter, '\r', '\n']).unwrap_or(self.rest.len());
            let (cell, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(Cow::Borrowed(cell.trim()));
        }
        let began = self.line;
        let mut text = Cow::Borrowed("");
        let mut rest = &quoted[1..];
        loop {
            let end = rest.find('"').ok_or_else(|| wrong(began, "a quote is not closed"))?;
            let (part, after) = rest.split_at(end);
            self.line += part.matches('\n').count();
            if text.is_empty() {
                text = Cow::Borrowed(part)
            } else {
                text.to_mut().push_str(part)
            }
            rest = &after[1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    text.to_mut().push('"');
                    rest = more;
                }
                None => break,
            }
        }
        self.rest = rest.trim_start_matches(' ');
        if self.rest.is_empty() || self.rest.starts_with([self.delimiter, '\r', '\n']) {
            return Ok(text);
        }
        Err(wrong(self.line, "text follows a closing quote"))
    }
}

/// Whichever of the usual delimiters stands most often in `header`, outside of quotes.
fn delimiter_of(header: &str) -> char {
    let mut counts = [(',', 0_usize), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for letter in header.chars() {
        quoted ^= letter == '"';
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == letter && !quoted) {
            *count += 1;
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    counts.iter().find(|(_, count)| *count == most).map_or(',', |(letter, _)| *letter)
}

fn wrong(line: usize, what: &str) -> CsvError {
    CsvError { line, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
        let mut csv = Csv::open(text.as_bytes()).map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        while let Some(record) = csv.record().map_err(|error| error.to_string())? {
            rows.push(record.cells.iter().map(ToString::to_string).collect());
        }
        Ok((csv.header, rows))
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = all("a,b\n1,2\n3,4\n").expect("plain");
        for text in [
            "\u{feff}a,b\r\n1,2\r\n3,4",
            "a;b\n1;2\n3;4\n",
            "a\tb\r\n1\t2\r\n\r\n3\t4\r\n",
            "\"a\",\"b\"\n\"1\",\"2\"\n 3 , 4 \n",
            "sep=;\r\na;b\r\n1;2\r\n3;4\r\n",
        ] {
            assert_eq!(all(text), Ok(plain.clone()), "{text:?}");
        }
        let (_, rows) = all("a,b\n\"x, \"\"y\"\"\nz\",\n").expect("quotes");
        assert_eq!(rows, [["x, \"y\"\nz", ""]]);
    }

    #[test]
    fn what_is_no_csv_is_told_with_its_line() {
        for (text, expected) in [
            ("", "line 1: no header"),
            ("a,a\n", "line 1: the column `a` stands twice"),
            ("a,b\n1,2\n3\n", "line 3: 1 cells, the header has 2"),
            ("a,b\n\"1,2\n", "line 2: a quote is not closed"),
            ("a,b\n\"1\"x,2\n", "line 2: text follows a closing quote"),
        ] {
            assert_eq!(all(text), Err(expected.to_owned()));
        }
        assert!(Csv::open(&[0xFF, 0xFE, b'a', 0]).expect_err("UTF-16").what.contains("UTF-16"));
        assert_eq!(Csv::open(b"a\n1\n\xE4\n").expect_err("Latin-1").line, 3);
    }
}
