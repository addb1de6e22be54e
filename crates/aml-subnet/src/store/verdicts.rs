//! What the judge says, one verdict per miner, all of a round at once.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{column, from_text, text};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{RoundId, Step, Verdict};
use super::steps::{advance, same};
use super::write::Write;
use crate::wallet::Hotkey;

const WHAT: &str = "verdict";

impl Ledger {
    /// Asked → judged. Also remembers the first receipt key of each hotkey that was asked before one was known: what was
    /// asked under a key does not bring it back once it is forgotten. A key that the hotkey vouched for takes the place of the one
    /// that was known when it was asked.
    ///
    /// # Errors
    /// When it is not its turn, or the round has other verdicts.
    pub async fn record_verdicts(&self, id: RoundId, verdicts: &[Verdict]) -> Result<(), RecordError> {
        let given: BTreeMap<Hotkey, &Verdict> = verdicts.iter().map(|verdict| (verdict.hotkey, verdict)).collect();
        if given.len() != verdicts.len() {
            let why = "a hotkey has two verdicts".to_owned();
            return Err(StorageError::Unrecordable { what: WHAT, why }.into());
        }
        let task = self.task(id).await?;
        let mut write = self.write("record_verdicts").await?;
        if !advance(&mut write, "record_verdicts", &id, Step::Judged).await? {
            let stored = sqlx::query(SELECT).bind(id.to_string()).fetch_all(&mut *write.tx).await;
            let stored = sorted(&stored.map_err(during("record_verdicts"))?)?;
            return same(&id, "verdicts", stored.iter().eq(given.into_values()));
        }
        for verdict in given.values() {
            insert(&mut write, &id, verdict).await?;
            let ask = task.as_ref().and_then(|task| task.asks.get(&verdict.hotkey));
            match ask.and_then(|ask| ask.receipt_key) {
                None => remember_key(&mut write, verdict).await?,
                Some(known) => follow_key(&mut write, verdict, &known).await?,
            }
        }
        Ok(write.commit().await?)
    }

    /// The verdicts of a round, by hotkey.
    ///
    /// # Errors
    /// The database's.
    pub async fn verdicts(&self, id: RoundId) -> Result<Vec<Verdict>, StorageError> {
        let rows = sqlx::query(SELECT).bind(id.to_string()).fetch_all(&self.inner.pool).await;
        sorted(&rows.map_err(during("read verdicts"))?)
    }
}

const SELECT: &str = "SELECT record FROM verdicts WHERE round = $1";

fn sorted(rows: &[AnyRow]) -> Result<Vec<Verdict>, StorageError> {
    let read = |row: &AnyRow| from_text::<Verdict>(WHAT, column(WHAT, row, "record")?);
    let mut verdicts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    verdicts.sort_by_key(|verdict| verdict.hotkey);
    Ok(verdicts)
}

async fn insert(write: &mut Write, id: &RoundId, verdict: &Verdict) -> Result<(), StorageError> {
    let accepted = verdict.accepted.is_ok();
    sqlx::query(
        "INSERT INTO verdicts (round, hotkey, accepted, tier1, tier2, record, advantage) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.to_string())
    .bind(verdict.hotkey.to_string())
    .bind(i64::from(accepted))
    .bind(verdict.tier1.filter(|_| accepted))
    .bind(verdict.tier2.filter(|_| accepted))
    .bind(text(WHAT, verdict)?)
    .bind(verdict.advantage.filter(|_| accepted))
    // A missing number and a number have different types to the driver; a statement kept for one does not take the other.
    .persistent(false)
    .execute(&mut *write.tx)
    .await
    .map_err(during("record_verdicts"))?;
    Ok(())
}

/// Another key than the known one holds only where the hotkey vouched for it.
async fn follow_key(write: &mut Write, verdict: &Verdict, known: &Digest) -> Result<(), StorageError> {
    let Some(key) = verdict.receipt_key.filter(|key| key != known) else { return Ok(()) };
    sqlx::query("UPDATE miners SET receipt_key = $1 WHERE hotkey = $2 AND receipt_key = $3")
        .bind(key.to_string())
        .bind(verdict.hotkey.to_string())
        .bind(known.to_string())
        .execute(&mut *write.tx)
        .await
        .map_err(during("record_verdicts"))?;
    Ok(())
}

/// Only the first key that a hotkey's receipts were signed with counts.
async fn remember_key(write: &mut Write, verdict: &Verdict) -> Result<(), StorageError> {
    let Some(key) = verdict.receipt_key else { return Ok(()) };
    sqlx::query(
        "INSERT INTO miners (hotkey, receipt_key) VALUES ($1, $2) \
         ON CONFLICT (hotkey) DO UPDATE SET receipt_key = COALESCE(miners.receipt_key, excluded.receipt_key)",
    )
    .bind(verdict.hotkey.to_string())
    .bind(key.to_string())
    .execute(&mut *write.tx)
    .await
    .map_err(during("record_verdicts"))?;
    Ok(())
}
