//! What rules v2 look up across rounds: how hotkeys did, and what is known of addresses. Rounds that are void or late are
//! not looked at.

use std::collections::{BTreeMap, HashMap};

use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::codec::{column, narrow, parsed};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{RoundId, Step};
use super::steps::{held, number};
use super::write::ROWS;
use crate::calendar::{day_of, start_ms};
use crate::wallet::Hotkey;

const WHAT: &str = "conduct";

/// How a hotkey did in a round that it was part of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conduct {
    /// Who.
    pub hotkey: Hotkey,
    /// Day of the round, since 1970-01-01.
    pub day: i64,
    /// Share of tier 1's checks that were passed; `None` when the submission does not count.
    pub tier1: Option<f64>,
    /// How much better than chance it did on the traps; `None` without traps or a submission that counts.
    pub advantage: Option<f64>,
    /// Whether it was asked at all.
    pub asked: bool,
}

/// Which earlier rounds are looked at: those of the same subnet and window as `round`, of days from `since` to the one
/// before it, as they stood at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// The round that looks.
    pub round: RoundId,
    /// The first day, since 1970-01-01.
    pub since: i64,
    /// The moment, milliseconds since 1970: what was marked or seen later, or taken back, is as it was then.
    pub as_of_ms: i64,
}

/// Outcomes of one address, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownShare {
    /// How many are known.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
}

