//! Models: bundles on disk, what every model offers, calibration, and the tree models of the three kinds.

pub mod base_model;
pub mod bundle;
pub mod calibration;
mod files;
mod pairing;
mod state;
mod tree_model;

pub use base_model::{BaseModel, Contributions};
pub use bundle::{Bundle, ModelKind};
pub use calibration::Calibration;
pub use files::{FindModelsError, ModelFiles};
pub use pairing::{OtherScorer, check_pair};
pub use state::{NeedsState, with_state};
pub use tree_model::{ModelError, TreeModel};
