//! Why a model file was refused: the line, what was found, what was expected.

use super::super::limits::MAX_MODEL_BYTES;

/// Characters of the file that a message repeats at most.
const MAX_QUOTE: usize = 40;

/// A refused model file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable LightGBM model: line {line}: {problem}")]
pub struct ParseError {
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// What is wrong there.
    pub problem: Fault,
}

/// What is wrong with a model file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than [`MAX_MODEL_BYTES`].
    #[error("the file has {bytes} bytes, a model has at most {MAX_MODEL_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// The first line is something else than `tree`.
    #[error("a model starts with the line `tree`, this file with `{found}`")]
    NotAModel {
        /// The first line's start.
        found: String,
    },
    /// A version this parser does not know.
    #[error("version `{found}` is not known: v3 and v4 are")]
    Version {
        /// The version.
        found: String,
    },
    /// The file ends where more must follow.
    #[error("the file ends in the middle: `end of trees` is missing; copy it again")]
    Cut,
    /// A key that must be there is not.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A key stands twice.
    #[error("`{key}` stands here a second time")]
    Twice {
        /// The key.
        key: String,
    },
    /// A key that no tree has.
    #[error("a tree has no key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A value that is not the number it should be.
    #[error("`{key}` holds `{found}`, which is not {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value's start.
        found: String,
        /// What belongs there.
        expected: String,
    },
    /// A list of the wrong length.
    #[error("`{key}` has {found} values instead of {expected}")]
    Length {
        /// The key.
        key: &'static str,
        /// How many there are (more may follow).
        found: usize,
        /// How many belong there.
        expected: usize,
    },
    /// Linear trees.
    #[error("linear trees are not supported: train with linear_tree=false")]
    Linear,
    /// An objective LightGBM does not have.
    #[error("objective `{found}` is not known")]
    Objective {
        /// The objective's start.
        found: String,
    },
    /// The number of trees does not fit the rest.
    #[error("there are {found} trees, {expected}")]
    Trees {
        /// How many there are.
        found: usize,
        /// What was expected, in words.
        expected: String,
    },
    /// Trees out of order.
    #[error("tree {found} stands where tree {expected} belongs: the file was cut or reordered")]
    Order {
        /// The number found.
        found: String,
        /// The number expected.
        expected: usize,
    },
    /// A tree whose text is not as long as the header says.
    #[error("tree {tree} has {found} bytes, `tree_sizes` says {expected}: the file was changed after it was written")]
    Size {
        /// The tree.
        tree: usize,
        /// Its bytes.
        found: usize,
        /// The header's.
        expected: usize,
    },
    /// A child graph that is not a tree.
    #[error("tree {tree}: {what}")]
    Shape {
        /// The tree.
        tree: usize,
        /// What is wrong with its children.
        what: String,
    },
}

impl Fault {
    /// This problem, in `line`.
    pub(super) fn at(self, line: usize) -> ParseError {
        ParseError { line, problem: self }
    }

    /// A number outside of its range.
    pub(super) fn bad(key: &'static str, found: &str, expected: impl Into<String>) -> Self {
        Self::BadValue { key, found: quote(found), expected: expected.into() }
    }
}

/// The start of `text`, for a message.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        short.push_str("...");
    }
    short
}