impl Ledger {
    /// How all hotkeys did in the judged rounds of the window that begins on `since` and ends with `round`, by day.
    ///
    /// # Errors
    /// The database's.
    pub async fn conduct(&self, Before { round, since, as_of_ms }: Before) -> Result<Vec<Conduct>, StorageError> {
        let rows = sqlx::query(
            "SELECT v.hotkey, r.day, v.tier1, v.advantage, a.not_asked FROM rounds r JOIN verdicts v ON v.round = r.id \
             LEFT JOIN answers a ON a.round = v.round AND a.hotkey = v.hotkey \
             WHERE r.netuid = $1 AND r.window_days = $2 AND r.day >= $3 AND r.day <= $4 AND r.step >= $5 \
             AND (r.void_ms IS NULL OR r.void_ms > $6) AND (r.late_ms IS NULL OR r.late_ms > $6) \
             ORDER BY r.day, v.hotkey",
        )
        .bind(i64::from(round.netuid))
        .bind(i64::from(round.window_days))
        .bind(since)
        .bind(day_of(round.date))
        .bind(number(Step::Judged))
        .bind(as_of_ms)
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("read conduct"))?;
        let read = |row: &AnyRow| {
            Ok(Conduct {
                hotkey: parsed(WHAT, row, "hotkey")?,
                day: column(WHAT, row, "day")?,
                tier1: column(WHAT, row, "tier1")?,
                advantage: column(WHAT, row, "advantage")?,
                asked: column::<Option<i64>>(WHAT, row, "not_asked")?.unwrap_or(0) == 0,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The newest canonical score of each of these addresses in the rounds before; the last alert's, where a round has
    /// several.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest_scores(
        &self,
        before: Before,
        addresses: &[&str],
    ) -> Result<HashMap<String, f64>, StorageError> {
        let mut newest: HashMap<String, (i64, i64, f64)> = HashMap::new();
        for chunk in addresses.chunks(ROWS) {
            let select = "SELECT a.address, r.day, a.place, a.score FROM alerts a JOIN rounds r ON r.id = a.round";
            let rows = self.of_addresses(select, "a.address", before, chunk).await?;
            for row in &rows {
                let at: (i64, i64) = (column("alert", row, "day")?, column("alert", row, "place")?);
                let score: f64 = column("alert", row, "score")?;
                let entry = newest.entry(column("alert", row, "address")?).or_insert((at.0, at.1, score));
                if (entry.0, entry.1) < at {
                    *entry = (at.0, at.1, score);
                }
            }
        }
        Ok(newest.into_iter().map(|(address, (_, _, score))| (address, score)).collect())
    }

    /// The outcome of the newest alert of each of these addresses in the rounds before that was confirmed before the
    /// round's day.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest_outcomes(
        &self,
        before: Before,
        addresses: &[&str],
    ) -> Result<HashMap<String, bool>, StorageError> {
        let today = start_ms(before.round.date);
        let mut newest: HashMap<String, (i64, i64, bool)> = HashMap::new();
        for chunk in addresses.chunks(ROWS) {
            let select = "SELECT o.address, r.day, o.place, o.illicit, o.confirmed_ms FROM outcomes o \
                          JOIN rounds r ON r.id = o.round AND o.illicit IS NOT NULL \
                          AND o.seen_ms <= $5 AND (o.replaced_ms IS NULL OR o.replaced_ms > $5)";
            for row in &self.of_addresses(select, "o.address", before, chunk).await? {
                if column::<i64>("outcome", row, "confirmed_ms")? >= today {
                    continue;
                }
                let at: (i64, i64) = (column("outcome", row, "day")?, column("outcome", row, "place")?);
                let illicit = column::<i64>("outcome", row, "illicit")? != 0;
                let entry = newest.entry(column("outcome", row, "address")?).or_insert((at.0, at.1, illicit));
                if (entry.0, entry.1) < at {
                    *entry = (at.0, at.1, illicit);
                }
            }
        }
        Ok(newest.into_iter().map(|(address, (_, _, illicit))| (address, illicit)).collect())
    }

    /// How many outcomes of the rounds before were confirmed before the round's day.
    ///
    /// # Errors
    /// The database's.
    pub async fn known_share(&self, Before { round, since, as_of_ms }: Before) -> Result<KnownShare, StorageError> {
        let row = sqlx::query(
            "SELECT COUNT(o.illicit) AS outcomes, CAST(COALESCE(SUM(o.illicit), 0) AS BIGINT) AS illicit \
             FROM outcomes o JOIN rounds r ON r.id = o.round WHERE o.confirmed_ms < $1 \
             AND r.netuid = $2 AND r.window_days = $3 AND r.day >= $4 AND r.day < $5 \
             AND o.seen_ms <= $6 AND (o.replaced_ms IS NULL OR o.replaced_ms > $6) \
             AND (r.void_ms IS NULL OR r.void_ms > $6) AND (r.late_ms IS NULL OR r.late_ms > $6)",
        )
        .bind(start_ms(round.date))
        .bind(i64::from(round.netuid))
        .bind(i64::from(round.window_days))
        .bind(since)
        .bind(day_of(round.date))
        .bind(as_of_ms)
        .fetch_one(&self.inner.pool)
        .await
        .map_err(during("read outcomes"))?;
        Ok(KnownShare { outcomes: narrow("outcome", &row, "outcomes")?, illicit: narrow("outcome", &row, "illicit")? })
    }

    /// Rows of rounds before, of some addresses.
    async fn of_addresses(
        &self,
        select: &str,
        address: &str,
        Before { round, since, as_of_ms }: Before,
        addresses: &[&str],
    ) -> Result<Vec<AnyRow>, StorageError> {
        let places: Vec<String> = (6..6 + addresses.len()).map(|at| format!("${at}")).collect();
        let select = format!(
            "{select} WHERE r.netuid = $1 AND r.window_days = $2 AND r.day >= $3 AND r.day < $4 \
             AND (r.void_ms IS NULL OR r.void_ms > $5) AND (r.late_ms IS NULL OR r.late_ms > $5) AND {address} IN ({})",
            places.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(select))
            .bind(i64::from(round.netuid))
            .bind(i64::from(round.window_days))
            .bind(since)
            .bind(day_of(round.date))
            .bind(as_of_ms);
        for address in addresses {
            query = query.bind((*address).to_owned());
        }
        query.fetch_all(&self.inner.pool).await.map_err(during("read addresses"))
    }

    /// Fills in how submissions of a round of an older program did on its traps.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_advantages(&self, id: RoundId, given: &BTreeMap<Hotkey, f64>) -> Result<(), RecordError> {
        let mut write = self.write("record_advantages").await?;
        held(&mut write, "record_advantages", &id).await?;
        for (hotkey, advantage) in given {
            sqlx::query(
                "UPDATE verdicts SET advantage = $1 WHERE round = $2 AND hotkey = $3 AND accepted = 1 \
                 AND advantage IS NULL",
            )
            .bind(*advantage)
            .bind(id.to_string())
            .bind(hotkey.to_string())
            .execute(&mut *write.tx)
            .await
            .map_err(during("record_advantages"))?;
        }
        Ok(write.commit().await?)
    }
}
