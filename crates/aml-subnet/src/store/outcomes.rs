//! Outcomes as they become known, change and are withdrawn: every version of each is kept.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe};

use super::codec::{column, narrow, parsed};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{KnownOutcome, OutcomeTally, OutcomeVersion, OutcomesChange, RoundId};
use super::steps::held;
use super::write::{ROWS, Write, insert};

const WHAT: &str = "outcome";
const OPERATION: &str = "record_outcomes";
const SELECT: &str = "SELECT place, address, illicit, relevance, confirmed_ms, seen_ms, replaced_ms FROM outcomes \
                      WHERE round = $1";
const COLUMNS: [&str; 8] =
    ["round", "place", "seen_ms", "address", "illicit", "relevance", "confirmed_ms", "replaced_ms"];

impl Ledger {
    /// Compares what the source says now of a round's alerts with what was said before, and keeps what is new. `now`:
    /// all outcomes of the round; one that was there and is not any more is withdrawn.
    ///
    /// # Errors
    /// When there is no such round, or it has no alert at such a place.
    pub async fn record_outcomes(
        &self,
        id: RoundId,
        now: &[KnownOutcome],
        at_ms: i64,
    ) -> Result<OutcomesChange, RecordError> {
        let mut outcomes = self.hold_outcomes().await;
        let mut write = self.write(OPERATION).await?;
        held(&mut write, OPERATION, &id).await?;
        let at_ms = outcomes.seen(at_ms);
        self.within(&mut write, id, now).await?;
        let select = AssertSqlSafe(format!("{SELECT} AND replaced_ms IS NULL"));
        let rows = sqlx::query(select).bind(id.to_string()).fetch_all(&mut *write.tx).await;
        let before = rows.map_err(during(OPERATION))?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut before: BTreeMap<u32, KnownOutcome> = before.into_iter().map(|one| (one.place, one)).collect();
        let (mut change, mut versions) = (OutcomesChange::default(), Vec::new());
        for outcome in now {
            let was = before.remove(&outcome.place);
            match &was {
                Some(was) if was.says_as(outcome) => continue,
                Some(KnownOutcome { illicit: Some(_), .. }) => change.changed += 1,
                _ => change.new += 1,
            }
            versions.push((was, KnownOutcome { seen_ms: at_ms, replaced_ms: None, ..outcome.clone() }));
        }
        for (_, was) in before.into_iter().filter(|(_, was)| was.illicit.is_some()) {
            change.withdrawn += 1;
            let gone = KnownOutcome { illicit: None, relevance: 0, seen_ms: at_ms, ..was.clone() };
            versions.push((Some(was), gone));
        }
        replace(&mut write, id, &versions).await?;
        if !versions.is_empty() {
            // They were of what was known before.
            let gone = sqlx::query("DELETE FROM counts WHERE round = $1").bind(id.to_string());
            gone.execute(&mut *write.tx).await.map_err(during(OPERATION))?;
        }
        sqlx::query("UPDATE rounds SET outcomes_ms = $1 WHERE id = $2")
            .bind(at_ms)
            .bind(id.to_string())
            .execute(&mut *write.tx)
            .await
            .map_err(during(OPERATION))?;
        write.commit().await?;
        drop(outcomes);
        Ok(change)
    }

    /// Outcomes are of alerts that the round has, each one once.
    async fn within(&self, write: &mut Write, id: RoundId, now: &[KnownOutcome]) -> Result<(), StorageError> {
        let row = sqlx::query("SELECT alerts FROM rounds WHERE id = $1").bind(id.to_string());
        let row = row.fetch_one(&mut *write.tx).await.map_err(during(OPERATION))?;
        let alerts: u64 = narrow(WHAT, &row, "alerts")?;
        let mut places: Vec<u32> = now.iter().map(|one| one.place).collect();
        places.sort_unstable();
        let why = if let Some(place) = places.last().filter(|place| u64::from(**place) >= alerts) {
            format!("round {id} has {alerts} alerts, none at place {place}")
        } else if let Some(two) = places.windows(2).find(|two| two[0] == two[1]) {
            format!("round {id} has two outcomes for place {}", two[0])
        } else {
            return Ok(());
        };
        Err(StorageError::Unrecordable { what: WHAT, why })
    }

