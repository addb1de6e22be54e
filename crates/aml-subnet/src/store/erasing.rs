//! Taking an address out of the ledger: everywhere it stands a pseudonym stands afterwards, the same in all rows.
//!
//! The pseudonym is random, so nothing leads back from it. An address counts once, whatever the number of its alerts, and so it
//! still does: standings, pay and settlements come out as before, and a round computes again to the same bytes. What cannot be
//! rewritten, because somebody signed it, loses its content and keeps its digest. All of it is one transaction.

mod look;
mod needle;
mod rewrite;

use std::collections::BTreeSet;

use sqlx::Row as _;

pub use self::needle::{Needle, NotErasable};
use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::records::RoundId;
use crate::entropy::{Entropy, NoEntropy};

const OPERATION: &str = "erase";
/// What every pseudonym begins with, so that a reader sees what it is.
pub const ERASED: &str = "erased-";

/// What stands for an address that was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// A fresh one, of which nobody can tell what it stands for.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(format!("{ERASED}{}", hex::encode(bytes))))
    }

    /// As a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What of an address is in the ledger, and what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerTraces {
    /// Rounds that name it anywhere.
    pub rounds: BTreeSet<RoundId>,
    /// Rounds that name it and are not published: they still have to be asked, judged or merged about it.
    pub open: BTreeSet<RoundId>,
    /// Alerts about it in the tasks of rounds.
    pub roster: u64,
    /// Rows of canonical scores by address.
    pub alerts: u64,
    /// Versions of outcomes.
    pub outcomes: u64,
    /// Records of answers, verdicts and marks in whose words it stands.
    pub records: u64,
    /// Files of rounds that are written anew: reasons.
    pub files: u64,
    /// Raw answers in which a miner named it: emptied, their digests stay.
    pub answers: u64,
    /// Encoded tasks of rounds that name it: emptied, their digests stay.
    pub forms: u64,
    /// What stays, and why, a line each.
    pub stays: Vec<String>,
    /// The same address in other letters: each is erased by itself.
    pub spellings: BTreeSet<String>,
}

impl LedgerTraces {
    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.rounds.is_empty() && self.stays.is_empty()
    }
}

/// How an address is erased.
#[derive(Clone, Copy, Debug)]
pub struct Erasure<'a> {
    /// What stands for it from now on.
    pub by: &'a Pseudonym,
    /// When.
    pub at_ms: i64,
    /// Rounds whose batches name it: their answers are looked through too.
    pub beside: &'a BTreeSet<RoundId>,
}

impl Ledger {
    /// What of an address is kept. `beside`: rounds whose answers are looked through, whatever their tasks say.
    ///
    /// # Errors
    /// The database's, or when a record does not read back.
    pub async fn traces(&self, needle: &Needle, beside: &BTreeSet<RoundId>) -> Result<LedgerTraces, StorageError> {
        let mut connection = self.inner.pool.acquire().await.map_err(during("read traces"))?;
        Ok(look::look(&mut connection, needle, beside).await?.traces)
    }

    /// Erases an address, all of it or nothing; says what it was. Nothing is changed while a round that names it is open.
    ///
    /// # Errors
    /// The database's, or when a record does not read back.
    pub async fn erase(&self, needle: &Needle, erasure: Erasure<'_>) -> Result<LedgerTraces, StorageError> {
        let mut write = self.write_alone(OPERATION).await?;
        let found = look::look(&mut write.tx, needle, erasure.beside).await?;
        if found.traces.open.is_empty() && !found.traces.rounds.is_empty() {
            rewrite::rewrite(&mut write.tx, needle, &found, erasure).await?;
            write.commit().await?;
        }
        Ok(found.traces)
    }

    /// Rewrites the database's files, so that nothing is left in them of what was overwritten. Takes as long as a copy of the
    /// ledger, and as much space.
    ///
    /// # Errors
    /// The database's: there is no space, or somebody reads.
    pub async fn scrub(&self) -> Result<(), StorageError> {
        let _turns = self.turns(OPERATION, self.inner.dialect.writers()).await?;
        let failed = during(OPERATION);
        for statement in self.inner.dialect.scrub() {
            sqlx::raw_sql(*statement).execute(&self.inner.pool).await.map_err(failed)?;
        }
        if self.inner.dialect == Dialect::Sqlite {
            let row = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.inner.pool).await;
            let busy: i64 = row.and_then(|row| row.try_get(0)).map_err(failed)?;
            if busy != 0 {
                return Err(StorageError::of(OPERATION, sqlx::Error::PoolTimedOut));
            }
        }
        Ok(())
    }
}
