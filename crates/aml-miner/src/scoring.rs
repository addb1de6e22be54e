//! From a batch and a model to scores and what explains them: the server and the offline scorer share all of this.
//!
//! A matrix is worked through in blocks of rows, spread over the rayon pool that the caller runs in; no score and no
//! explanation depends on where a block begins. Between two blocks the work looks whether it is still wanted.

mod blocks;
mod choice;
mod explanation;
mod prepared;
mod ranks;
mod stop;

pub use blocks::{Pool, Wanted};
pub use choice::{Choice, Named, chosen, is_severe, severe};
pub use explanation::{Extent, TOP_FEATURES, TopFeature, top_features};
pub use prepared::{Block, Prepared, ScoredRow};
pub use ranks::ranks;
pub use stop::{Stop, Stopped};
