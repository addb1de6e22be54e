//! What travels between a caller and the inference API: the tables of a batch and the answers.
//!
//! No heavy dependency lives here: the validator builds its requests from these types without polars or LightGBM.

pub mod body;
pub mod detail;
pub mod explain;
mod json;
pub mod problem;
pub mod reply;

pub use body::{
    Body, BodyLimits, InOrder, Needs, ReadBodyError, Reading, Spread, read_body, read_body_and_keys, write_body,
};
pub use detail::Detail;
pub use explain::{Explain, NotExplain, Share};
pub use problem::{Problem, Step};
pub use reply::{ClusterRow, RankRow, ScoreRow};

pub use crate::table::{
    self, Batch, Column, ColumnSpec, ColumnType, NumberLists, Table, TableSpec, TextColumn, TextLists, spec,
};
