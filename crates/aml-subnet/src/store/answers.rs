//! Raw answers, each recorded as it comes. The first one of a miner counts.

use std::sync::Arc;

use aml_miner::digest::{Digest, Hashed};
use sqlx::any::AnyRow;

use super::body::Body;
use super::codec::{column, from_text, text, to_i64};
use super::error::{RecordError, StepError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Answer, Reply, RoundId, SealedAnswer, Step};
use super::steps::held;
use super::write::Write;
use crate::wallet::Hotkey;

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
        let (raw, body) = (body, Body::of(answer.hotkey, answer.arrived(), body).await?);
        let failed = during("record_answer");
        let mut write = self.write("record_answer").await?;
        let known = sqlx::query("SELECT 1 FROM answers WHERE round = $1 AND hotkey = $2")
            .bind(id.to_string())
            .bind(answer.hotkey.to_string())
            .fetch_optional(&mut *write.tx)
            .await
            .map_err(failed)?;
        if known.is_some() {
            if let (Some(sealed), Some(raw)) = (&answer.sealed, raw) {
                second(&mut write, id, sealed, (answer, raw)).await?;
                write.commit().await?;
            }
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
            "INSERT INTO answers (round, hotkey, body, asked_ms, record, not_asked, cipher) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(id.to_string())
        .bind(answer.hotkey.to_string())
        .bind(answer.body.map(|digest| digest.to_string()))
        .bind(answer.asked_ms)
        .bind(record)
        .bind(i64::from(answer.reply == Reply::NotAsked))
        .bind(answer.sealed.as_ref().map(|sealed| sealed.cipher.to_string()))
        .persistent(false)
        .execute(&mut *write.tx)
        .await
        .map_err(failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        write.commit().await?;
        Ok(true)
    }

    /// The second sealed answer of a miner that sent two; it counts nowhere. Its record as a line of JSON, then its bytes.
    ///
    /// # Errors
    /// The database's.
    pub async fn second_answer(&self, id: RoundId, hotkey: &Hotkey) -> Result<Option<Vec<u8>>, StorageError> {
        self.file(id, &second_name(hotkey)).await
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

fn second_name(hotkey: &Hotkey) -> String {
    format!("evidence/second/{hotkey}")
}

/// Keeps a sealed answer that came after another one: the first counts, both are evidence. Of several the first is kept.
async fn second(
    write: &mut Write,
    id: RoundId,
    sealed: &SealedAnswer,
    (answer, raw): (&Answer, &Arc<Hashed>),
) -> Result<(), StorageError> {
    let failed = during("record_answer");
    let same = sqlx::query("SELECT 1 FROM answers WHERE round = $1 AND hotkey = $2 AND cipher = $3")
        .bind(id.to_string())
        .bind(answer.hotkey.to_string())
        .bind(sealed.cipher.to_string())
        .fetch_optional(&mut *write.tx)
        .await
        .map_err(failed)?;
    if same.is_some() {
        return Ok(());
    }
    let content = [text(WHAT, answer)?.as_bytes(), b"\n", raw.bytes()].concat();
    sqlx::query(
        "INSERT INTO files (round, name, digest, decoded, bytes, content) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(second_name(&answer.hotkey))
    .bind(Digest::of(&content).to_string())
    .bind(None::<String>)
    .bind(to_i64(WHAT, content.len() as u64)?)
    .bind(content)
    .persistent(false)
    .execute(&mut *write.tx)
    .await
    .map_err(failed)?;
    Ok(())
}
