//! Threads for work that takes a processor, not the world's time.

use std::num::NonZero;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::task::JoinError;

/// Work that nobody else need wait for.
pub type Job = Box<dyn FnOnce() + Send>;

/// Runs work that takes its time.
pub trait Workers: Send + Sync {
    /// Runs `job`, now or soon.
    fn run(&self, job: Job);

    /// How many jobs go on at a time, so that more need not be prepared.
    fn threads(&self) -> usize;
}

/// The runtime's threads that may block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Workers for Threads {
    fn run(&self, job: Job) {
        // Whoever waits for it hears of its end by other means.
        drop(tokio::task::spawn_blocking(job));
    }

    fn threads(&self) -> usize {
        std::thread::available_parallelism().map_or(2, NonZero::get)
    }
}

/// Work that ended in a panic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrokeOff(String);

impl From<JoinError> for BrokeOff {
    fn from(error: JoinError) -> Self {
        Self(error.to_string())
    }
}

impl dyn Workers + '_ {
    /// What `work` comes to. It begins at once, and is not ended by dropping this.
    pub fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, BrokeOff>> {
        let (sender, done) = oneshot::channel();
        self.run(Box::new(move || drop(sender.send(work()))));
        // The panic's own words are on standard error.
        let broken = || BrokeOff("work on another thread ended in a panic".to_owned());
        Box::pin(async move { done.await.map_err(|_| broken()) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Threads, Workers};

    #[tokio::test]
    async fn a_panic_is_an_error_of_whoever_waits() {
        let workers: &dyn Workers = &Threads;
        assert_eq!(workers.compute(|| 7).await, Ok(7));
        let broken = workers.compute(|| -> u8 { panic!("as this test wants it") }).await;
        assert!(broken.is_err_and(|error| error.to_string().contains("panic")));
    }
}
