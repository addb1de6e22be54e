//! The scored alerts of a published round, found by id, kept in memory for the rounds that were asked for last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::error::{ApiError, ledger_error};
use super::state::ApiState;
use crate::outputs::{CanonicalRow, canonical_rows};
use crate::readers::calibration::Calibration;
use crate::readers::reasons::agreeing;
use crate::readers::reasons::{Found, Reasons};
use crate::readers::searching::{Index, Searched};
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
    /// Of each alert its place in the order of the scores, as [`agreeing`] has it.
    pub(super) agreed: Vec<f64>,
    /// The same rows, prepared for who looks for some of them.
    pub(super) index: Index,
    places: HashMap<String, usize>,
}

impl Scored {
    /// Where an alert stands in the roster.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// A row with its reasons, where the round has any.
    pub(super) fn told(&self, place: usize) -> Option<CanonicalRow> {
        let row = self.rows.get(place)?.clone();
        Some(match self.reasons_of(place) {
            Some(found) => row.because(found),
            None => row,
        })
    }

    fn reasons_of(&self, place: usize) -> Option<&[Found]> {
        self.reasons.as_ref()?.alerts.get(place).map(Vec::as_slice)
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
        let _turn = self.memory.scored.making.lock().await;
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
            let index = Index::new(&rows.iter().map(searched).collect::<Vec<_>>());
            let agreed = agreeing::above(&rows.iter().map(|row| row.score).collect::<Vec<_>>());
            let voices = canonical.weights;
            Ok::<_, crate::outputs::Mismatch>(Scored { rows, calibration, reasons, voices, agreed, index, places })
        };
        let made = tokio::task::spawn_blocking(making).await.map_err(ApiError::internal)?;
        Ok(self.memory.scored.put(round, made.map_err(ApiError::internal)?))
    }
}

fn searched(row: &CanonicalRow) -> Searched<'_> {
    Searched {
        alert_id: &row.alert_id,
        address: &row.address,
        typology: &row.typology,
        severity: &row.severity,
        deviation: row.deviation,
        rank: row.rank,
    }
}
