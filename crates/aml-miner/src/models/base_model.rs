//! What every model offers to the server, the offline scorer and the trainer's comparison.
//!
//! The slice methods take any number of whole rows and know nothing of threads: a caller splits a matrix into blocks
//! of rows as it likes, and every split gives the same bits.

use crate::digest::Digest;
use crate::features::{Matrix, Schema};

/// Exact contributions of every feature to every row's raw score (log-odds for a binary model).
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Expected raw score over the training data; the same for every row.
    pub base_value: f64,
    /// One row per row of the input, one column per feature; a row's sum plus `base_value` is its raw score.
    pub values: Matrix,
}

/// A model that turns rows of its schema into scores.
///
/// Implement it to serve a model of your own: `docs/customization.md` shows one from end to end. Rows are row-major
/// doubles in the schema's order, NaN for missing.
pub trait BaseModel: Send + Sync {
    /// What the model is for, such as `alert_scorer`.
    fn name(&self) -> &str;

    /// Semantic version and the first 12 hex digits of the model file's SHA-256, such as `1.0.0+0a1b2c3d4e5f`.
    fn version(&self) -> &str;

    /// SHA-256 of the model file.
    fn digest(&self) -> Digest;

    /// The features it takes, in order.
    fn schema(&self) -> &Schema;

    /// The expected raw score over the training data, where every row's explanation starts.
    fn base_value(&self) -> f64;

    /// Writes one raw score a row (log-odds for a binary model).
    ///
    /// # Panics
    /// When `rows` is not one row of the schema for every place in `raw`.
    fn raw_into(&self, rows: &[f64], raw: &mut [f64]);

    /// Writes one score per row, independent of the other rows.
    ///
    /// # Panics
    /// When `rows` is not one row of the schema for every place in `scores`.
    fn predict_into(&self, rows: &[f64], scores: &mut [f64]);

    /// Writes the contribution of every value in `rows` to its row's raw score.
    ///
    /// # Panics
    /// When the two slices differ in length or are not whole rows of the schema.
    fn explain_into(&self, rows: &[f64], contributions: &mut [f64]);

    /// Both at once, for a model that can share work between them.
    ///
    /// # Panics
    /// As the two alone.
    fn predict_and_explain_into(&self, rows: &[f64], scores: &mut [f64], contributions: &mut [f64]) {
        self.predict_into(rows, scores);
        self.explain_into(rows, contributions);
    }

    /// About how many multiply-adds the explanation of one row takes, where that is known; one to two nanoseconds
    /// each.
    fn explain_steps(&self) -> Option<u64> {
        None
    }

    /// The library that made it, in words for an operator; `None` where nobody knows.
    fn made_by(&self) -> Option<String> {
        None
    }

    /// How far a raw score may be from the sum of its parts beyond the rounding of doubles: models that add up 32-bit floats
    /// round on the way.
    fn raw_rounding(&self) -> f64 {
        0.0
    }

    /// One score per row.
    fn predict(&self, matrix: &Matrix) -> Vec<f64> {
        let mut scores = vec![0.0; matrix.rows()];
        self.predict_into(matrix.values(), &mut scores);
        scores
    }

    /// The contributions behind each row's raw score.
    fn explain(&self, matrix: &Matrix) -> Contributions {
        let mut values = Matrix::missing(matrix.rows(), matrix.columns());
        self.explain_into(matrix.values(), values.values_mut());
        Contributions { base_value: self.base_value(), values }
    }
}
