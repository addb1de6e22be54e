//! Canonical scores of a round, and the same by address.

use chrono::NaiveDate;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe};

use super::codec::{column, narrow, pack, parsed, unpack};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Canonical, RosterRow, RoundId, Shares, Step, Task};
use super::shares::put_shares;
use super::steps::{advance, number, same};
use super::write::{ROWS, Write, insert};
use crate::calendar::day_of;

const WHAT: &str = "canonical scores";
const SELECT: &str = "SELECT packed FROM canonical WHERE round = $1";
/// The index by address.
const COLUMNS: [&str; 7] = ["address", "round", "place", "alert_id", "typology", "severity", "score"];

/// A canonical score, found by its address.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressAlert {
    /// The round that made it.
    pub round: RoundId,
    /// Its place in the roster.
    pub place: u32,
    /// The alert.
    pub alert_id: String,
    /// What kind of behaviour.
    pub typology: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The canonical score.
    pub score: f64,
}

/// What merging a round makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Merged<'a> {
    /// The canonical scores; `None` when no submission was accepted.
    pub canonical: Option<&'a Canonical>,
    /// What other rules would have made of the same answers.
    pub beside: Option<&'a Canonical>,
    /// How the day's pay is shared; `None` of a round that is not paid this way.
    pub shares: Option<&'a Shares>,
}

impl Ledger {
    /// Judged → merged; `None` when no submission was accepted.
    ///
    /// # Errors
    /// When it is not its turn, or the round has other scores, or not one for each alert of its task.
    pub async fn record_canonical(&self, id: RoundId, canonical: Option<&Canonical>) -> Result<(), RecordError> {
        self.record_merged(id, Merged { canonical, ..Merged::default() }).await
    }

    /// As [`record_canonical`](Self::record_canonical), with all that rules v2 make of the answers.
    ///
    /// # Errors
    /// As there.
    pub async fn record_merged(&self, id: RoundId, merged: Merged<'_>) -> Result<(), RecordError> {
        let Merged { canonical, beside, shares } = merged;
        let packed = canonical.map(|canonical| pack(WHAT, canonical)).transpose()?;
        let failed = during("record_canonical");
        let mut write = self.write("record_canonical").await?;
        if !advance(&mut write, "record_canonical", &id, Step::Merged).await? {
            let row = sqlx::query(SELECT).bind(id.to_string()).fetch_optional(&mut *write.tx).await.map_err(failed)?;
            let stored = row.as_ref().map(read).transpose()?;
            return same(&id, "canonical scores", stored.as_ref() == canonical);
        }
        if let (Some(canonical), Some(packed)) = (canonical, packed) {
            sqlx::query("INSERT INTO canonical (round, packed) VALUES ($1, $2)")
                .bind(id.to_string())
                .bind(packed)
                .execute(&mut *write.tx)
                .await
                .map_err(failed)?;
            index(&mut write, id, canonical).await?;
        }
        if let Some(beside) = beside {
            sqlx::query("INSERT INTO canonical_beside (round, rules, packed) VALUES ($1, $2, $3)")
                .bind(id.to_string())
                .bind(beside.rules.name())
                .bind(pack(WHAT, beside)?)
                .execute(&mut *write.tx)
                .await
                .map_err(failed)?;
        }
        if let Some(shares) = shares {
            put_shares(&mut write, &id, shares).await?;
        }
        Ok(write.commit().await?)
    }

    /// The canonical scores that other rules would have made of a round's answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn canonical_beside(&self, id: RoundId) -> Result<Option<Canonical>, StorageError> {
        let row = sqlx::query("SELECT packed FROM canonical_beside WHERE round = $1 ORDER BY rules LIMIT 1");
        let row = row.bind(id.to_string()).fetch_optional(&self.inner.pool).await;
        row.map_err(during("read canonical scores"))?.as_ref().map(read).transpose()
    }

    /// The canonical scores of a round; `None` before they are merged and when no submission was accepted.
    ///
    /// # Errors
    /// The database's.
    pub async fn canonical(&self, id: RoundId) -> Result<Option<Canonical>, StorageError> {
        let row = sqlx::query(SELECT).bind(id.to_string()).fetch_optional(&self.inner.pool).await;
        row.map_err(during("read canonical scores"))?.as_ref().map(read).transpose()
    }

    /// Canonical scores of an address in the published rounds of a subnet from `since` on, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn address_alerts(
        &self,
        netuid: u16,
        address: &str,
        since: NaiveDate,
    ) -> Result<Vec<AddressAlert>, StorageError> {
        let rows = sqlx::query(
            "SELECT round, place, alert_id, typology, severity, score FROM alerts JOIN rounds ON id = round \
             WHERE address = $1 AND netuid = $2 AND day >= $3 AND step >= $4 ORDER BY day, window_days, place",
        )
        .bind(address.to_owned())
        .bind(i64::from(netuid))
        .bind(day_of(since))
        .bind(number(Step::Published))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read alerts of an address"))?;
        let read = |row: &AnyRow| {
            Ok(AddressAlert {
                round: parsed(WHAT, row, "round")?,
                place: narrow(WHAT, row, "place")?,
                alert_id: column(WHAT, row, "alert_id")?,
                typology: column(WHAT, row, "typology")?,
                severity: column(WHAT, row, "severity")?,
                score: column(WHAT, row, "score")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Canonical, StorageError> {
    unpack(WHAT, column(WHAT, row, "packed")?)
}

/// Lays the scores down by address.
pub(super) async fn index(write: &mut Write, id: RoundId, canonical: &Canonical) -> Result<(), StorageError> {
    let failed = during("record_canonical");
    let row = sqlx::query("SELECT packed FROM tasks WHERE round = $1").bind(id.to_string());
    let row = row.fetch_one(&mut *write.tx).await.map_err(failed)?;
    let task: Task = unpack("task", column("task", &row, "packed")?)?;
    if task.roster.len() != canonical.scores.len() {
        let why = format!("{} scores for {} alerts", canonical.scores.len(), task.roster.len());
        return Err(StorageError::Unrecordable { what: WHAT, why });
    }
    let scored: Vec<(usize, &RosterRow, f64)> = task
        .roster
        .iter()
        .zip(&canonical.scores)
        .enumerate()
        .map(|(place, (alert, score))| (place, alert, score.score.get()))
        .collect();
    let round = id.to_string();
    for rows in scored.chunks(ROWS) {
        let mut statement = sqlx::query::<Any>(AssertSqlSafe(insert("alerts", &COLUMNS, rows.len())));
        for (place, alert, score) in rows {
            statement = statement
                .bind(&alert.address)
                .bind(&round)
                .bind(i64::try_from(*place).unwrap_or(i64::MAX))
                .bind(&alert.alert_id)
                .bind(&alert.typology)
                .bind(&alert.severity)
                .bind(*score);
        }
        statement.execute(&mut *write.tx).await.map_err(failed)?;
    }
    Ok(())
}
