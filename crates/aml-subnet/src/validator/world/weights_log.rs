//! Where submissions of weights are written down, before anything is signed.

use futures_util::future::BoxFuture;

use crate::store::records::{WeightsRecord, WeightsState, WeightsTarget};

/// Why a submission was not written down.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The epoch has its vector.
    #[error("another vector is recorded for the epoch that began at block {epoch}: one vector per epoch")]
    AnotherVector {
        /// The epoch.
        epoch: u64,
    },
    /// The store failed.
    #[error("the submissions of weights cannot be read or written")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The durable list of submissions. What a method reports as done survives a crash.
pub trait WeightsLog: Send + Sync {
    /// Records a plan. The same vector for the same epoch again changes nothing; another one is refused.
    fn plan<'a>(&'a self, target: WeightsTarget, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>>;

    /// Records how far the submission of an epoch has come.
    fn state<'a>(
        &'a self,
        target: WeightsTarget,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>>;

    /// The newest submissions, newest first.
    fn newest(&self, target: WeightsTarget, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>>;
}
