//! What travels between a caller and the inference API: the tables of a batch and the answers.
//!
//! No heavy dependency lives here: the validator builds its requests from these types without polars or LightGBM.

pub mod batch;
pub mod body;
mod column;
pub mod detail;
mod json;
pub mod problem;
pub mod reply;
pub mod spec;
pub mod table;

pub use batch::Batch;
pub use body::{InOrder, Limits, Needs, ReadBodyError, Reading, Spread, read_body, write_body};
pub use detail::Detail;
pub use problem::{Problem, Step};
pub use reply::{ClusterRow, RankRow, ScoreRow};
pub use spec::{ColumnSpec, ColumnType, TableSpec};
pub use table::{Column, NumberLists, Table, TextColumn, TextLists};
