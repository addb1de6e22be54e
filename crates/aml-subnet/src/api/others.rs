//! Other alerts: of the same address in this round and those before, of the same cluster in this round.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::error::{ApiError, ledger_error};
use super::memory::Outcomes;
use super::scored::Scored;
use super::state::ApiState;
use super::views::alert::{OtherAlert, OtherAlerts};
use crate::calendar::{date_of, day_of};
use crate::outputs::CanonicalRow;
use crate::readers::calibration::Calibration;
use crate::store::records::{Round, RoundId};

/// Days that are looked back.
const DAYS: i64 = 365;
/// Alerts that are shown.
const MOST: usize = 50;

/// The other alerts of an alert's address, newest first: in its round and those of the year before it.
pub(super) async fn other_alerts(api: &ApiState, round: &Round, row: &CanonicalRow) -> Result<OtherAlerts, ApiError> {
    if row.address.is_empty() {
        return Ok(OtherAlerts::default());
    }
    let since = date_of(day_of(round.id.date) - DAYS);
    let found = api.ledger.address_alerts(api.netuid, &row.address, since).await.map_err(ledger_error)?;
    let outcomes = api.ledger.address_outcomes(api.netuid, &row.address).await.map_err(ledger_error)?;
    let mut found: Vec<_> = found
        .into_iter()
        .filter(|alert| alert.round.date <= round.id.date)
        .filter(|alert| alert.round != round.id || alert.alert_id != row.alert_id)
        .collect();
    found.sort_by(|a, b| b.round.date.cmp(&a.round.date).then_with(|| b.score.total_cmp(&a.score)));
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let mut curves: BTreeMap<RoundId, Option<Calibration>> = BTreeMap::new();
    let mut alerts = Vec::with_capacity(found.len());
    for alert in found {
        if let Entry::Vacant(place) = curves.entry(alert.round) {
            place.insert(api.ledger.calibration(alert.round).await.map_err(ledger_error)?);
        }
        let curve = curves.get(&alert.round).and_then(Option::as_ref);
        alerts.push(OtherAlert {
            round: alert.round.to_string(),
            address: row.address.clone(),
            probability: curve.and_then(|curve| curve.told(alert.score, 0.0)).map(|told| told.probability),
            confirmed: outcomes.get(&(alert.round, alert.place)).copied(),
            alert_id: alert.alert_id,
            typology: alert.typology,
            severity: alert.severity,
            score: alert.score,
        });
    }
    Ok(OtherAlerts { alerts, more })
}

/// Alerts of a round by id, the most urgent first.
pub(super) fn within_round(round: &Round, scored: &Scored, ids: &[String], outcomes: &Outcomes) -> OtherAlerts {
    let place = |id: &String| scored.place(id).and_then(|place| Some((place, scored.rows.get(place)?)));
    let mut found: Vec<(usize, &CanonicalRow)> = ids.iter().filter_map(place).collect();
    found.sort_by_key(|(_, row)| row.rank);
    found.dedup_by_key(|(place, _)| *place);
    let more = found.len().saturating_sub(MOST);
    let alert = |(place, row): &(usize, &CanonicalRow)| OtherAlert {
        round: round.id.to_string(),
        alert_id: row.alert_id.clone(),
        address: row.address.clone(),
        typology: row.typology.clone(),
        severity: row.severity.clone(),
        score: row.score,
        probability: row.probability,
        confirmed: outcomes.get(place).copied(),
    };
    OtherAlerts { alerts: found.iter().take(MOST).map(alert).collect(), more }
}
