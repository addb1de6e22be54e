//! What a round will need of this machine's disks, looked at before it is needed: cached batches that can be read, and in
//! time; room for answers that arrive.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::world::{Source, Time};

/// How often the cache is looked over.
const EVERY: Duration = Duration::from_secs(3600);

/// What is wrong with the cache of batches, as it was last looked over.
#[derive(Debug, Default)]
pub struct Upkeep(RwLock<Vec<String>>);

impl Upkeep {
    /// What is wrong; empty when nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what was found.
    pub fn put(&self, problems: Vec<String>) {
        for problem in &problems {
            tracing::error!(problem, "a batch in the cache is of no use");
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = problems;
    }

    /// Looks over the cache of `source` now and every hour, until `stop`.
    pub async fn keep(&self, source: &dyn Source, time: &dyn Time, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let Some(problems) = stop.run_until_cancelled(source.look_over()).await else { return };
            self.put(problems);
            stop.run_until_cancelled(time.sleep(EVERY)).await;
        }
    }
}
