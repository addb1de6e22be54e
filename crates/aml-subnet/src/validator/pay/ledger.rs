//! The validator's ledger as the list of submissions.

use futures_util::future::BoxFuture;

use crate::failpoint;
use crate::store::records::{WeightsRecord, WeightsState};
use crate::store::{Ledger, PlanWeightsError, StorageError};
use crate::validator::world::{LogError, WeightsLog, WeightsTarget};

fn store(error: StorageError) -> LogError {
    LogError::Store(Box::new(error))
}

impl WeightsLog for Ledger {
    fn plan<'a>(&'a self, target: WeightsTarget, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            failpoint::hit!("weights.before_plan");
            let planned = self.plan_weights(target, record).await.map_err(|error| match error {
                PlanWeightsError::AnotherVector { epoch, .. } => LogError::AnotherVector { epoch },
                PlanWeightsError::Storage(error) => store(error),
            });
            failpoint::hit!("weights.planned");
            planned
        })
    }

    fn state<'a>(
        &'a self,
        target: WeightsTarget,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            failpoint::hit!("weights.before_state");
            let written = self.weights_state(target, epoch, state).await.map_err(store);
            failpoint::hit!("weights.state");
            written
        })
    }

    fn newest(&self, target: WeightsTarget, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>> {
        Box::pin(async move { self.weights(target, limit).await.map_err(store) })
    }
}
