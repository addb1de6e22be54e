//! Raw answers, each recorded as it comes. The first one of a miner counts.

use std::sync::Arc;

use aml_miner::digest::Hashed;
use sqlx::any::AnyRow;

use super::body::Body;
use super::codec::{column, from_text, text};
use super::error::{RecordError, StepError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Answer, Reply, RoundId, Step};
use super::steps::held;

const WHAT: &str = "answer";

impl Ledger {
    /// Records an answer and its body, where it has one. Says whether it was recorded: a miner's first answer counts,
    /// later ones are dropped.
    ///
    /// # Errors
    /// When the round is not being asked and has no answer of this miner, or the body is not what the answer says.
    pub async fn record_answer(
        &self,
        id: RoundId,
        answer: &Answer,
        body: Option<&Arc<Hashed>>,
    ) -> Result<bool, RecordError> {
        let record = text(WHAT, answer)?;
        let body = Body::of(answer, body).await?;
        let failed = during("record_answer");
        let mut write = self.write("record_answer").await?;
        let known = sqlx::query("SELECT 1 FROM answers WHERE round = $1 AND hotkey = $2")
            .bind(id.to_string())
            .bind(answer.hotkey.to_string())
            .fetch_optional(&mut *write.tx)
            .await
            .map_err(failed)?;
        if known.is_some() {
            return Ok(false);
        }
        let actual = held(&mut write, "record_answer", &id).await?;
        if actual != Step::Tasked {
            return Err(StepError { round: id, expected: Step::Tasked, actual }.into());
        }
        if let Some(body) = body {
            body.keep(&mut write).await?;
        }
        let inserted = sqlx::query(
            "INSERT INTO answers (round, hotkey, body, asked_ms, record, not_asked) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING",
        )
        .bind(id.to_string())
        .bind(answer.hotkey.to_string())
        .bind(answer.body.map(|digest| digest.to_string()))
        .bind(answer.asked_ms)
        .bind(record)
        .bind(i64::from(answer.reply == Reply::NotAsked))
        .execute(&mut *write.tx)
        .await
        .map_err(failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        write.commit().await?;
        Ok(true)
    }

    /// The answers of a round, by hotkey.
    ///
    /// # Errors
    /// The database's.
    pub async fn answers(&self, id: RoundId) -> Result<Vec<Answer>, StorageError> {
        let rows = sqlx::query("SELECT record FROM answers WHERE round = $1").bind(id.to_string());
        let rows = rows.fetch_all(&self.inner.pool).await.map_err(during("read answers"))?;
        let read = |row: &AnyRow| from_text::<Answer>(WHAT, column(WHAT, row, "record")?);
        let mut answers = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        answers.sort_by_key(|answer| answer.hotkey);
        Ok(answers)
    }
}
