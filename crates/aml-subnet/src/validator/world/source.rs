//! Where batches and outcomes come from.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::data::ReadBatchError;
use aml_miner::data::batch_dir::BatchDir;
use aml_miner::digest::Digest;
use aml_miner::wire::{Batch, Table};
use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use crate::store::records::RoundId;
use crate::validator::sot::{Found, SotError};
use crate::validator::traps::TrapPool;

/// The rows of a batch that is here. Reading them takes a processor, not the world's time.
pub trait BatchRows: Send + Sync {
    /// The rows.
    ///
    /// # Errors
    /// When they are damaged.
    fn read(&self) -> Result<Batch, ReadBatchError>;
}

impl BatchRows for BatchDir {
    fn read(&self) -> Result<Batch, ReadBatchError> {
        Ok(self.load()?.batch)
    }
}

/// A batch that is here, verified.
#[derive(Clone)]
pub struct Fetched {
    /// What a round names it by: SHA-256 of its manifest.
    pub digest: Digest,
    /// Rows of its alerts.
    pub alerts: u64,
    /// Its rows.
    pub rows: Arc<dyn BatchRows>,
}

/// A source of batches and outcomes, with what is kept of it.
pub trait Source: Send + Sync {
    /// The newest batch by `now` (since 1970), of a day not after tomorrow; `None` without any.
    fn newest(&self, now: Duration) -> BoxFuture<'_, Result<Option<Found>, SotError>>;

    /// The batch of a day. One that was fetched once stays the same.
    fn fetch(&self, found: Found) -> BoxFuture<'_, Result<Fetched, SotError>>;

    /// The outcomes of a batch that are known by `now`; `None` when there are none yet.
    fn labels(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<Table>, SotError>>;

    /// The batch of a past day with its outcomes that are known by `now`, as far as both are kept here; asks nobody.
    fn settled(&self, found: Found, now: Duration) -> BoxFuture<'_, Result<Option<(Fetched, Table)>, SotError>>;

    /// What is wrong with batches that are kept here, a line each; what can be mended is mended.
    fn look_over(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Days between `first` and `last` that may have a batch, newest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<Vec<NaiveDate>, SotError>;

    /// Days before a round whose batches are of use.
    fn days_back(&self) -> u32;

    /// A round's pool of traps; `None` when none was kept.
    ///
    /// # Errors
    /// When it cannot be read.
    fn kept_pool(&self, round: RoundId) -> Result<Option<TrapPool>, SotError>;

    /// Keeps a round's pool, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_pool(&self, round: RoundId, pool: &TrapPool) -> Result<(), SotError>;
}
