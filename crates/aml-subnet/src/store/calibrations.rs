//! The calibration of a round's probabilities, kept as one of its files.

use super::error::{RecordError, StorageError};
use super::files::{NewFile, put_file};
use super::ledger::Ledger;
use super::records::RoundId;
use super::write::Write;
use crate::readers::calibration::Calibration;

const WHAT: &str = "calibration";
/// Name of the file.
const FILE: &str = "calibration";

fn encode(given: &Calibration) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(given).map_err(|error| StorageError::Unrecordable { what: WHAT, why: error.to_string() })
}

/// Keeps the calibration of a round that is taken over, with the rest of it.
pub(super) async fn put_calibration(write: &mut Write, id: RoundId, given: &Calibration) -> Result<(), StorageError> {
    put_file(write, id, NewFile { name: FILE, content: &encode(given)?, decoded: None }).await.map(drop)
}

impl Ledger {
    /// Keeps the calibration of a round; the first one counts, and comes back.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_calibration(&self, id: RoundId, given: &Calibration) -> Result<Calibration, RecordError> {
        if let Some(kept) = self.calibration(id).await? {
            return Ok(kept);
        }
        self.keep_file(id, FILE, &encode(given)?, None).await?;
        Ok(given.clone())
    }

    /// The calibration of a round; `None` of one that was published without.
    ///
    /// # Errors
    /// The database's, or when what is stored is none.
    pub async fn calibration(&self, id: RoundId) -> Result<Option<Calibration>, StorageError> {
        let Some(bytes) = self.file(id, FILE).await? else { return Ok(None) };
        let malformed = |why: String| StorageError::Malformed { what: WHAT, why };
        let read: Calibration = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        match read.problem() {
            Some(problem) => Err(malformed(format!("round {id}: {problem}"))),
            None => Ok(Some(read)),
        }
    }
}
