//! Rounds: begun once per batch, read in order of their days, published.

use aml_miner::digest::Digest;
use chrono::NaiveDate;
use sqlx::any::AnyRow;

use super::codec::{column, from_text, narrow, parsed, text, to_i64};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Mark, Marks, Round, RoundId, Step};
use super::steps::{advance, number, step_of};
use crate::calendar::day_of;

const WHAT: &str = "round";

impl Ledger {
    /// Begins a round, or returns the one that was begun before. What it has done so far is the ledger's to say: step,
    /// deadline, commitment and times of `round` are not looked at.
    ///
    /// # Errors
    /// When the round was begun with another batch.
    pub async fn begin(&self, round: &Round) -> Result<Round, RecordError> {
        let mut write = self.write("begin").await?;
        let failed = during("begin");
        sqlx::query(
            "INSERT INTO rounds (id, netuid, day, window_days, step, rules, shadow, batch, alerts, opened_ms, \
             rules_list, constants) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        )
        .bind(round.id.to_string())
        .bind(i64::from(round.id.netuid))
        .bind(day_of(round.id.date))
        .bind(i64::from(round.id.window_days))
        .bind(number(Step::Fetched))
        .bind(text(WHAT, &round.rules)?.trim_matches('"').to_owned())
        .bind(i64::from(round.shadow))
        .bind(round.batch.to_string())
        .bind(to_i64(WHAT, round.alerts)?)
        .bind(round.opened_ms)
        .bind(round.list.as_ref().map(|list| text(WHAT, list)).transpose()?)
        .bind(round.rules.information().map(|constants| text(WHAT, constants)).transpose()?)
        .persistent(false)
        .execute(&mut *write.tx)
        .await
        .map_err(failed)?;
        let row = sqlx::query("SELECT * FROM rounds WHERE id = $1").bind(round.id.to_string());
        let stored = read(&row.fetch_one(&mut *write.tx).await.map_err(failed)?)?;
        if stored.batch != round.batch || stored.alerts != round.alerts {
            return Err(RecordError::Differs { round: round.id, what: "batch" });
        }
        write.commit().await?;
        Ok(stored)
    }

    /// A round.
    ///
    /// # Errors
    /// The database's.
    pub async fn round(&self, id: RoundId) -> Result<Option<Round>, StorageError> {
        let row = sqlx::query("SELECT * FROM rounds WHERE id = $1").bind(id.to_string());
        let row = row.fetch_optional(&self.inner.pool).await.map_err(during("read a round"))?;
        row.as_ref().map(read).transpose()
    }

    /// Rounds of a subnet, newest first, those of days before `before` only.
    ///
    /// # Errors
    /// The database's.
    pub async fn rounds(&self, netuid: u16, limit: u32, before: Option<NaiveDate>) -> Result<Vec<Round>, StorageError> {
        let rows = sqlx::query(
            "SELECT * FROM rounds WHERE netuid = $1 AND day < $2 ORDER BY day DESC, window_days DESC LIMIT $3",
        )
        .bind(i64::from(netuid))
        .bind(before.map_or(i64::MAX, day_of))
        .bind(i64::from(limit))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read rounds"))?;
        rows.iter().map(read).collect()
    }

    /// The subnets that have rounds here, ascending.
    ///
    /// # Errors
    /// The database's.
    pub async fn netuids(&self) -> Result<Vec<u16>, StorageError> {
        let rows = sqlx::query("SELECT DISTINCT netuid FROM rounds ORDER BY netuid").fetch_all(&self.inner.pool).await;
        rows.map_err(during("read subnets"))?.iter().map(|row| narrow(WHAT, row, "netuid")).collect()
    }

    /// Rounds of a subnet that are not published yet and not void, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn unfinished(&self, netuid: u16) -> Result<Vec<Round>, StorageError> {
        let rows = sqlx::query(
            "SELECT * FROM rounds WHERE netuid = $1 AND step < $2 AND void_ms IS NULL ORDER BY day, window_days",
        )
        .bind(i64::from(netuid))
        .bind(number(Step::Published))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read unfinished rounds"))?;
        rows.iter().map(read).collect()
    }

    /// Merged → published. The first time counts.
    ///
    /// # Errors
    /// When it is not its turn.
    pub async fn publish(&self, id: RoundId, at_ms: i64) -> Result<(), RecordError> {
        let mut write = self.write("publish").await?;
        if !advance(&mut write, "publish", &id, Step::Published).await? {
            return Ok(());
        }
        sqlx::query("UPDATE rounds SET published_ms = $1 WHERE id = $2")
            .bind(at_ms)
            .bind(id.to_string())
            .execute(&mut *write.tx)
            .await
            .map_err(during("publish"))?;
        Ok(write.commit().await?)
    }
}

fn marks(row: &AnyRow) -> Result<Marks, StorageError> {
    let mark = |at: &str, why: &str| -> Result<Option<Mark>, StorageError> {
        let Some(at_ms) = column::<Option<i64>>(WHAT, row, at)? else { return Ok(None) };
        Ok(Some(Mark { at_ms, why: column::<Option<String>>(WHAT, row, why)?.unwrap_or_default() }))
    };
    Ok(Marks {
        opening_ms: column(WHAT, row, "opening_ms")?,
        held: mark("held_ms", "held_why")?,
        extended_ms: column(WHAT, row, "extended_ms")?,
        void: mark("void_ms", "void_why")?,
        late: mark("late_ms", "late_why")?,
        adopted: column(WHAT, row, "adopted")?,
        outcomes_ms: column(WHAT, row, "outcomes_ms")?,
    })
}

fn read(row: &AnyRow) -> Result<Round, StorageError> {
    let rules: &str = column(WHAT, row, "rules")?;
    let commitment: Option<&str> = column(WHAT, row, "commitment")?;
    let commitment = commitment.map(|text| from_text::<Digest>(WHAT, &format!("\"{text}\""))).transpose()?;
    Ok(Round {
        id: parsed(WHAT, row, "id")?,
        step: step_of(narrow(WHAT, row, "step")?)?,
        rules: from_text(WHAT, &format!("\"{rules}\""))?,
        shadow: column::<i64>(WHAT, row, "shadow")? != 0,
        batch: parsed(WHAT, row, "batch")?,
        alerts: narrow(WHAT, row, "alerts")?,
        opened_ms: column(WHAT, row, "opened_ms")?,
        deadline_ms: column(WHAT, row, "deadline_ms")?,
        commitment,
        published_ms: column(WHAT, row, "published_ms")?,
        settled_ms: column(WHAT, row, "settled_ms")?,
        list: column::<Option<&str>>(WHAT, row, "rules_list")?.map(|list| from_text(WHAT, list)).transpose()?,
        marks: marks(row)?,
    })
}
