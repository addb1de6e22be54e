//! Sealed answers, opened: each recorded as it is, while its round waits between asking and judging.

use std::sync::Arc;

use aml_miner::digest::Hashed;

use super::body::Body;
use super::codec::{column, from_text, text};
use super::error::{RecordError, StepError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Answer, Pulses, RoundId, Step};
use super::steps::held;

const OPERATION: &str = "record_opened";

impl Ledger {
    /// Records what became of a sealed answer, and its plain body, where it has one. What arrived stays beside it. May be
    /// repeated.
    ///
    /// # Errors
    /// When the round is not between asking and judging, has no such answer, or the body is not what the answer says.
    pub async fn record_opened(
        &self,
        id: RoundId,
        answer: &Answer,
        body: Option<&Arc<Hashed>>,
    ) -> Result<(), RecordError> {
        let record = text("answer", answer)?;
        let body = Body::of(answer.hotkey, answer.body.map(|digest| (digest, answer.bytes)), body).await?;
        let mut write = self.write(OPERATION).await?;
        let actual = held(&mut write, OPERATION, &id).await?;
        if actual != Step::Asked {
            return Err(StepError { round: id, expected: Step::Asked, actual }.into());
        }
        if let Some(body) = body {
            body.keep(&mut write).await?;
        }
        let done = sqlx::query(
            "UPDATE answers SET body = $1, record = $2 WHERE round = $3 AND hotkey = $4 AND cipher IS NOT NULL",
        )
        .bind(answer.body.map(|digest| digest.to_string()))
        .bind(record)
        .bind(id.to_string())
        .bind(answer.hotkey.to_string())
        .persistent(false)
        .execute(&mut *write.tx)
        .await
        .map_err(during(OPERATION))?;
        if done.rows_affected() != 1 {
            let why = format!("{} has no sealed answer in round {id}", answer.hotkey);
            return Err(StorageError::Unrecordable { what: "answer", why }.into());
        }
        Ok(write.commit().await?)
    }

    /// Records the beacon's signatures that a round is opened with.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_pulses(&self, id: RoundId, pulses: &Pulses) -> Result<(), RecordError> {
        let record = text("beacon", pulses)?;
        let mut write = self.write("record_pulses").await?;
        held(&mut write, "record_pulses", &id).await?;
        sqlx::query("UPDATE rounds SET beacon = $1 WHERE id = $2")
            .bind(record)
            .bind(id.to_string())
            .execute(&mut *write.tx)
            .await
            .map_err(during("record_pulses"))?;
        Ok(write.commit().await?)
    }

    /// The signatures that a round was opened with; none before.
    ///
    /// # Errors
    /// The database's.
    pub async fn pulses(&self, id: RoundId) -> Result<Pulses, StorageError> {
        let row = sqlx::query("SELECT beacon FROM rounds WHERE id = $1").bind(id.to_string());
        let row = row.fetch_optional(&self.inner.pool).await.map_err(during("read the beacon"))?;
        let Some(row) = row else { return Ok(Pulses::default()) };
        let stored: Option<&str> = column("beacon", &row, "beacon")?;
        Ok(stored.map(|stored| from_text("beacon", stored)).transpose()?.unwrap_or_default())
    }
}
