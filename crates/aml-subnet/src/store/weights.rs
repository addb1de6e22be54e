//! Submissions of weights: committed here before anything is signed, at most one vector a window.

use sqlx::any::AnyRow;

use super::codec::{column, from_text, narrow, parsed, text, to_i64};
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::records::{WeightsRecord, WeightsState, WeightsTarget};

const WHAT: &str = "weights";

/// Why a plan was not recorded: nothing may be signed.
#[derive(Debug, thiserror::Error)]
pub enum PlanWeightsError {
    /// The window has a vector already, and it is another one.
    #[error("epoch {epoch} has the vector {recorded} already; {given} is refused, a window has one vector")]
    AnotherVector {
        /// The window's epoch.
        epoch: u64,
        /// What is recorded.
        recorded: aml_miner::digest::Digest,
        /// What was to be recorded.
        given: aml_miner::digest::Digest,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Ledger {
    /// Records what is about to be signed. The same vector again is no error and changes nothing: what is recorded,
    /// with its salt, is what is carried out; see [`Ledger::weights`].
    ///
    /// # Errors
    /// When the window has another vector.
    pub async fn plan_weights(&self, target: WeightsTarget, record: &WeightsRecord) -> Result<(), PlanWeightsError> {
        let (plan, state) = (text(WHAT, &record.plan)?, text(WHAT, &record.state)?);
        let epoch = to_i64(WHAT, record.epoch)?;
        let failed = during("plan_weights");
        let mut write = self.write("plan_weights").await?;
        sqlx::query(
            "INSERT INTO weights (netuid, mechanism, epoch, vector, plan, state, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(i64::from(target.netuid))
        .bind(i64::from(target.mechanism))
        .bind(epoch)
        .bind(record.vector.to_string())
        .bind(plan)
        .bind(state)
        .bind(record.made_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(failed)?;
        let row = sqlx::query("SELECT vector FROM weights WHERE netuid = $1 AND mechanism = $2 AND epoch = $3")
            .bind(i64::from(target.netuid))
            .bind(i64::from(target.mechanism))
            .bind(epoch)
            .fetch_one(&mut *write.tx)
            .await
            .map_err(failed)?;
        let recorded = parsed(WHAT, &row, "vector")?;
        if recorded != record.vector {
            return Err(PlanWeightsError::AnotherVector { epoch: record.epoch, recorded, given: record.vector });
        }
        Ok(write.commit().await?)
    }

    /// Records how far a submission has come.
    ///
    /// # Errors
    /// When none is recorded for this window.
    pub async fn weights_state(
        &self,
        target: WeightsTarget,
        epoch: u64,
        state: &WeightsState,
    ) -> Result<(), StorageError> {
        let mut write = self.write("weights_state").await?;
        let done = sqlx::query("UPDATE weights SET state = $1 WHERE netuid = $2 AND mechanism = $3 AND epoch = $4")
            .bind(text(WHAT, state)?)
            .bind(i64::from(target.netuid))
            .bind(i64::from(target.mechanism))
            .bind(to_i64(WHAT, epoch)?)
            .execute(&mut *write.tx)
            .await
            .map_err(during("weights_state"))?;
        if done.rows_affected() == 0 {
            let why = format!("nothing is planned for epoch {epoch}");
            return Err(StorageError::Unrecordable { what: WHAT, why });
        }
        write.commit().await
    }

    /// Submissions, newest epoch first.
    ///
    /// # Errors
    /// The database's.
    pub async fn weights(&self, target: WeightsTarget, limit: u32) -> Result<Vec<WeightsRecord>, StorageError> {
        let rows = sqlx::query(
            "SELECT epoch, vector, plan, state, made_ms FROM weights WHERE netuid = $1 AND mechanism = $2 \
             ORDER BY epoch DESC LIMIT $3",
        )
        .bind(i64::from(target.netuid))
        .bind(i64::from(target.mechanism))
        .bind(i64::from(limit))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read weights"))?;
        let read = |row: &AnyRow| {
            Ok(WeightsRecord {
                epoch: narrow(WHAT, row, "epoch")?,
                vector: parsed(WHAT, row, "vector")?,
                plan: from_text(WHAT, column(WHAT, row, "plan")?)?,
                state: from_text(WHAT, column(WHAT, row, "state")?)?,
                made_ms: column(WHAT, row, "made_ms")?,
            })
        };
        rows.iter().map(read).collect()
    }
}