    /// All versions of a round's outcomes, by place and the time when they were seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn outcomes(&self, id: RoundId) -> Result<Vec<KnownOutcome>, StorageError> {
        let select = AssertSqlSafe(format!("{SELECT} ORDER BY place, seen_ms"));
        let rows = sqlx::query(select).bind(id.to_string()).fetch_all(&self.inner.pool).await;
        rows.map_err(during("read outcomes"))?.iter().map(read).collect()
    }

    /// What is known now of the alerts of an address in a subnet's rounds, by round and place.
    ///
    /// # Errors
    /// The database's.
    pub async fn address_outcomes(
        &self,
        netuid: u16,
        address: &str,
    ) -> Result<BTreeMap<(RoundId, u32), bool>, StorageError> {
        let rows = sqlx::query(
            "SELECT o.round, o.place, o.illicit FROM outcomes o JOIN rounds r ON r.id = o.round \
             WHERE o.address = $1 AND r.netuid = $2 AND o.replaced_ms IS NULL AND o.illicit IS NOT NULL",
        )
        .bind(address.to_owned())
        .bind(i64::from(netuid))
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read outcomes"))?;
        let read = |row: &AnyRow| {
            let illicit = column::<i64>(WHAT, row, "illicit")? != 0;
            Ok(((parsed(WHAT, row, "round")?, narrow(WHAT, row, "place")?), illicit))
        };
        rows.iter().map(read).collect()
    }

    /// How often the outcomes of a round changed, with what is known of it at that.
    ///
    /// # Errors
    /// The database's.
    pub async fn outcome_version(&self, id: RoundId) -> Result<OutcomeVersion, StorageError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS versions, MAX(seen_ms) AS newest_ms, \
             COUNT(CASE WHEN replaced_ms IS NULL THEN illicit END) AS outcomes, \
             CAST(COALESCE(SUM(CASE WHEN replaced_ms IS NULL THEN illicit END), 0) AS BIGINT) AS illicit \
             FROM outcomes WHERE round = $1",
        )
        .bind(id.to_string())
        .fetch_one(&self.inner.pool)
        .await
        .map_err(during("read outcomes"))?;
        Ok(OutcomeVersion {
            versions: narrow(WHAT, &row, "versions")?,
            newest_ms: column(WHAT, &row, "newest_ms")?,
            outcomes: narrow(WHAT, &row, "outcomes")?,
            illicit: narrow(WHAT, &row, "illicit")?,
        })
    }

    /// How much is known of a round now.
    ///
    /// # Errors
    /// The database's.
    pub async fn outcome_tally(&self, id: RoundId) -> Result<OutcomeTally, StorageError> {
        let row = sqlx::query(
            "SELECT COUNT(o.illicit) AS outcomes, CAST(COALESCE(SUM(o.illicit), 0) AS BIGINT) AS illicit, \
             MAX(r.outcomes_ms) AS as_of_ms FROM rounds r \
             LEFT JOIN outcomes o ON o.round = r.id AND o.replaced_ms IS NULL WHERE r.id = $1",
        )
        .bind(id.to_string())
        .fetch_one(&self.inner.pool)
        .await
        .map_err(during("read outcomes"))?;
        Ok(OutcomeTally {
            outcomes: narrow(WHAT, &row, "outcomes")?,
            illicit: narrow(WHAT, &row, "illicit")?,
            as_of_ms: column(WHAT, &row, "as_of_ms")?,
        })
    }
}

/// Marks old versions as replaced and adds the new ones.
async fn replace(
    write: &mut Write,
    id: RoundId,
    versions: &[(Option<KnownOutcome>, KnownOutcome)],
) -> Result<(), StorageError> {
    let failed = during(OPERATION);
    let round = id.to_string();
    for (was, new) in versions {
        let Some(was) = was else { continue };
        if was.seen_ms >= new.seen_ms {
            let why = format!("round {id} was looked at later already, at {}", was.seen_ms);
            return Err(StorageError::Unrecordable { what: WHAT, why });
        }
        sqlx::query("UPDATE outcomes SET replaced_ms = $1 WHERE round = $2 AND place = $3 AND seen_ms = $4")
            .bind(new.seen_ms)
            .bind(&round)
            .bind(i64::from(was.place))
            .bind(was.seen_ms)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
    }
    for rows in versions.chunks(ROWS) {
        let mut statement = sqlx::query::<Any>(AssertSqlSafe(insert("outcomes", &COLUMNS, rows.len())));
        for (_, new) in rows {
            statement = statement
                .bind(&round)
                .bind(i64::from(new.place))
                .bind(new.seen_ms)
                .bind(&new.address)
                .bind(new.illicit.map(i64::from))
                .bind(i64::from(new.relevance))
                .bind(new.confirmed_ms)
                .bind(None::<i64>);
        }
        // A missing number and a number have different types to the driver, a kept statement has one.
        statement.persistent(false).execute(&mut *write.tx).await.map_err(failed)?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<KnownOutcome, StorageError> {
    Ok(KnownOutcome {
        place: narrow(WHAT, row, "place")?,
        address: column(WHAT, row, "address")?,
        illicit: column::<Option<i64>>(WHAT, row, "illicit")?.map(|illicit| illicit != 0),
        relevance: narrow(WHAT, row, "relevance")?,
        confirmed_ms: column(WHAT, row, "confirmed_ms")?,
        seen_ms: column(WHAT, row, "seen_ms")?,
        replaced_ms: column(WHAT, row, "replaced_ms")?,
    })
}
