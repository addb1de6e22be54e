//! Transactions that write: one at a time where the database has one writer, and only while the ledger is ours.

use sqlx::{Any, Row as _, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::ledger::Ledger;
use crate::failpoint;

/// A transaction that writes; undone unless committed.
pub(super) struct Write {
    pub(super) tx: Transaction<'static, Any>,
    pub(super) dialect: Dialect,
    operation: &'static str,
    _turns: OwnedSemaphorePermit,
}

impl Ledger {
    /// Begins a transaction that writes.
    pub(super) async fn write(&self, operation: &'static str) -> Result<Write, StorageError> {
        self.write_of(operation, 1).await
    }

    /// Begins a transaction beside which nothing else writes.
    pub(super) async fn write_alone(&self, operation: &'static str) -> Result<Write, StorageError> {
        self.write_of(operation, self.inner.dialect.writers()).await
    }

    async fn write_of(&self, operation: &'static str, turns: u32) -> Result<Write, StorageError> {
        let token = self.inner.token.as_ref().ok_or(StorageError::OpenedReadOnly(operation))?;
        let mut write = self.begin_write(operation, turns).await?;
        let row = sqlx::query(self.inner.dialect.read_token()).fetch_one(&mut *write.tx).await;
        let held: String = row.and_then(|row| row.try_get("value")).map_err(during(operation))?;
        if held == *token {
            return Ok(write);
        }
        let row = sqlx::query("SELECT value FROM ledger WHERE name = 'holder'").fetch_one(&mut *write.tx).await;
        let holder = row.and_then(|row| row.try_get("value")).map_err(during(operation))?;
        Err(StorageError::TakenOver { holder })
    }

    /// Begins a transaction that writes, whoever holds the ledger.
    pub(super) async fn begin_write(&self, operation: &'static str, turns: u32) -> Result<Write, StorageError> {
        let turns = self.turns(operation, turns).await?;
        let dialect = self.inner.dialect;
        let tx = self.inner.pool.begin_with(dialect.begin_write()).await.map_err(during(operation))?;
        Ok(Write { tx, dialect, operation, _turns: turns })
    }

    /// Waits for some of the turns that there are to write.
    pub(super) async fn turns(
        &self,
        operation: &'static str,
        turns: u32,
    ) -> Result<OwnedSemaphorePermit, StorageError> {
        let turns = self.inner.writers.clone().acquire_many_owned(turns).await;
        turns.map_err(|_| StorageError::of(operation, sqlx::Error::PoolClosed))
    }

    /// Names this process as the holder, so that one that held the ledger before can write no more.
    pub(super) async fn take_over(&self, holder: &str) -> Result<(), StorageError> {
        let Some(token) = &self.inner.token else { return Ok(()) };
        let mut write = self.begin_write("take_over", 1).await?;
        for (name, value) in [("token", token.as_str()), ("holder", holder)] {
            sqlx::query(
                "INSERT INTO ledger (name, value) VALUES ($1, $2) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .bind(name)
            .bind(value)
            .execute(&mut *write.tx)
            .await
            .map_err(during("take_over"))?;
        }
        write.commit().await
    }
}

impl Write {
    /// Makes it last. A process may be killed before or after, and a test kills it at both.
    pub(super) async fn commit(self) -> Result<(), StorageError> {
        failpoint::hit!("{}.before_commit", self.operation);
        self.tx.commit().await.map_err(during(self.operation))?;
        failpoint::hit!("{}.after_commit", self.operation);
        Ok(())
    }
}

/// How many rows are inserted at once.
pub(super) const ROWS: usize = 500;

/// `INSERT` of many rows.
pub(super) fn insert(table: &str, columns: &[&str], rows: usize) -> String {
    let width = columns.len();
    let values = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let values: Vec<String> = (0..rows).map(values).collect();
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), values.join(", "))
}
