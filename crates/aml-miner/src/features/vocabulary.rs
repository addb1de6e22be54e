//! The words of the room: kinds of rows, schemas, tables and their columns, matrices, and arithmetic of numbers that
//! may be missing. Knows no feature.

mod matrix;
mod numbers;
mod part;
mod reads;
mod rows;
mod schema;

pub use matrix::Matrix;
pub use part::Part;
pub use schema::{RowKind, SCHEMA_VERSION, Schema};

pub(crate) use numbers::{count, ratio, signed_log};
pub(crate) use reads::Reads;
pub(crate) use rows::{NONE, Rows, index};
