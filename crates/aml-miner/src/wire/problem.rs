//! What is wrong with a request body, in the form in which FastAPI and pydantic tell it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::rules::{NumberBreach, TextBreach};
use crate::table::spec::ColumnSpec;

/// One step of the way to a value: a key or an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// An index of a list.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The way to the value, such as `["body", "alerts", 3, "severity"]`.
    pub loc: Vec<Step>,
    /// What is wrong, for a person.
    pub msg: String,
    /// What is wrong, for a program: one of pydantic's names where it has one.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value that was given; a long one is cut.
    pub input: Value,
}

/// A kind of problem: pydantic's name and its message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Missing,
    NotAnObject,
    NotAList,
    NotText,
    EmptyText,
    NulInText,
    NotANumber,
    NotNumeric,
    NotFinite,
    NotWhole,
    TooSmall(f64),
    TooLarge(f64),
    NotABool,
    NotADate,
    NotATime,
    TimeIn(&'static str),
    UnknownSeverity,
    DuplicateKey,
    DuplicateId,
    TooManyRows(usize),
    TooManyItems(usize),
    TooSparse,
}

impl Fault {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotAnObject => "dict_type",
            Self::NotAList => "list_type",
            Self::NotText => "string_type",
            Self::EmptyText => "string_too_short",
            Self::NulInText => "string_pattern_mismatch",
            Self::NotANumber => "float_type",
            Self::NotNumeric => "float_parsing",
            Self::NotFinite => "finite_number",
            Self::NotWhole => "int_from_float",
            Self::TooSmall(_) => "greater_than_equal",
            Self::TooLarge(_) => "less_than_equal",
            Self::NotABool => "bool_parsing",
            Self::NotADate => "date_from_datetime_parsing",
            Self::NotATime | Self::TimeIn(_) => "datetime_parsing",
            Self::UnknownSeverity => "literal_error",
            Self::DuplicateKey => "duplicate_key",
            Self::DuplicateId => "duplicate_id",
            Self::TooManyRows(_) | Self::TooManyItems(_) => "too_long",
            Self::TooSparse => "too_sparse",
        }
    }

    pub(crate) fn message(self) -> String {
        match self {
            Self::TooSmall(least) => format!("Input should be greater than or equal to {least}"),
            Self::TooLarge(most) => format!("Input should be less than or equal to {most}"),
            Self::TooManyRows(most) | Self::TooManyItems(most) => {
                format!("List should have at most {most} items")
            }
            Self::TimeIn(unit) => format!("Input should be in milliseconds since 1970: {unit}?"),
            other => other.fixed_message().to_owned(),
        }
    }

    /// What `breach` is called here.
    pub(crate) fn of(breach: NumberBreach, about: &ColumnSpec) -> Self {
        match breach {
            NumberBreach::Missing => Self::Missing,
            NumberBreach::NotFinite => Self::NotFinite,
            NumberBreach::TooSmall => Self::TooSmall(about.min),
            NumberBreach::TooLarge => Self::TooLarge(about.max),
            NumberBreach::NotWhole => Self::NotWhole,
        }
    }

    fn fixed_message(self) -> &'static str {
        match self {
            Self::Missing => "Field required",
            Self::NotAnObject => "Input should be a valid dictionary",
            Self::NotAList => "Input should be a valid list",
            Self::NotText => "Input should be a valid string",
            Self::EmptyText => "String should have at least 1 character",
            Self::NulInText => "String should not contain U+0000",
            Self::NotANumber => "Input should be a valid number",
            Self::NotNumeric => "Input should be a valid number, unable to parse string as a number",
            Self::NotFinite => "Input should be a finite number",
            Self::NotWhole => "Input should be a valid integer, got a number with a fractional part",
            Self::NotABool => "Input should be a valid boolean",
            Self::NotADate => "Input should be a valid date in the format YYYY-MM-DD",
            Self::NotATime => "Input should be milliseconds since 1970 or a time in ISO 8601",
            Self::UnknownSeverity => "Input should be 'low', 'medium', 'high' or 'critical'",
            Self::DuplicateKey => "Key is given more than once in one row",
            Self::DuplicateId => "Identifier is used by an earlier row",
            Self::TooSparse => "Rows differ too much in their keys: most cells of this table would be empty",
            _ => "Input is not valid",
        }
    }
}

impl From<TextBreach> for Fault {
    fn from(breach: TextBreach) -> Self {
        match breach {
            TextBreach::Missing => Self::EmptyText,
            TextBreach::UnknownSeverity => Self::UnknownSeverity,
            TextBreach::Nul { .. } => Self::NulInText,
        }
    }
}

/// A fault at a place of a table; rows are counted from where the reader of the table began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub row: Option<usize>,
    pub key: Option<String>,
    pub item: Option<usize>,
    pub fault: Fault,
    pub input: String,
}

/// How much of a wrong value is repeated in the answer.
const SHOWN: usize = 100;

impl Found {
    pub(crate) fn of_row(row: usize, fault: Fault) -> Self {
        Self { row: Some(row), key: None, item: None, fault, input: String::new() }
    }

    pub(crate) fn of_table(fault: Fault) -> Self {
        Self { row: None, key: None, item: None, fault, input: String::new() }
    }

    pub(crate) fn at_key(self, key: &str) -> Self {
        Self { key: Some(cut(key)), ..self }
    }

    pub(crate) fn with_input(self, raw: &str) -> Self {
        Self { input: cut(raw), ..self }
    }

    /// The problem as the caller sees it, the table's rows beginning at `base`.
    pub(crate) fn tell(self, table: &str, base: usize) -> Problem {
        let mut loc = vec![Step::from("body")];
        if !table.is_empty() {
            loc.push(Step::from(table));
        }
        loc.extend(self.row.map(|row| Step::Index(base + row)));
        loc.extend(self.key.map(Step::Key));
        loc.extend(self.item.map(Step::Index));
        let input = if self.input.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.input).unwrap_or_else(|_| Value::String(self.input.clone()))
        };
        Problem { loc, msg: self.fault.message(), kind: self.fault.kind().to_owned(), input }
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}

/// The first problems found, and no more than the answer may hold.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Found>,
    most: usize,
}

impl Problems {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { found: Vec::new(), most }
    }

    /// Keeps `found` unless there are enough; it is only built when it is kept.
    pub(crate) fn add(&mut self, found: impl FnOnce() -> Found) {
        if self.found.len() < self.most {
            self.found.push(found());
        }
    }

    pub(crate) fn into_found(self) -> Vec<Found> {
        self.found
    }
}
