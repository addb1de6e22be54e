//! A ledger of any version, older or newer than this program: how far its rounds are, and a copy of its file. Nothing is brought up
//! to date.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use super::address::Address;
use super::backup::{BackupError, copy_into};
use super::codec::{column, narrow};
use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::migrate;
use super::open::{OpenLedgerError, connect, install_drivers};
use super::records::Step;
use super::steps::step_of;

const WHAT: &str = "round";

/// How far a round is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundGlimpse {
    /// Its id, as text.
    pub id: String,
    /// Its step.
    pub step: Step,
    /// When its answers stop to count, once there is a task.
    pub deadline_ms: Option<i64>,
    /// Whether it counts nowhere.
    pub void: bool,
}

/// What is seen of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glimpse {
    /// Version of its schema; 0 where there is none yet.
    pub schema: i64,
    /// The newest rounds, newest first.
    pub rounds: Vec<RoundGlimpse>,
}

impl Ledger {
    /// Looks at the ledger at `url`, whatever its version; nothing of one that is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub async fn glimpse(url: &str) -> Result<Glimpse, OpenLedgerError> {
        install_drivers();
        let address: Address = url.parse()?;
        if matches!(&address, Address::File(path) if !path.exists()) {
            return Ok(Glimpse::default());
        }
        let storage = |source| OpenLedgerError::Storage { address: address.to_string(), source };
        let dialect = Dialect::of(&address);
        let pool = connect(&address, dialect, true).await.map_err(during("read rounds")).map_err(storage)?;
        let schema = migrate::version(&pool, dialect).await.map_err(during("read the version")).map_err(storage)?;
        let select = match schema {
            0 => return Ok(Glimpse::default()),
            1 => "SELECT id, step, deadline_ms, 0 AS void FROM rounds ORDER BY day DESC, id DESC LIMIT 64",
            _ => {
                "SELECT id, step, deadline_ms, CASE WHEN void_ms IS NULL THEN 0 ELSE 1 END AS void FROM rounds \
                 ORDER BY day DESC, id DESC LIMIT 64"
            }
        };
        let rows = sqlx::query(select).fetch_all(&pool).await.map_err(during("read rounds")).map_err(storage)?;
        let rounds = rows.iter().map(read).collect::<Result<_, _>>().map_err(storage)?;
        pool.close().await;
        Ok(Glimpse { schema, rounds })
    }

    /// Copies a SQLite ledger that nobody holds, whatever its version, to a file that is not there yet.
    ///
    /// # Errors
    /// When it cannot be read, or the copy cannot be written.
    pub async fn copy_file(ledger: &Path, to: &Path) -> Result<(), BackupError> {
        install_drivers();
        let address = Address::File(ledger.to_path_buf());
        let pool = connect(&address, Dialect::Sqlite, true).await.map_err(during("backup"))?;
        let copied = copy_into(&pool, to).await;
        pool.close().await;
        copied
    }
}

fn read(row: &AnyRow) -> Result<RoundGlimpse, StorageError> {
    let void: i64 = narrow(WHAT, row, "void")?;
    Ok(RoundGlimpse {
        id: column(WHAT, row, "id")?,
        step: step_of(narrow(WHAT, row, "step")?)?,
        deadline_ms: column(WHAT, row, "deadline_ms")?,
        void: void != 0,
    })
}
