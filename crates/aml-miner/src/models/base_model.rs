//! What every model offers to the server, the offline scorer and the trainer's comparison.

use crate::features::{Matrix, Schema};

/// Exact contributions of every feature to every row's raw score (log-odds for a binary model).
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Expected raw score over the training data; the same for every row.
    pub base_value: f64,
    /// One row a row of the input, one column a feature; a row's sum plus `base_value` is its raw score.
    pub values: Matrix,
}

/// A model that turns rows of its schema into scores.
///
/// Implement it to serve a model of your own: `docs/customization.md` shows one from end to end.
pub trait BaseModel: Send + Sync {
    /// Semantic version and the first 12 hex digits of the model file's SHA-256, such as `1.0.0+0a1b2c3d4e5f`.
    fn version(&self) -> &str;

    /// The features it takes, in order.
    fn schema(&self) -> &Schema;

    /// One score a row, independent of the other rows and of the number of threads.
    fn predict(&self, matrix: &Matrix) -> Vec<f64>;

    /// The contributions behind each row's raw score.
    fn explain(&self, matrix: &Matrix) -> Contributions;
}
