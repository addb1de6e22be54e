//! From names to numbers: the names of a schema become computations once, and these are bound to the tables of each
//! batch.

mod bound;
mod expression;
mod op;
mod resolve;
mod schema_error;

pub use schema_error::SchemaError;

pub(crate) use bound::{Bound, RowsOf, bound, fill};
pub(crate) use expression::Expression;
pub(crate) use op::Op;
pub(crate) use resolve::{check_custom, expressions};
