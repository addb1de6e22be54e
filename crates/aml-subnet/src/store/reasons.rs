//! The reasons of a round's alerts, kept as one of its files.

use super::codec::{pack, unpack};
use super::error::{RecordError, StorageError};
use super::files::{NewFile, put_file};
use super::ledger::Ledger;
use super::records::RoundId;
use super::write::Write;
use crate::readers::reasons::Reasons;

const WHAT: &str = "reasons";
/// Name of the file.
const FILE: &str = "reasons";

/// Keeps the reasons of a round that is taken over, with the rest of it.
pub(super) async fn put_reasons(write: &mut Write, id: RoundId, given: &Reasons) -> Result<(), StorageError> {
    let content = pack(WHAT, given)?;
    put_file(write, id, NewFile { name: FILE, content: &content, decoded: None }).await.map(drop)
}

impl Ledger {
    /// Keeps the reasons of a round; the first ones count, and come back.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_reasons(&self, id: RoundId, given: &Reasons) -> Result<Reasons, RecordError> {
        if let Some(kept) = self.reasons(id).await? {
            return Ok(kept);
        }
        self.keep_file(id, FILE, &pack(WHAT, given)?, None).await?;
        Ok(given.clone())
    }

    /// The reasons of a round; `None` of one that was published without.
    ///
    /// # Errors
    /// The database's, or when what is stored is none.
    pub async fn reasons(&self, id: RoundId) -> Result<Option<Reasons>, StorageError> {
        let Some(bytes) = self.file(id, FILE).await? else { return Ok(None) };
        let read: Reasons = unpack(WHAT, &bytes)?;
        match read.problem() {
            Some(problem) => Err(StorageError::Malformed { what: WHAT, why: format!("round {id}: {problem}") }),
            None => Ok(Some(read)),
        }
    }
}
