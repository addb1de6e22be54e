//! The rows of one round, table by table, each as an export writes it.
//!
//! Tables of secrets that a settled round does not reveal (weights), of hotkeys, and what follows from the others or cannot be
//! computed from them are left out.

use futures_util::TryStreamExt as _;
use sqlx::AssertSqlSafe;

use super::error::{StorageError, during};
use super::export::{Line, select};
use super::ledger::Ledger;
use super::records::RoundId;
use super::tables::{TABLES, Table};

const WHAT: &str = "table";

/// The tables that are told of a round, in the order of an export.
pub const ROUND_TABLES: [&str; 10] =
    ["rounds", "tasks", "answers", "verdicts", "canonical", "outcomes", "columns", "curves", "standings", "shares"];

impl Ledger {
    /// The rows of a round in one of [`ROUND_TABLES`], one per line of JSON.
    ///
    /// # Errors
    /// The database's, and a table that is none of them.
    pub async fn round_rows(&self, id: RoundId, table: &str) -> Result<Vec<u8>, StorageError> {
        let table = told(table)?;
        let which = if table.name == "rounds" { " WHERE id = $1" } else { " WHERE round = $1" };
        let mut rows = sqlx::query(AssertSqlSafe(select(table, which))).bind(id.to_string()).fetch(&self.inner.pool);
        let unreadable =
            |error: serde_json::Error| StorageError::Malformed { what: table.name, why: error.to_string() };
        let mut lines = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(during("read a round"))? {
            serde_json::to_writer(&mut lines, &Line::read(table, &row)?).map_err(unreadable)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

fn told(name: &str) -> Result<&'static Table, StorageError> {
    let known = ROUND_TABLES.contains(&name);
    let table = TABLES.iter().find(|table| known && table.name == name);
    table.ok_or_else(|| StorageError::Malformed { what: WHAT, why: format!("`{name}` is not told of a round") })
}
