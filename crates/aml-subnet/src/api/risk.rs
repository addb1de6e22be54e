//! `/risk/address/{address}`: the risk of an address, from the canonical scores of its alerts.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error, value_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use crate::calendar::date_of;
use crate::outputs::{ScoredAlert, address_risk};

/// Days that are looked back on unless told otherwise, and at most.
const DAYS: Count = Count { usual: 30, most: 365 };
/// Longer than any chain's address.
pub(super) const MAX_ADDRESS: usize = 256;

/// One alert about the address.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct RiskAlert {
    /// The round it was scored in.
    pub(super) round: String,
    /// Its id.
    pub(super) alert_id: String,
    /// What kind of behaviour.
    pub(super) typology: String,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub(super) severity: String,
    /// Its canonical score.
    pub(super) score: f64,
}

/// The risk of an address.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct RiskAnswer {
    /// The address.
    pub(super) address: String,
    /// Days that were looked back on.
    pub(super) days: usize,
    /// From 0 to 1: 0.4 highest + 0.3 mean + 0.3 any.
    pub(super) risk: f64,
    /// The highest score.
    pub(super) highest: f64,
    /// Mean of the scores, weighted by severity.
    pub(super) mean: f64,
    /// The chance that at least one case is right, were cases independent. Alerts of one typology are one case, with the
    /// highest of their scores.
    pub(super) any: f64,
    /// How many cases there are.
    pub(super) cases: usize,
    /// The alerts, highest score first. Of an alert in several rounds the newest counts.
    pub(super) alerts: Vec<RiskAlert>,
}

/// Risk of an address
///
/// From the canonical scores of its alerts in published rounds.
#[utoipa::path(
    get, path = "/risk/address/{address}", tag = "scores",
    params(
        ("address" = String, Path, description = "The address, as alerts name it"),
        ("days" = Option<usize>, Query, description = "How far to look back, from 1 to 365; 30 unless given", minimum = 1, maximum = 365),
    ),
    responses(
        (status = 200, description = "The risk", body = RiskAnswer),
        (status = 404, description = "No published alert is about this address", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn of_address(
    State(api): State<ApiState>,
    Path(address): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    reply::json(&asked, &answer(&api, address, &params).await?, Keep::Check)
}

/// The risk of an address.
pub(super) async fn answer(api: &ApiState, address: String, params: &Params) -> Result<RiskAnswer, ApiError> {
    let days = params.count("days", DAYS)?;
    if address.is_empty() || address.len() > MAX_ADDRESS {
        let text = format!("Input should be an address of 1 to {MAX_ADDRESS} bytes");
        return Err(value_error("path", "address", text, &address));
    }
    let since = date_of(api.today().await? - i64::try_from(days).unwrap_or(i64::MAX) + 1);
    let found = api.ledger.address_alerts(api.netuid, &address, since).await.map_err(ledger_error)?;
    // An alert may be issued again on the next day; it is still one alert.
    let mut newest = BTreeMap::new();
    for alert in found {
        let place = newest.entry(alert.alert_id.clone()).or_insert_with(|| alert.clone());
        if (alert.round.date, alert.round) > (place.round.date, place.round) {
            *place = alert;
        }
    }
    let scored: Vec<ScoredAlert<'_>> = newest
        .values()
        .map(|alert| ScoredAlert { severity: &alert.severity, pattern: &alert.typology, score: alert.score })
        .collect();
    let none = || ApiError::not_found(format!("No alert of the last {days} days is about this address"));
    let of = address_risk(&scored).ok_or_else(none)?;
    let row = |(alert_id, alert): (String, crate::store::AddressAlert)| RiskAlert {
        round: alert.round.to_string(),
        alert_id,
        typology: alert.typology,
        severity: alert.severity,
        score: alert.score,
    };
    let mut alerts: Vec<RiskAlert> = newest.into_iter().map(row).collect();
    alerts.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.alert_id.cmp(&b.alert_id)));
    let (risk, highest, mean, any, cases) = (of.risk, of.highest, of.mean, of.any, of.cases);
    Ok(RiskAnswer { address, days, risk, highest, mean, any, cases, alerts })
}
