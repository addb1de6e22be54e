//! Taking an address out of everything that a validator keeps: the ledger, and the folders beside it.
//!
//! Batches, published files and evidence packs are signed as a whole, so what names the address is taken away as a whole. In the
//! ledger a pseudonym takes its place (`store/erasing.rs`). Folders come first, the ledger last: whoever is interrupted erases
//! again, and it goes on. What this program did not write is never touched; it is named instead.

mod folders;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

pub use self::folders::{FolderTraces, TracedBatch};
use crate::config::ValidatorSettings;
use crate::outputs::{self, Edition, PublishError};
use crate::store::records::{RoundId, Step};
use crate::store::{Erasure, Ledger, LedgerTraces, Needle, Pseudonym, StorageError};
use crate::wallet::Signer;

/// What is erased, and where.
pub struct Erasing<'a> {
    /// The address.
    pub needle: &'a Needle,
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Where the folders are.
    pub settings: &'a ValidatorSettings,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// In the folders.
    pub folders: FolderTraces,
    /// In the ledger.
    pub ledger: LedgerTraces,
}

/// A line of the journal of erasures, which names no address.
#[derive(Debug, Serialize)]
pub struct Journal<'a> {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What stands for the address now.
    pub pseudonym: &'a str,
    /// Rounds that named it.
    pub rounds: Vec<String>,
    /// Batches that were taken away, by folder.
    pub batches: Vec<String>,
    /// Whether something of it stays.
    pub stays: bool,
}

/// Why an address was not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A folder or file.
    #[error("cannot erase in {path}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Rounds that are not finished with it.
    #[error(
        "{list} not published yet and asks about the address: erase again when it is, or make it void first (aml-subnet round \
         void)",
        list = listed(.0)
    )]
    Open(BTreeSet<RoundId>),
    /// A day that cannot be signed anew.
    #[error("round {round} cannot be published again")]
    Publish {
        /// Which.
        round: RoundId,
        /// Why.
        source: PublishError,
    },
}

fn listed(rounds: &BTreeSet<RoundId>) -> String {
    let names: Vec<String> = rounds.iter().map(ToString::to_string).collect();
    let noun = if names.len() == 1 { "round" } else { "each of the rounds" };
    format!("{noun} {} is", names.join(", "))
}

impl Traces {
    /// Whether nothing of the address is here.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.folders.is_none() && self.ledger.is_none()
    }

    /// What stays, whatever is done here: a line each.
    #[must_use]
    pub fn stays(&self) -> Vec<String> {
        self.ledger.stays.iter().cloned().chain(self.folders.stays()).collect()
    }
}

impl Erasing<'_> {
    /// Looks for the address everywhere; changes nothing.
    ///
    /// # Errors
    /// When the ledger or a folder cannot be read.
    pub async fn look(&self) -> Result<Traces, EraseError> {
        let folders = folders::look(self.settings, self.needle)?;
        let beside = self.beside(&folders).await?;
        let mut ledger = self.ledger.traces(self.needle, &beside).await?;
        for id in beside {
            // Its batch is still needed, whoever the address is in it.
            let round = self.ledger.round(id).await?;
            if round.is_some_and(|round| round.step < Step::Published && round.marks.void.is_none()) {
                ledger.open.insert(id);
            }
        }
        for pool in &folders.pools {
            let round = self.ledger.round(pool.round).await?;
            // Until everybody was asked, the same traps may have to be made again.
            if round.is_some_and(|round| round.step < Step::Asked && round.marks.void.is_none()) {
                ledger.open.insert(pool.round);
            }
        }
        Ok(Traces { folders, ledger })
    }

    /// Erases what was found; the ledger must be open for writing. Says what of it was in the ledger.
    ///
    /// # Errors
    /// When a round that names it is open, or the ledger or a folder cannot be written. Repeated, it goes on.
    pub async fn erase(&self, found: &Traces, by: &Pseudonym, at_ms: i64) -> Result<LedgerTraces, EraseError> {
        if !found.ledger.open.is_empty() {
            return Err(EraseError::Open(found.ledger.open.clone()));
        }
        let beside = self.beside(&found.folders).await?;
        found.folders.erase(self.settings)?;
        let erased = self.ledger.erase(self.needle, Erasure { by, at_ms, beside: &beside }).await?;
        if !erased.open.is_empty() {
            return Err(EraseError::Open(erased.open));
        }
        self.ledger.scrub().await?;
        Ok(erased)
    }

    /// Signs and publishes anew what is left of days whose files were taken away.
    ///
    /// # Errors
    /// When the ledger cannot be read, or files cannot be written.
    pub async fn publish_again(&self, signer: &Signer, now: std::time::Duration) -> Result<Vec<RoundId>, EraseError> {
        let root = self.settings.published_dir();
        let mut done = Vec::new();
        for netuid in self.ledger.netuids().await? {
            for round in self.ledger.rounds(netuid, u32::MAX >> 1, None).await? {
                let gone = outputs::is_erased(&root, &round.id) && round.step >= Step::Published;
                if !gone || round.marks.void.is_some() {
                    continue;
                }
                let (canonical, task) = (self.ledger.canonical(round.id).await?, self.ledger.task(round.id).await?);
                let Some((canonical, task)) = canonical.zip(task) else { continue };
                let calibration = self.ledger.calibration(round.id).await?;
                let reasons = self.ledger.reasons(round.id).await?;
                let edition = Edition {
                    round: &round,
                    roster: &task.roster,
                    canonical: &canonical,
                    calibration: calibration.as_ref(),
                    reasons: reasons.as_ref(),
                    signer,
                    now,
                };
                let id = round.id;
                outputs::publish(&root, &edition).map_err(|source| EraseError::Publish { round: id, source })?;
                done.push(id);
            }
        }
        Ok(done)
    }

    /// Rounds of the batches that were found.
    async fn beside(&self, folders: &FolderTraces) -> Result<BTreeSet<RoundId>, StorageError> {
        let mut rounds = BTreeSet::new();
        for netuid in self.ledger.netuids().await? {
            let of = |batch: &TracedBatch| RoundId { netuid, date: batch.date, window_days: batch.window_days };
            rounds.extend(folders.batches.iter().map(of));
        }
        Ok(rounds)
    }
}
