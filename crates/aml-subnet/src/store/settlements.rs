//! Settled rounds, and the history that performance is made of.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::any::AnyRow;

use super::codec::{column, pack, parsed, unpack};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Observations, RoundId, Settled, Step};
use super::steps::{advance, number, same};
use crate::calendar::day_of;
use crate::validation::performance::RoundScore;
use crate::wallet::Hotkey;

const WHAT: &str = "settlement";
const SELECT: &str = "SELECT packed FROM settled WHERE round = $1";

impl Ledger {
    /// Published → settled, once. The first time counts.
    ///
    /// # Errors
    /// When it is not its turn, or the round is settled otherwise.
    pub async fn record_settled(&self, id: RoundId, settled: &Settled, at_ms: i64) -> Result<(), RecordError> {
        let packed = pack(WHAT, settled)?;
        let failed = during("record_settled");
        let mut write = self.write("record_settled").await?;
        if !advance(&mut write, "record_settled", &id, Step::Settled).await? {
            let row = sqlx::query(SELECT).bind(id.to_string()).fetch_one(&mut *write.tx).await.map_err(failed)?;
            return same(&id, "settlement", read(&row)? == *settled);
        }
        sqlx::query("INSERT INTO settled (round, packed) VALUES ($1, $2)")
            .bind(id.to_string())
            .bind(packed)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        for (hotkey, settlement) in &settled.miners {
            sqlx::query("INSERT INTO settlements (round, hotkey, tier3) VALUES ($1, $2, $3)")
                .bind(id.to_string())
                .bind(hotkey.to_string())
                .bind(settlement.map_or(0.0, |settlement| settlement.score))
                .execute(&mut *write.tx)
                .await
                .map_err(failed)?;
        }
        sqlx::query("UPDATE rounds SET settled_ms = $1 WHERE id = $2")
            .bind(at_ms)
            .bind(id.to_string())
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        Ok(write.commit().await?)
    }

    /// The settlement of a round; `None` until it is settled.
    ///
    /// # Errors
    /// The database's.
    pub async fn settled(&self, id: RoundId) -> Result<Option<Settled>, StorageError> {
        let row = sqlx::query(SELECT).bind(id.to_string()).fetch_optional(&self.inner.pool).await;
        row.map_err(during("read a settlement"))?.as_ref().map(read).transpose()
    }

    /// How each hotkey did in the published rounds of a subnet from `since` on, oldest first, shadow rounds too.
    ///
    /// A submission that counts nowhere, or none, is a round with `tier1` missing: a score of 0. A settled round tells
    /// who is spared: a hotkey that has a verdict without an accepted submission, and that the settlement does not
    /// list, was new, and the round is left out of its history.
    ///
    /// # Errors
    /// The database's.
    pub async fn history(
        &self,
        netuid: u16,
        since: NaiveDate,
    ) -> Result<BTreeMap<Hotkey, Vec<RoundScore>>, StorageError> {
        let rows = sqlx::query(
            "SELECT v.hotkey, r.day, v.tier1, v.tier2, v.record, s.tier3 FROM rounds r JOIN verdicts v ON v.round = r.id \
             LEFT JOIN settlements s ON s.round = v.round AND s.hotkey = v.hotkey \
             WHERE r.netuid = $1 AND r.day >= $2 AND r.step >= $3 \
             AND NOT (r.step = $4 AND v.accepted = 0 AND s.tier3 IS NULL) \
             AND r.void_ms IS NULL AND r.late_ms IS NULL AND NOT EXISTS (SELECT 1 FROM answers a \
             WHERE a.round = v.round AND a.hotkey = v.hotkey AND a.not_asked = 1) ORDER BY r.day, r.window_days",
        )
        .bind(i64::from(netuid))
        .bind(day_of(since))
        .bind(number(Step::Published))
        .bind(number(Step::Settled))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read the history"))?;
        let mut history: BTreeMap<Hotkey, Vec<RoundScore>> = BTreeMap::new();
        for row in &rows {
            let score = RoundScore {
                day: column("history", row, "day")?,
                tier1: column("history", row, "tier1")?,
                tier2: column("history", row, "tier2")?,
                tier3: column("history", row, "tier3")?,
                copies: copies(row)?,
            };
            history.entry(parsed("history", row, "hotkey")?).or_default().push(score);
        }
        Ok(history)
    }
}

/// The part of a verdict that says how many hotkeys sent the same.
#[derive(Deserialize)]
struct Recorded {
    observations: Observations,
}

fn copies(row: &AnyRow) -> Result<u32, StorageError> {
    let record: String = column("history", row, "record")?;
    let read = serde_json::from_str(&record);
    let Recorded { observations } =
        read.map_err(|error| StorageError::Malformed { what: "history", why: error.to_string() })?;
    Ok(observations.copies.unwrap_or(1))
}

fn read(row: &AnyRow) -> Result<Settled, StorageError> {
    unpack(WHAT, column(WHAT, row, "packed")?)
}
