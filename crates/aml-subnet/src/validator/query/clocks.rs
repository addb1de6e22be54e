//! Two clocks: a rehearsal of past days goes by another one than requests are signed by.

use std::sync::Arc;

use aml_miner::clock::{Clock, SystemClock};

/// The clocks of an asker.
#[derive(Clone)]
pub struct Clocks {
    /// What rounds and their deadlines go by.
    pub rounds: Arc<dyn Clock>,
    /// What requests are signed with: miners compare it with their own.
    pub stamps: Arc<dyn Clock>,
}

impl Clocks {
    /// The machine's, for both.
    #[must_use]
    pub fn of_the_machine() -> Self {
        Self { rounds: Arc::new(SystemClock), stamps: Arc::new(SystemClock) }
    }
}
