//! Columns and scores of submissions and references, by roster place; counts of their outcomes.
//!
//! Every read compares what is stored with its digest: a number that was changed is an error, never a number.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{LARGEST, column, compress, decompress, from_text, parsed, text, to_i64};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{ColumnDigests, ColumnName, Counts, RoundId, Step, StoredColumn};
use super::records::{score_bytes, scores_of, worth_bytes, worths_of};
use super::steps::held;
use super::write::Write;
use crate::wallet::Hotkey;

const WHAT: &str = "column";
const OPERATION: &str = "record_columns";

/// A column as it is kept: compressed, with the digests that its row names.
#[derive(Debug)]
pub struct PackedColumn {
    /// The round.
    pub round: RoundId,
    /// Whose.
    pub name: ColumnName,
    /// What its row says.
    pub digests: ColumnDigests,
    content: Vec<u8>,
}

impl PackedColumn {
    /// The column. Takes a core for a moment.
    ///
    /// # Errors
    /// When what is stored is not what its digest says.
    pub fn worths(&self) -> Result<Vec<i16>, StorageError> {
        self.whole(&self.digests.worths, worths_of)
    }

    /// The scores.
    ///
    /// # Errors
    /// When what is stored is not what its digest says.
    pub fn scores(&self) -> Result<Vec<f64>, StorageError> {
        self.whole(&self.digests.scores, scores_of)
    }

    fn whole<T>(&self, expected: &Digest, of: impl Fn(&[u8]) -> Option<Vec<T>>) -> Result<Vec<T>, StorageError> {
        let altered = |actual| StorageError::Altered {
            round: self.round,
            name: self.name.to_string(),
            expected: *expected,
            actual,
        };
        let bytes = decompress(WHAT, &self.content, LARGEST)?;
        let actual = Digest::of(&bytes);
        let right = if actual == *expected { of(&bytes) } else { None };
        right.ok_or_else(|| altered(actual))
    }
}

impl Ledger {
    /// Keeps columns of a round. One that is there already stays as it is once its round is judged, and must be the
    /// same; before that it is replaced.
    ///
    /// # Errors
    /// When there is no such round, or a judged round has another column of that name.
    pub async fn record_columns(&self, id: RoundId, columns: &[StoredColumn]) -> Result<(), RecordError> {
        let mut write = self.write(OPERATION).await?;
        let step = held(&mut write, OPERATION, &id).await?;
        for one in columns {
            let known = digests_of(&mut write, &id, &one.name).await?;
            match known {
                Some(known) if known == one.digests() => {}
                Some(_) if step >= Step::Judged => return Err(RecordError::Differs { round: id, what: "columns" }),
                known => put(&mut write, &id, one, known.is_some()).await?,
            }
        }
        Ok(write.commit().await?)
    }

