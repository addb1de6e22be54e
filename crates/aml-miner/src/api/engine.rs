//! Where scoring happens: threads of its own, a bounded number of jobs at once, a bounded queue.
//!
//! There are two lanes. Batches share a pool whose threads may take each other's blocks of rows; small requests have a
//! pool of their own and are never behind a batch. Among batches, large ones wait for large ones alone, however many
//! somebody sends. Places belong to whoever waits for a job: one who goes away gives them back at once, and the job ends
//! where it next looks at its flag.

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
    /// The permits of large batches, which run on the same threads.
    large: Permits,
    quick: Lane,
    /// One permit a job that is running or waiting.
    admitted: Arc<Semaphore>,
    places: usize,
}

/// Threads, and how many jobs they take at once.
struct Lane {
    pool: rayon::ThreadPool,
    permits: Permits,
}

/// One permit a running job.
struct Permits {
    free: Arc<Semaphore>,
    jobs: usize,
}

impl Permits {
    fn new(jobs: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(jobs)), jobs }
    }

    fn busy(&self) -> usize {
        self.jobs - self.free.available_permits()
    }
}

/// Which threads a job runs on, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// So much that others should not wait for it.
    Large,
    /// Anything else.
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
        Ok(Self { pool, permits: Permits::new(jobs) })
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
            large: Permits::new(work.jobs),
            quick: Lane::new("quick", QUICK_THREADS.min(work.jobs), QUICK_THREADS.min(work.jobs))?,
            admitted: Arc::new(Semaphore::new(places)),
            places,
        })
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let running = self.batches.permits.busy() + self.large.busy() + self.quick.permits.busy();
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

    /// Runs `job` when it is its turn. When the caller no longer waits, its turn is over and the job is told by its flag.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce(&Stop) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let lane = if work == Work::Quick { &self.quick } else { &self.batches };
        let permits = if work == Work::Large { &self.large } else { &lane.permits };
        let _turn = permits.free.acquire().await.map_err(ApiError::internal)?;
        let (answer, answered) = oneshot::channel();
        let waiting = StopOnDrop(Stop::default());
        let stop = waiting.0.clone();
        lane.pool.spawn(move || {
            // State that a panic could leave half-written is only the job's own.
            let outcome = catch_unwind(AssertUnwindSafe(|| job(&stop)));
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
