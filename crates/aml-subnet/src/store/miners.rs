//! What is known of hotkeys across rounds: when they were first seen, the key of their receipts, whether they are left
//! alone for now.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{column, narrow, parsed};
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::records::Dormancy;
use crate::wallet::Hotkey;

const WHAT: &str = "miner";

impl Ledger {
    /// The first receipt key of each hotkey.
    ///
    /// # Errors
    /// The database's.
    pub async fn receipt_keys(&self) -> Result<BTreeMap<Hotkey, Digest>, StorageError> {
        let rows = self.miners("SELECT hotkey, receipt_key FROM miners WHERE receipt_key IS NOT NULL").await?;
        collect(&rows, |row| parsed(WHAT, row, "receipt_key"))
    }

    /// When each hotkey was first seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn first_seen(&self) -> Result<BTreeMap<Hotkey, i64>, StorageError> {
        let rows = self.miners("SELECT hotkey, first_seen_ms FROM miners WHERE first_seen_ms IS NOT NULL").await?;
        collect(&rows, |row| column(WHAT, row, "first_seen_ms"))
    }

    /// Notes hotkeys; the first time counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_seen(&self, hotkeys: &[Hotkey], at_ms: i64) -> Result<(), StorageError> {
        let mut write = self.write("note_seen").await?;
        for hotkey in hotkeys {
            sqlx::query(
                "INSERT INTO miners (hotkey, first_seen_ms) VALUES ($1, $2) ON CONFLICT (hotkey) \
                 DO UPDATE SET first_seen_ms = COALESCE(miners.first_seen_ms, excluded.first_seen_ms)",
            )
            .bind(hotkey.to_string())
            .bind(at_ms)
            .execute(&mut *write.tx)
            .await
            .map_err(during("note_seen"))?;
        }
        write.commit().await
    }

    /// The hotkeys that are left alone for now.
    ///
    /// # Errors
    /// The database's.
    pub async fn dormancy(&self) -> Result<BTreeMap<Hotkey, Dormancy>, StorageError> {
        let rows = self.miners("SELECT hotkey, failures, next_try_ms FROM miners WHERE failures IS NOT NULL").await?;
        collect(&rows, |row| {
            Ok(Dormancy { failures: narrow(WHAT, row, "failures")?, next_try_ms: column(WHAT, row, "next_try_ms")? })
        })
    }

    /// Leaves a hotkey alone for a while, or no longer.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_dormancy(&self, hotkey: &Hotkey, dormancy: Option<Dormancy>) -> Result<(), StorageError> {
        let mut write = self.write("set_dormancy").await?;
        sqlx::query(
            "INSERT INTO miners (hotkey, failures, next_try_ms) VALUES ($1, $2, $3) ON CONFLICT (hotkey) \
             DO UPDATE SET failures = excluded.failures, next_try_ms = excluded.next_try_ms",
        )
        .bind(hotkey.to_string())
        .bind(dormancy.map(|dormancy| i64::from(dormancy.failures)))
        .bind(dormancy.map(|dormancy| dormancy.next_try_ms))
        .execute(&mut *write.tx)
        .await
        .map_err(during("set_dormancy"))?;
        write.commit().await
    }

    async fn miners(&self, select: &'static str) -> Result<Vec<AnyRow>, StorageError> {
        sqlx::query(select).fetch_all(&self.inner.pool).await.map_err(during("read miners"))
    }
}

fn collect<T>(
    rows: &[AnyRow],
    value: impl Fn(&AnyRow) -> Result<T, StorageError>,
) -> Result<BTreeMap<Hotkey, T>, StorageError> {
    rows.iter().map(|row| Ok((parsed(WHAT, row, "hotkey")?, value(row)?))).collect()
}