    /// Names and digests of a round's columns that are kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn column_digests(&self, id: RoundId) -> Result<BTreeMap<ColumnName, ColumnDigests>, StorageError> {
        let select = "SELECT name, worths_sha256, scores_sha256 FROM columns WHERE round = $1 AND swept_ms IS NULL";
        let rows = sqlx::query(select);
        let rows = rows.bind(id.to_string()).fetch_all(&self.inner.pool).await.map_err(during("read columns"))?;
        rows.iter().map(|row| Ok((parsed(WHAT, row, "name")?, digests(row)?))).collect()
    }

    /// The columns of a round that are kept, packed, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn packed_columns(&self, id: RoundId) -> Result<Vec<PackedColumn>, StorageError> {
        self.packed(id, "SELECT name, worths_sha256, scores_sha256, worths AS content FROM columns").await
    }

    /// The scores of a round's columns that are kept, packed, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn packed_scores(&self, id: RoundId) -> Result<Vec<PackedColumn>, StorageError> {
        self.packed(id, "SELECT name, worths_sha256, scores_sha256, scores AS content FROM columns").await
    }

    async fn packed(&self, id: RoundId, select: &'static str) -> Result<Vec<PackedColumn>, StorageError> {
        let select = sqlx::AssertSqlSafe(format!("{select} WHERE round = $1 AND swept_ms IS NULL"));
        let rows = sqlx::query(select).bind(id.to_string()).fetch_all(&self.inner.pool).await;
        let read = |row: &AnyRow| {
            let name = parsed(WHAT, row, "name")?;
            Ok(PackedColumn { round: id, name, digests: digests(row)?, content: column(WHAT, row, "content")? })
        };
        let mut all: Vec<PackedColumn> =
            rows.map_err(during("read columns"))?.iter().map(read).collect::<Result<_, StorageError>>()?;
        all.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(all)
    }

    /// Drops the columns of rounds of days before `before`; their digests stay. Says how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_columns(&self, before: chrono::NaiveDate, now_ms: i64) -> Result<u64, StorageError> {
        let mut write = self.write_alone("sweep_columns").await?;
        let done = sqlx::query(
            "UPDATE columns SET worths = NULL, scores = NULL, swept_ms = $1 WHERE swept_ms IS NULL \
             AND round IN (SELECT id FROM rounds WHERE day < $2)",
        )
        .bind(now_ms)
        .bind(crate::calendar::day_of(before))
        .execute(&mut *write.tx)
        .await
        .map_err(during("sweep_columns"))?;
        write.commit().await?;
        Ok(done.rows_affected())
    }

    /// Replaces the counts of a round.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_counts(&self, id: RoundId, counts: &BTreeMap<Hotkey, Counts>) -> Result<(), RecordError> {
        let failed = during("record_counts");
        let mut write = self.write("record_counts").await?;
        held(&mut write, "record_counts", &id).await?;
        for (hotkey, counts) in counts {
            sqlx::query(
                "INSERT INTO counts (round, hotkey, record) VALUES ($1, $2, $3) \
                 ON CONFLICT (round, hotkey) DO UPDATE SET record = excluded.record",
            )
            .bind(id.to_string())
            .bind(hotkey.to_string())
            .bind(text("counts", counts)?)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        }
        Ok(write.commit().await?)
    }

    /// The counts of a round.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(&self, id: RoundId) -> Result<BTreeMap<Hotkey, Counts>, StorageError> {
        let rows = sqlx::query("SELECT hotkey, record FROM counts WHERE round = $1").bind(id.to_string());
        let rows = rows.fetch_all(&self.inner.pool).await.map_err(during("read counts"))?;
        let read = |row: &AnyRow| {
            Ok((parsed("counts", row, "hotkey")?, from_text("counts", column("counts", row, "record")?)?))
        };
        rows.iter().map(read).collect()
    }
}

async fn digests_of(write: &mut Write, id: &RoundId, name: &ColumnName) -> Result<Option<ColumnDigests>, StorageError> {
    let row = sqlx::query("SELECT worths_sha256, scores_sha256 FROM columns WHERE round = $1 AND name = $2")
        .bind(id.to_string())
        .bind(name.to_string())
        .fetch_optional(&mut *write.tx)
        .await
        .map_err(during(OPERATION))?;
    row.as_ref().map(digests).transpose()
}

async fn put(write: &mut Write, id: &RoundId, one: &StoredColumn, replaces: bool) -> Result<(), StorageError> {
    if one.worths.len() != one.scores.len() || one.scores.iter().any(|score| !score.is_finite()) {
        let why = format!("{} of round {id} is not one finite score for each worth", one.name);
        return Err(StorageError::Unrecordable { what: WHAT, why });
    }
    let digests = one.digests();
    let statement = if replaces {
        "UPDATE columns SET alerts = $3, worths_sha256 = $4, scores_sha256 = $5, worths = $6, scores = $7 \
         WHERE round = $1 AND name = $2"
    } else {
        "INSERT INTO columns (round, name, alerts, worths_sha256, scores_sha256, worths, scores) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    };
    sqlx::query(statement)
        .bind(id.to_string())
        .bind(one.name.to_string())
        .bind(to_i64(WHAT, one.worths.len() as u64)?)
        .bind(digests.worths.to_string())
        .bind(digests.scores.to_string())
        .bind(compress(WHAT, &worth_bytes(&one.worths))?)
        .bind(compress(WHAT, &score_bytes(&one.scores))?)
        .execute(&mut *write.tx)
        .await
        .map_err(during(OPERATION))?;
    Ok(())
}

fn digests(row: &AnyRow) -> Result<ColumnDigests, StorageError> {
    Ok(ColumnDigests { worths: parsed(WHAT, row, "worths_sha256")?, scores: parsed(WHAT, row, "scores_sha256")? })
}
