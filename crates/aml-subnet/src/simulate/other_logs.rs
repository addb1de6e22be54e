//! The ledger of a simulation as sealed answers are opened with it, and as the list of submissions of weights.

use std::sync::Arc;

use aml_miner::digest::Hashed;
use futures_util::future::BoxFuture;

use super::ledger::{SimLedger, nothing};
use super::plan::Flaw;
use crate::store::records::{Answer, Pulses, RoundId, WeightsRecord, WeightsState};
use crate::store::{RecordError, StorageError};
use crate::validator::world::{LogError, OpeningLog, WeightsLog, WeightsTarget};

impl OpeningLog for SimLedger {
    fn record_opened<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_opened", self.ledger.record_opened(id, answer, body), move |(), all| all.answer(id, answer))
    }

    fn record_pulses<'a>(&'a self, id: RoundId, pulses: &'a Pulses) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_pulses", self.ledger.record_pulses(id, pulses), nothing)
    }

    fn pulses(&self, id: RoundId) -> BoxFuture<'_, Result<Pulses, StorageError>> {
        self.done("pulses", self.ledger.pulses(id))
    }
}

/// What a full disk refuses.
struct Refused(LogError);

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self(LogError::Store(Box::new(error)))
    }
}

impl SimLedger {
    fn logged<'a>(
        &'a self,
        what: &'static str,
        step: BoxFuture<'a, Result<(), LogError>>,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        let step = async move { step.await.map_err(Refused) };
        let written = self.write(what, step, nothing);
        Box::pin(async move { written.await.map_err(|Refused(error)| error) })
    }
}

impl WeightsLog for SimLedger {
    fn plan<'a>(&'a self, target: WeightsTarget, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesWeights) {
            return self.done("plan weights", async { Ok(()) });
        }
        self.logged("plan weights", WeightsLog::plan(&self.ledger, target, record))
    }

    fn state<'a>(
        &'a self,
        target: WeightsTarget,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesWeights) {
            return self.done("state of weights", async { Ok(()) });
        }
        self.logged("state of weights", WeightsLog::state(&self.ledger, target, epoch, state))
    }

    fn newest(&self, target: WeightsTarget, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>> {
        self.done("weights", WeightsLog::newest(&self.ledger, target, limit))
    }
}
