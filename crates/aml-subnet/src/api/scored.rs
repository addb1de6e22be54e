//! The scored alerts of a published round, found by id, kept in memory for the rounds that were asked for last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::error::{ApiError, ledger_error};
use super::state::ApiState;
use crate::outputs::{CanonicalRow, canonical_rows};
use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;
use crate::store::records::Round;
use crate::wallet::Hotkey;

/// The scored alerts of a round.
#[derive(Debug)]
pub(super) struct Scored {
    /// In the order of the roster.
    pub(super) rows: Vec<CanonicalRow>,
    /// What their probabilities rest on.
    pub(super) calibration: Option<Calibration>,
    /// The reasons of the alerts; `None` where the round was published without.
    pub(super) reasons: Option<Reasons>,
    /// Whose scores they are made of.
    pub(super) voices: BTreeMap<Hotkey, f64>,
    places: HashMap<String, usize>,
}

impl Scored {
    /// Where an alert stands in the roster.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Share of the alerts that are less urgent than this rank.
    pub(super) fn above(&self, rank: u32) -> f64 {
        let rows = self.rows.len() as f64;
        if rows > 0.0 { ((rows - f64::from(rank)) / rows).clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl ApiState {
    /// The scored alerts of a published round.
    pub(super) async fn scored(&self, round: &Round) -> Result<Arc<Scored>, ApiError> {
        if let Some(known) = self.memory.scored.get(round) {
            return Ok(known);
        }
        let id = round.id;
        let none = || ApiError::not_found(format!("Round {id} has no canonical scores: no submission counted"));
        let canonical = self.ledger.canonical(id).await.map_err(ledger_error)?.ok_or_else(none)?;
        let task = self.ledger.task(id).await.map_err(ledger_error)?.ok_or_else(none)?;
        let calibration = self.ledger.calibration(id).await.map_err(ledger_error)?;
        let reasons = self.ledger.reasons(id).await.map_err(ledger_error)?;
        let making = move || {
            let rows = canonical_rows(&task.roster, &canonical, calibration.as_ref())?;
            let places = rows.iter().enumerate().map(|(place, row)| (row.alert_id.clone(), place)).collect();
            Ok::<_, crate::outputs::Mismatch>(Scored { rows, calibration, reasons, voices: canonical.weights, places })
        };
        let made = tokio::task::spawn_blocking(making).await.map_err(ApiError::internal)?;
        Ok(self.memory.scored.put(round, made.map_err(ApiError::internal)?))
    }
}
