//! Models: bundles, the bounded parser, tree evaluation, exact contributions, scorers and ranker.

pub mod base_model;

pub use base_model::{BaseModel, Contributions};
