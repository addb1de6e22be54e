//! Where scoring happens: a pool of threads of its own, a bounded number of jobs at once, a bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};

use super::error::{ApiError, ErrorCode};
use crate::config::WorkSettings;

/// Runs jobs.
pub struct Engine {
    pool: rayon::ThreadPool,
    /// One permit a job that is running or waiting.
    admitted: Arc<Semaphore>,
    /// One permit a running job.
    running: Arc<Semaphore>,
    work: WorkSettings,
}

/// How busy an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait.
    pub queued: usize,
}

/// A place in the queue; whoever has one will be served.
pub(super) struct Place {
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Engine {
    /// An engine with its threads started.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(work: WorkSettings) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(work.threads).thread_name(|i| format!("score-{i}")).build()?;
        let admitted = Arc::new(Semaphore::new(work.jobs + work.queue));
        Ok(Self { pool, admitted, running: Arc::new(Semaphore::new(work.jobs)), work })
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let running = self.work.jobs - self.running.available_permits();
        let admitted = self.work.jobs + self.work.queue - self.admitted.available_permits();
        Load { running, queued: admitted.saturating_sub(running) }
    }

    /// Number of scoring threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Takes a place in the queue.
    pub(super) fn admit(&self) -> Result<Place, ApiError> {
        let full = |_| ApiError::new(ErrorCode::Overloaded, "Too many requests are waiting; try again");
        Arc::clone(&self.admitted).try_acquire_owned().map(|permit| Place { _permit: permit }).map_err(full)
    }

    /// Runs `job` when it is its turn.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        place: Place,
        job: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(ApiError::internal)?;
        let (answer, answered) = oneshot::channel();
        self.pool.spawn(move || {
            // State that a panic could leave half-written is only the job's own.
            let outcome = catch_unwind(AssertUnwindSafe(job));
            drop((turn, place));
            // A caller that went away is no longer listening.
            let _ = answer.send(outcome);
        });
        match answered.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ApiError::internal("a scoring job panicked")),
            Err(_) => Err(ApiError::internal("the scoring threads are gone")),
        }
    }
}
