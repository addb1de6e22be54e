//! The ledger as sealed answers are opened with it.

use std::sync::Arc;

use aml_miner::digest::Hashed;
use futures_util::future::BoxFuture;

use crate::store::records::{Answer, Pulses, RoundId};
use crate::store::{Ledger, RecordError, StorageError};

/// Sealed answers, opened, and what they are opened with. Every method means what [`Ledger`]'s of the same name does.
pub trait OpeningLog: Send + Sync {
    /// Records what became of a sealed answer, and its plain body, where it has one.
    fn record_opened<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Records the beacon's signatures that a round is opened with.
    fn record_pulses<'a>(&'a self, id: RoundId, pulses: &'a Pulses) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The signatures that a round was opened with.
    fn pulses(&self, id: RoundId) -> BoxFuture<'_, Result<Pulses, StorageError>>;
}

impl OpeningLog for Ledger {
    fn record_opened<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_opened(self, id, answer, body))
    }

    fn record_pulses<'a>(&'a self, id: RoundId, pulses: &'a Pulses) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_pulses(self, id, pulses))
    }

    fn pulses(&self, id: RoundId) -> BoxFuture<'_, Result<Pulses, StorageError>> {
        Box::pin(Self::pulses(self, id))
    }
}
