//! Forgetting the receipt key of a miner that has lost it, while a validator runs.
//!
//! It needs no lock: it is one transaction beside those of the holder, and every task reads the keys anew. A round that
//! was asked under the old key is judged by it, and does not bring it back (`verdicts.rs`).

use aml_miner::digest::Digest;

use super::codec::{column, parsed};
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::open::OpenLedgerError;
use super::write::Write;
use crate::wallet::Hotkey;

const OPERATION: &str = "forget_receipt_key";
const WHAT: &str = "miner";

/// What became of a hotkey's receipt key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// This one is forgotten.
    Key(Digest),
    /// There was none.
    NoKey,
    /// The ledger has never heard of the hotkey.
    Unknown,
}

/// Why a key was not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetKeyError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenLedgerError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Ledger {
    /// Forgets the receipt key of `hotkey` in the ledger at `url`, beside a validator that holds it: its first valid
    /// receipt in a round that is asked from now on says the new one.
    ///
    /// # Errors
    /// When there is no ledger, it is not up to date, or the database refuses.
    pub async fn forget_receipt_key(url: &str, hotkey: &Hotkey) -> Result<Forgotten, ForgetKeyError> {
        let ledger = Self::open_beside(url).await?;
        let mut write = ledger.begin_write(OPERATION, 1).await?;
        let forgotten = forget(&mut write, hotkey).await?;
        write.commit().await?;
        ledger.close().await;
        Ok(forgotten)
    }
}

async fn forget(write: &mut Write, hotkey: &Hotkey) -> Result<Forgotten, StorageError> {
    let failed = during(OPERATION);
    let row = sqlx::query("SELECT receipt_key FROM miners WHERE hotkey = $1").bind(hotkey.to_string());
    let Some(row) = row.fetch_optional(&mut *write.tx).await.map_err(failed)? else { return Ok(Forgotten::Unknown) };
    if column::<Option<String>>(WHAT, &row, "receipt_key")?.is_none() {
        return Ok(Forgotten::NoKey);
    }
    let key: Digest = parsed(WHAT, &row, "receipt_key")?;
    // Only the key that is told: somebody else may forget it at the same time.
    let done = sqlx::query("UPDATE miners SET receipt_key = NULL WHERE hotkey = $1 AND receipt_key = $2")
        .bind(hotkey.to_string())
        .bind(key.to_string())
        .execute(&mut *write.tx)
        .await
        .map_err(failed)?;
    Ok(if done.rows_affected() == 0 { Forgotten::NoKey } else { Forgotten::Key(key) })
}
