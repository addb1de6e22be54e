//! Settings as text: the lines of a `.env` file, and paths of the home directory.
//!
//! A value is what was written. Nothing is replaced in it, so `$` stands for itself; what cannot be read is an error
//! with its line, never a setting that is silently not there. Only the file that is named is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A `.env` file has some dozens of lines; a larger file is something else.
const MAX_BYTES: u64 = 1 << 20;

/// A variable that a file sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, as written.
    pub value: String,
    /// The line, from 1.
    pub line: usize,
}

/// A `.env` file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DotenvError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A line of it cannot be read.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it. The line is not repeated: it may hold a secret.
        what: &'static str,
    },
}

/// The variables of the file at `path` in its order; none where there is no such file.
///
/// # Errors
/// When it cannot be read, or a line of it is no `NAME=VALUE`.
pub fn read_dotenv(path: &Path) -> Result<Vec<Variable>, DotenvError> {
    let shown = path.display().to_string();
    let failed = |source| DotenvError::Read { path: shown.clone(), source };
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_BYTES} bytes"))));
    }
    parse(&bytes).map_err(|(line, what)| DotenvError::Line { path: shown.clone(), line, what })
}

fn parse(bytes: &[u8]) -> Result<Vec<Variable>, (usize, &'static str)> {
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let mut seen = BTreeMap::new();
    let mut variables = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = std::str::from_utf8(line).map_err(|_| (index + 1, "not UTF-8"))?.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = assignment(line).map_err(|what| (index + 1, what))?;
        if seen.insert(name.to_owned(), index).is_some() {
            return Err((index + 1, "an earlier line sets the same name"));
        }
        variables.push(Variable { name: name.to_owned(), value, line: index + 1 });
    }
    Ok(variables)
}

fn assignment(line: &str) -> Result<(&str, String), &'static str> {
    let stated = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = stated.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.trim();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(letter) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("expected NAME=VALUE, the name of letters, digits and _");
    }
    Ok((name, value_of(value.trim())?))
}

fn value_of(text: &str) -> Result<String, &'static str> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, after) = rest.split_once('\'').ok_or("a quote is not closed on its line")?;
        return ended(after).map(|()| value.to_owned());
    }
    if let Some(rest) = text.strip_prefix('"') {
        return double_quoted(rest);
    }
    if text.starts_with('#') {
        return Ok(String::new());
    }
    let (value, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if value.contains(['"', '\'']) {
        return Err("a quote inside a value: quote the whole value");
    }
    ended(after).map_err(|_| "a value with a space: put it in quotes, as in NAME=\"a b\"").map(|()| value.to_owned())
}

/// The value up to its closing quote; `\"`, `\\`, `\$` and `\n` are what they are in other tools.
fn double_quoted(rest: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return ended(letters.as_str()).map(|()| value),
            '\\' => match letters.next() {
                Some(known @ ('"' | '\\' | '$')) => value.push(known),
                Some('n') => value.push('\n'),
                _ => return Err("after \\ in double quotes stands \", \\, $ or n; single quotes take it as it is"),
            },
            other => value.push(other),
        }
    }
    Err("a quote is not closed on its line")
}

/// Nothing but a comment may follow a value.
fn ended(after: &str) -> Result<(), &'static str> {
    let comment = after.trim_start();
    let apart = comment.len() < after.len();
    if comment.is_empty() || apart && comment.starts_with('#') { Ok(()) } else { Err("text follows the value") }
}

/// `text` with a leading `~/` replaced by `home`.
///
/// # Errors
/// When it begins with the home of somebody else, or `home` is not known.
pub fn expand_home(text: &str, home: Option<&str>) -> Result<String, &'static str> {
    match text.strip_prefix('~') {
        None => Ok(text.to_owned()),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = home.filter(|home| !home.is_empty()).ok_or("`~` needs HOME, which is not set")?;
            Ok(format!("{}{rest}", home.trim_end_matches('/')))
        }
        Some(_) => Err("`~NAME` is not expanded: write the whole path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, (usize, &'static str)> {
        let pairs = |variables: Vec<Variable>| variables.into_iter().map(|one| (one.name, one.value)).collect();
        parse(text.as_bytes()).map(pairs)
    }

    #[test]
    fn a_value_is_what_was_written() {
        for (line, value) in [
            ("A=pa$$word", "pa$$word"),
            ("A='pa$word # ~'", "pa$word # ~"),
            ("A=\"pa$word\"", "pa$word"),
            ("A=\"a \\\"b\\\" \\\\ \\$\\n\"", "a \"b\" \\ $\n"),
            ("export A = x ", "x"),
            ("A=x # a comment", "x"),
            ("A=x#y", "x#y"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=''", ""),
            ("\u{feff}A=ws://h:1?a=b&c=%20", "ws://h:1?a=b&c=%20"),
            ("# B=1\n\nA=x\r\n", "x"),
        ] {
            assert_eq!(read(line), Ok(vec![("A".to_owned(), value.to_owned())]), "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told() {
        for (line, part) in [
            ("A=/data/my batches", "space"),
            ("A", "NAME=VALUE"),
            ("=x", "NAME=VALUE"),
            ("A-B=x", "NAME=VALUE"),
            ("1A=x", "NAME=VALUE"),
            ("A='x", "not closed"),
            ("A=\"x", "not closed"),
            ("A='x'y", "follows"),
            ("A=x\"y\"", "quote"),
            ("A=\"\\x\"", "after"),
            ("A=1\nA=2", "earlier line"),
        ] {
            let (_, what) = read(line).expect_err(line);
            assert!(what.contains(part), "{line}: {what}");
        }
        assert_eq!(read("A=1\n\nB C\n").expect_err("no value").0, 3);
        assert!(parse(b"A=\xFF").is_err());
    }

    #[test]
    fn the_home_directory_is_expanded_or_refused() {
        assert_eq!(expand_home("~/a", Some("/h/")), Ok("/h/a".to_owned()));
        assert_eq!(expand_home("~", Some("/h")), Ok("/h".to_owned()));
        assert_eq!(expand_home("a~b", None), Ok("a~b".to_owned()));
        assert!(expand_home("~/a", None).is_err() && expand_home("~bob/a", Some("/h")).is_err());
    }
}
