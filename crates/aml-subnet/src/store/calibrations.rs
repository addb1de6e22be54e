//! The calibration of a round's probabilities, kept as one of its files.

use super::error::{RecordError, StorageError};
use super::ledger::Ledger;
use super::records::RoundId;
use crate::readers::calibration::Calibration;

const WHAT: &str = "calibration";
/// Name of the file.
const FILE: &str = "calibration";

impl Ledger {
    /// Keeps the calibration of a round; the first one counts, and comes back.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_calibration(&self, id: RoundId, given: &Calibration) -> Result<Calibration, RecordError> {
        if let Some(kept) = self.calibration(id).await? {
            return Ok(kept);
        }
        let unwritable = |error: serde_json::Error| StorageError::Unrecordable { what: WHAT, why: error.to_string() };
        let bytes = serde_json::to_vec(given).map_err(unwritable)?;
        self.keep_file(id, FILE, &bytes, None).await?;
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
