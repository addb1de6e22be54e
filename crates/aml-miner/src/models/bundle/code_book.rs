//! The code book of a model's categories: at the end of LightGBM's file (pandas' categories), or part of the model.
//!
//! A model that was trained on a data frame with columns of categories splits by their codes, which are places in lists of
//! values; the file's last lines hold the lists. A value becomes the place at which its list has it, one that no list has
//! is missing: what LightGBM's Python package does.

use serde_json::Value;

use crate::trees::model::{Library, Model};

/// How the line with the lists begins.
const LISTS: &str = "pandas_categorical:";
/// How the line with the columns begins.
const COLUMNS: &str = "[categorical_feature:";
/// Values of one list: more than LightGBM makes splits of.
const MAX_VALUES: usize = 100_000;

/// The lists of a model's categories by column; most models have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodeBook {
    columns: Vec<Codes>,
}

/// The values of one column and their codes, by value.
#[derive(Clone, Debug, PartialEq)]
struct Codes {
    column: usize,
    values: Vec<(f64, f64)>,
}

/// A code book that values of features cannot be looked up in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeBookError {
    /// Not a list of lists.
    #[error("the code book of pandas' categories at the end of the file is not a list of lists")]
    Layout,
    /// Lists without a column, or columns without a list.
    #[error(
        "the code book at the end of the file has {lists} lists of pandas' categories, the parameters name {columns} \
         categorical features: which list is whose cannot be told (ordered categories? train on plain numbers)"
    )]
    Count {
        /// Lists.
        lists: usize,
        /// Categorical features of the parameters.
        columns: usize,
    },
    /// A category that is no number.
    #[error(
        "the pandas category `{value}` of feature {column} is not a number, and every feature here is: train on numbers"
    )]
    NotANumber {
        /// Place of the feature.
        column: usize,
        /// The category.
        value: String,
    },
}

impl CodeBook {
    /// The code book of a model and its file.
    ///
    /// # Errors
    /// When it is there and cannot be used: the model's codes would mean something else.
    pub fn of(model: &Model, file: &[u8]) -> Result<Self, CodeBookError> {
        if model.library == Library::LightGbm {
            return Self::at_the_end_of(&String::from_utf8_lossy(file));
        }
        let book = |list: &crate::trees::model::CodeList| Codes::new(list.feature, list.values.iter().copied());
        Ok(Self { columns: model.code_books.iter().map(book).collect() })
    }

    /// The code book at the end of LightGBM's file.
    fn at_the_end_of(model_text: &str) -> Result<Self, CodeBookError> {
        let Some(lists) = model_text.lines().rev().take(16).find_map(|line| line.strip_prefix(LISTS)) else {
            return Ok(Self::default());
        };
        let lists = match serde_json::from_str(lists.trim()).map_err(|_| CodeBookError::Layout)? {
            Value::Null => return Ok(Self::default()),
            Value::Array(lists) => lists,
            _ => return Err(CodeBookError::Layout),
        };
        let named = model_text.lines().rev().find_map(|line| line.strip_prefix(COLUMNS));
        let named = named.unwrap_or_default().trim_end_matches(']').split(',');
        let columns: Vec<usize> = named.filter_map(|place| place.trim().parse().ok()).collect();
        if lists.is_empty() {
            return Ok(Self::default());
        }
        if lists.len() != columns.len() {
            return Err(CodeBookError::Count { lists: lists.len(), columns: columns.len() });
        }
        let columns =
            columns.into_iter().zip(lists).map(|(column, list)| codes(column, &list)).collect::<Result<_, _>>()?;
        Ok(Self { columns })
    }

    /// Whether values are what the model takes already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// `rows` of `width` values with categories by their codes.
    #[must_use]
    pub fn translate(&self, rows: &[f64], width: usize) -> Vec<f64> {
        let mut rows = rows.to_vec();
        for row in rows.chunks_mut(width.max(1)) {
            for codes in &self.columns {
                if let Some(value) = row.get_mut(codes.column) {
                    *value = codes.of(*value);
                }
            }
        }
        rows
    }
}

impl Codes {
    /// Codes are the places of the values.
    #[expect(clippy::cast_precision_loss, reason = "a list has at most MAX_VALUES values")]
    fn new(column: usize, values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.enumerate().map(|(code, value)| (value + 0.0, code as f64)).collect();
        values.sort_by(|left, right| left.0.total_cmp(&right.0));
        Self { column, values }
    }

    fn of(&self, value: f64) -> f64 {
        // Negative and positive zero are one value, as in a data frame.
        let place = self.values.binary_search_by(|(known, _)| known.total_cmp(&(value + 0.0)));
        place.map_or(f64::NAN, |place| self.values[place].1)
    }
}

fn codes(column: usize, list: &Value) -> Result<Codes, CodeBookError> {
    let list = list.as_array().filter(|list| list.len() <= MAX_VALUES).ok_or(CodeBookError::Layout)?;
    let number = |value: &Value| {
        let number = match value {
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            other => other.as_f64(),
        };
        let told = || value.to_string().chars().take(40).collect();
        number.ok_or_else(|| CodeBookError::NotANumber { column, value: told() })
    };
    let values = list.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    Ok(Codes::new(column, values.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(end: &str) -> Result<CodeBook, CodeBookError> {
        CodeBook::at_the_end_of(&format!("tree\n[categorical_feature: 1,3]\nend of parameters\n\n{end}\n"))
    }

    #[test]
    fn values_become_their_places_and_others_are_missing() {
        let book = book("pandas_categorical:[[5.0, -2, 0], [true, false]]").expect("a book");
        let rows = book.translate(&[9.0, 5.0, 9.0, 1.0, 9.0, -0.0, 9.0, 0.0, 9.0, 5.5, 9.0, f64::NAN], 4);
        let shown: Vec<String> = rows.iter().map(f64::to_string).collect();
        assert_eq!(shown, ["9", "0", "9", "0", "9", "2", "9", "1", "9", "NaN", "9", "NaN"]);
    }

    #[test]
    fn a_model_without_categories_has_no_book() {
        for end in ["", "pandas_categorical:null", "pandas_categorical:[]"] {
            assert!(book(end).expect("good").is_empty(), "{end}");
        }
    }

    #[test]
    fn a_book_that_cannot_be_used_is_refused() {
        assert_eq!(book("pandas_categorical:[[1]]"), Err(CodeBookError::Count { lists: 1, columns: 2 }));
        assert_eq!(book("pandas_categorical:{}"), Err(CodeBookError::Layout));
        assert_eq!(book("pandas_categorical:[1, 2]"), Err(CodeBookError::Layout));
        let text = book("pandas_categorical:[[\"low\", \"high\"], [1]]").expect_err("no number").to_string();
        assert!(text.contains("`\"low\"` of feature 1"), "{text}");
    }
}
