//! A round that another validator ran, taken over from its evidence pack: all of it in one transaction, or nothing.
//!
//! It is marked with whose it is, counts in windows as a round of our own does, and is settled here. Its raw answers were never here:
//! their digests stand as those of answers that were swept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::calibrations::put_calibration;
use super::canonical::index;
use super::error::{StorageError, during};
use super::import::{ImportError, Rows, fill};
use super::ledger::Ledger;
use super::migrate;
use super::reasons::put_reasons;
use super::records::{Answer, Canonical, RoundId, Step};
use super::round_rows::ROUND_TABLES;
use super::steps::number;
use super::tables::TABLES;
use super::write::Write;
use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;

const OPERATION: &str = "adopt";

/// A round as it is taken over.
pub struct Adoption<'a> {
    /// Which.
    pub round: RoundId,
    /// Whose, as it is marked.
    pub from: String,
    /// When it is taken over, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its rows by table, one per line of JSON.
    pub tables: BTreeMap<&'static str, Vec<u8>>,
    /// Its answers, which name bodies.
    pub answers: Vec<Answer>,
    /// Its canonical scores, to be found by address.
    pub canonical: Option<&'a Canonical>,
    /// The calibration of its probabilities, where its pack has one.
    pub calibration: Option<&'a Calibration>,
    /// Its reasons, where its pack has any.
    pub reasons: Option<&'a Reasons>,
}

impl Ledger {
    /// Takes over a round; says whether it did, for a round that is there already stays as it is.
    ///
    /// # Errors
    /// The database's, and rows that are not those of such a round.
    pub async fn adopt(&self, adoption: &Adoption<'_>) -> Result<bool, ImportError> {
        let Adoption { round, from, at_ms, tables, answers, canonical, calibration, reasons } = adoption;
        let folder = tempfile::tempdir().map_err(|source| unwritable(Path::new("."), source))?;
        for (name, rows) in tables {
            let path = folder.path().join(format!("{name}.jsonl"));
            fs::write(&path, rows).map_err(|source| unwritable(&path, source))?;
        }
        let mut write = self.write_alone(OPERATION).await?;
        if is_there(&mut write, *round).await? {
            return Ok(false);
        }
        for table in TABLES.iter().filter(|table| ROUND_TABLES.contains(&table.name)) {
            if table.name == "answers" {
                name_bodies(&mut write, answers, *at_ms).await?;
            }
            fill(&mut write, Rows::open(table, migrate::LATEST, folder.path())?, folder.path()).await?;
        }
        if let Some(canonical) = canonical {
            index(&mut write, *round, canonical).await?;
        }
        if let Some(calibration) = calibration {
            put_calibration(&mut write, *round, calibration).await?;
        }
        if let Some(reasons) = reasons {
            put_reasons(&mut write, *round, reasons).await?;
        }
        sqlx::query("UPDATE rounds SET step = $2, settled_ms = NULL, held_ms = NULL, held_why = NULL, adopted = $3 WHERE id = $1")
            .bind(round.to_string())
            .bind(number(Step::Published))
            .bind(from.clone())
            .execute(&mut *write.tx)
            .await
            .map_err(during(OPERATION))?;
        write.commit().await?;
        Ok(true)
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Read { path: path.to_owned(), source }
}

async fn is_there(write: &mut Write, round: RoundId) -> Result<bool, StorageError> {
    let row = sqlx::query("SELECT id FROM rounds WHERE id = $1").bind(round.to_string());
    Ok(row.fetch_optional(&mut *write.tx).await.map_err(during(OPERATION))?.is_some())
}

/// The bodies that answers name, as if they had been swept.
async fn name_bodies(write: &mut Write, answers: &[Answer], at_ms: i64) -> Result<(), StorageError> {
    for answer in answers {
        let plain = answer.body.map(|body| (body, answer.bytes));
        let sealed = answer.sealed.as_ref().map(|sealed| (sealed.cipher, sealed.bytes));
        for (digest, bytes) in plain.into_iter().chain(sealed) {
            sqlx::query(
                "INSERT INTO bodies (digest, bytes, stored, swept_ms) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING",
            )
            .bind(digest.to_string())
            .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
            .bind(at_ms)
            .execute(&mut *write.tx)
            .await
            .map_err(during(OPERATION))?;
        }
    }
    Ok(())
}
