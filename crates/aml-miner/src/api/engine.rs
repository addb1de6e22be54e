//! Where scoring happens: threads of its own, a bounded number of jobs at once, a bounded queue.
//!
//! There are two lanes. Batches share a pool whose threads may take each other's blocks of rows; small requests have a
//! pool of their own and are never behind a batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::{ApiError, ErrorCode};
use crate::config::WorkSettings;
use crate::scoring::Stop;

/// Threads for small requests, unless fewer jobs may run at once: each takes a fraction of a millisecond.
const QUICK_THREADS: usize = 2;

/// Runs jobs.
pub struct Engine {
    batches: Lane,
    quick: Lane,
    /// One permit a job that is running or waiting.
    admitted: Arc<Semaphore>,
    places: usize,
}

/// Threads, and how many jobs they take at once.
struct Lane {
    pool: rayon::ThreadPool,
    /// One permit a running job.
    running: Arc<Semaphore>,
    jobs: usize,
}

/// Which threads a job runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Anything.
    Batch,
    /// A few rows.
    Quick,
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
    _permit: OwnedSemaphorePermit,
}

/// Stops a job when whoever waits for it goes away.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl Lane {
    fn new(name: &'static str, threads: usize, jobs: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = builder.thread_name(move |i| format!("{name}-{i}")).build()?;
        Ok(Self { pool, running: Arc::new(Semaphore::new(jobs)), jobs })
    }

    fn busy(&self) -> usize {
        self.jobs - self.running.available_permits()
    }
}

impl Engine {
    /// An engine with its threads started.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(work: WorkSettings) -> Result<Self, rayon::ThreadPoolBuildError> {
        let places = work.jobs + work.queue;
        Ok(Self {
            batches: Lane::new("score", work.threads, work.jobs)?,
            quick: Lane::new("quick", QUICK_THREADS.min(work.jobs), QUICK_THREADS.min(work.jobs))?,
            admitted: Arc::new(Semaphore::new(places)),
            places,
        })
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let running = self.batches.busy() + self.quick.busy();
        let admitted = self.places - self.admitted.available_permits();
        Load { running, queued: admitted.saturating_sub(running) }
    }

    /// Number of threads for batches.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.batches.pool.current_num_threads()
    }

    /// Takes a place in the queue.
    pub(super) fn admit(&self) -> Result<Place, ApiError> {
        let full = |_| ApiError::new(ErrorCode::Overloaded, "Too many requests are waiting; try again");
        Arc::clone(&self.admitted).try_acquire_owned().map(|permit| Place { _permit: permit }).map_err(full)
    }

    /// Runs `job` when it is its turn. When the caller no longer waits, the job is told by its flag.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce(&Stop) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let lane = if work == Work::Quick { &self.quick } else { &self.batches };
        let turn = Arc::clone(&lane.running).acquire_owned().await.map_err(ApiError::internal)?;
        let (answer, answered) = oneshot::channel();
        let waiting = StopOnDrop(Stop::default());
        let stop = waiting.0.clone();
        lane.pool.spawn(move || {
            // State that a panic could leave half-written is only the job's own.
            let outcome = catch_unwind(AssertUnwindSafe(|| job(&stop)));
            drop(turn);
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
