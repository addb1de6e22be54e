//! Models: bundles, the bounded parser, tree evaluation, exact contributions, scorers and ranker.

pub mod alert_ranker;
mod alert_scorer;
pub mod base_model;
pub(crate) mod blocks;
pub mod bundle;
pub mod calibration;
mod cluster_scorer;
pub mod explanation;
pub mod lightgbm;
pub mod shap;
mod tree_model;
pub mod trees;

pub use alert_ranker::AlertRanker;
pub use alert_scorer::AlertScorer;
pub use base_model::{BaseModel, Contributions};
pub use bundle::{Bundle, ModelKind};
pub use calibration::Calibration;
pub use cluster_scorer::ClusterScorer;
pub use tree_model::ModelError;
