//! Canonical scores as rows: what the ledger keeps by place, joined with the roster and ranked.

use serde::{Deserialize, Serialize};

use crate::readers::calibration::Calibration;
use crate::readers::reasons::{Found, Reason, Reasons};
use crate::store::records::{Canonical, RosterRow};

/// The canonical score of one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CanonicalRow {
    /// Id of the alert.
    pub alert_id: String,
    /// The address it is about; empty where the batch names none.
    pub address: String,
    /// What kind of behaviour.
    pub typology: String,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub severity: String,
    /// Weighted mean of the miners' scores: a probability.
    pub score: f64,
    /// Weighted standard deviation of the miners' scores.
    pub deviation: f64,
    /// How many hotkeys contributed.
    pub miners: u32,
    /// 1 is the most urgent; equal scores go by alert id.
    pub rank: u32,
    /// The probability that the alert is confirmed, given that its outcome becomes known; null while too little is known to
    /// say so.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Lower end of its interval.
    #[serde(default)]
    pub probability_low: Option<f64>,
    /// Upper end of its interval.
    #[serde(default)]
    pub probability_high: Option<f64>,
    /// Codes of its reasons, the strongest first; not there of a round that was published without reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_codes: Option<Vec<String>>,
    /// Its reasons, the strongest first, at most five; not there of a round that was published without reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<Reason>>,
}

impl CanonicalRow {
    /// The row with these reasons.
    #[must_use]
    pub fn because(self, found: &[Found]) -> Self {
        let told: Vec<Reason> = found.iter().map(Found::told).collect();
        let codes = told.iter().map(|reason| reason.code.clone()).collect();
        Self { reason_codes: Some(codes), reasons: Some(told), ..self }
    }
}

/// A roster and scores that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the roster has {roster} alerts, the canonical scores are {scores}")]
pub struct Mismatch {
    /// Alerts of the roster.
    pub roster: usize,
    /// Canonical scores.
    pub scores: usize,
}

/// One row per alert, in the order of the roster, with its probability where the round has a calibration that tells one.
///
/// # Errors
/// When there are not as many scores as alerts.
pub fn canonical_rows(
    roster: &[RosterRow],
    canonical: &Canonical,
    calibration: Option<&Calibration>,
) -> Result<Vec<CanonicalRow>, Mismatch> {
    let (alerts, scores) = (roster.len(), &canonical.scores);
    if alerts != scores.len() {
        return Err(Mismatch { roster: alerts, scores: scores.len() });
    }
    let ranks = ranks(roster, canonical);
    let rows = roster.iter().zip(scores).zip(ranks).map(|((alert, merged), rank)| {
        let told = calibration.and_then(|calibration| calibration.told(merged.score.get(), merged.deviation));
        CanonicalRow {
            alert_id: alert.alert_id.clone(),
            address: alert.address.clone(),
            typology: alert.typology.clone(),
            severity: alert.severity.clone(),
            score: merged.score.get(),
            deviation: merged.deviation,
            miners: u32::try_from(merged.miners).unwrap_or(u32::MAX),
            rank,
            probability: told.map(|told| told.probability),
            probability_low: told.map(|told| told.low),
            probability_high: told.map(|told| told.high),
            reason_codes: None,
            reasons: None,
        }
    });
    Ok(rows.collect())
}

/// With the round's reasons, where it has any.
///
/// # Errors
/// When there are not as many lists of reasons as rows.
pub fn with_reasons(rows: Vec<CanonicalRow>, reasons: Option<&Reasons>) -> Result<Vec<CanonicalRow>, Mismatch> {
    let Some(reasons) = reasons else { return Ok(rows) };
    if rows.len() != reasons.alerts.len() {
        return Err(Mismatch { roster: rows.len(), scores: reasons.alerts.len() });
    }
    Ok(rows.into_iter().zip(&reasons.alerts).map(|(row, found)| row.because(found)).collect())
}

/// The rank of each alert, in the order of the roster.
fn ranks(roster: &[RosterRow], canonical: &Canonical) -> Vec<u32> {
    let scores = &canonical.scores;
    let mut order: Vec<usize> = (0..roster.len()).collect();
    order.sort_by(|&a, &b| {
        let by_score = scores[b].score.get().total_cmp(&scores[a].score.get());
        by_score.then_with(|| roster[a].alert_id.cmp(&roster[b].alert_id))
    });
    let mut ranks = vec![0; order.len()];
    (1..).zip(order).for_each(|(rank, place)| ranks[place] = rank);
    ranks
}
