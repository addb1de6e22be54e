//! The state of addresses that models with features of earlier days need.

use std::sync::Arc;

use crate::features::FeatureBuilder;
use crate::history::{History, HistoryError};
use crate::models::ModelFiles;

/// A model with features of earlier days, and no state to take them from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {0} has features of earlier days and needs a state of addresses: build one with `aml-miner-batch history` and name it \
     (--history, HISTORY_STATE_PATH, models.history)"
)]
pub struct NeedsState(pub String);

impl ModelFiles {
    /// The state of addresses, where one is named.
    ///
    /// # Errors
    /// When the file cannot be read, or is no state.
    pub fn state(&self) -> Result<Option<Arc<History>>, HistoryError> {
        self.history.as_deref().map(|path| History::read(path).map(Arc::new)).transpose()
    }
}

/// `builder`, of the model called `name`, with the state that it needs.
///
/// # Errors
/// When it needs one and there is none.
pub fn with_state(
    builder: FeatureBuilder,
    name: &str,
    state: Option<&Arc<History>>,
) -> Result<FeatureBuilder, NeedsState> {
    match (builder.needs_history(), state) {
        (true, None) => Err(NeedsState(name.to_owned())),
        (_, state) => Ok(builder.knowing(state.cloned())),
    }
}
