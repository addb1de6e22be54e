//! One feature builder for training and serving: from a batch to a matrix under a schema.

pub mod matrix;
pub mod schema;

pub use matrix::Matrix;
pub use schema::{RowKind, Schema};
