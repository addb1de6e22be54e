//! `/alerts/{round}/{id}`: one alert with all that helps to decide it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::dossier::Dossier;
use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error};
use super::others::{other_alerts, within_round};
use super::reply::{self, Keep};
use super::rounds::{not_in, parse};
use super::scored::Scored;
use super::state::ApiState;
use super::views::alert::{AlertDetail, AlertOutcome, Opinion};
use super::views::readers::CalibrationBrief;
use crate::outputs::CanonicalRow;
use crate::readers::flows::{Around, Picture, picture};
use crate::readers::reasons::said::AGREE;
use crate::store::records::{ColumnName, Round, Step};
use crate::wallet::Hotkey;

/// One alert
///
/// Score, probability and rank, what the batch says of it, its address and its clusters, the money flow around the address,
/// other alerts of the address and the clusters, and what came of it, once that is known. What single miners said is shown
/// once the round is settled.
#[utoipa::path(
    get, path = "/alerts/{round}/{id}", tag = "scores",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("id" = String, Path, description = "Id of the alert"),
    ),
    responses(
        (status = 200, description = "The alert", body = AlertDetail),
        (status = 404, description = "No such round is published, or it has no such alert", body = ErrorBody),
        (status = 422, description = "Not the id of a round", body = ValidationErrorBody),
    )
)]
pub(super) async fn one(
    State(api): State<ApiState>,
    Path((round, id)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    reply::json(&asked, &detail(&api, &round, &id).await?, Keep::Check)
}

/// One alert in full.
pub(super) async fn detail(api: &ApiState, round: &str, id: &str) -> Result<AlertDetail, ApiError> {
    let round = api.published_round(parse(round)?).await?;
    let scored = api.scored(&round).await?;
    let absent = || {
        let (date, window, alerts) = (round.id.date, round.id.window_days, scored.rows.len());
        let there = format!("; /canonical/{date}?window_days={window} lists its {alerts} alerts");
        not_in(&round, ("alert", id), &there)
    };
    let place = scored.place(id).ok_or_else(absent)?;
    let row = scored.rows.get(place).ok_or_else(absent)?;
    let settled = api.ledger.settled(round.id).await.map_err(ledger_error)?;
    let outcomes = api.outcomes_now(round.id, settled.as_ref()).await?;
    let outcome =
        outcomes.iter().find(|(at, _)| *at == place).map(|(_, confirmed)| AlertOutcome { confirmed: *confirmed });
    let dossier = api.dossier(&round).await?;
    let clusters = dossier.as_ref().map(|dossier| dossier.clusters_of(id, &row.address)).unwrap_or_default();
    let mates = dossier.as_ref().map(|dossier| dossier.alerts_of(&clusters, id)).unwrap_or_default();
    let seen = api.seen_before(&round, std::slice::from_ref(row)).await?;
    Ok(AlertDetail {
        round: round.id.to_string(),
        date: round.id.date.to_string(),
        of: scored.rows.len(),
        above: scored.above(row.rank),
        calibration: scored.calibration.as_ref().map(CalibrationBrief::from),
        outcome,
        seen_before: seen.into_iter().next(),
        opinions: opinions(api, &round, &scored, place).await?,
        evidence: dossier.as_ref().and_then(|dossier| dossier.evidence(id, &row.address)),
        batch_erased: dossier.is_none() && api.is_batch_erased(&round),
        flows: dossier.as_ref().and_then(|dossier| around_address(dossier, &row.address, &clusters)),
        same_address: other_alerts(api, &round, row).await?,
        same_clusters: within_round(&round, &scored, &mates, &outcomes),
        no_reasons: no_reasons(&scored, place),
        alert: with_reasons(&scored, row, place),
    })
}

/// The row of an alert with its reasons.
fn with_reasons(scored: &Scored, row: &CanonicalRow, place: usize) -> CanonicalRow {
    let found = scored.reasons.as_ref().and_then(|reasons| reasons.alerts.get(place));
    found.map_or_else(|| row.clone(), |found| row.clone().because(found))
}

/// Why an alert has no reasons; `None` where it has.
fn no_reasons(scored: &Scored, place: usize) -> Option<String> {
    let Some(reasons) = &scored.reasons else {
        return Some("This round was published without reasons.".to_owned());
    };
    let some = reasons.alerts.get(place).is_some_and(|found| !found.is_empty());
    (!some).then(|| reasons.why_none())
}

/// The money flow around an address, with the members of its clusters pointed out.
fn around_address(dossier: &Dossier, address: &str, clusters: &[usize]) -> Option<Picture> {
    let (flows, left_out) = dossier.flows.around(address);
    let members = dossier.addresses_of(clusters).map(str::to_owned).collect();
    let around = Around { focus: vec![address.to_owned()], members, flows, left_out };
    (!around.flows.is_empty()).then(|| picture(&around))
}

/// What each miner with a voice said of the alert at `place`. Single scores are nobody's business before the round is settled:
/// until then they would help those who copy.
async fn opinions(
    api: &ApiState,
    round: &Round,
    scored: &Scored,
    place: usize,
) -> Result<Option<Vec<Opinion>>, ApiError> {
    if round.step < Step::Settled {
        return Ok(None);
    }
    let packed = api.ledger.packed_scores(round.id).await.map_err(ledger_error)?;
    let voices: Vec<(Hotkey, f64)> = scored.voices.iter().map(|(hotkey, voice)| (*hotkey, *voice)).collect();
    let canonical = scored.rows.get(place).map_or(0.0, |row: &CanonicalRow| scored.above(row.rank));
    let reading = move || {
        let mut all = Vec::new();
        for one in packed {
            let ColumnName::Miner(hotkey) = one.name else { continue };
            let Some((_, voice)) = voices.iter().find(|(other, _)| *other == hotkey) else { continue };
            let scores = one.scores()?;
            let Some(&score) = scores.get(place) else { continue };
            let above = scores.iter().filter(|other| **other < score).count() as f64 / scores.len().max(1) as f64;
            let agrees = (above - canonical).abs() <= AGREE;
            all.push(Opinion { hotkey: hotkey.to_string(), voice: *voice, score, above, agrees });
        }
        all.sort_by(|a, b| b.voice.total_cmp(&a.voice).then_with(|| a.hotkey.cmp(&b.hotkey)));
        Ok::<_, crate::store::StorageError>(all)
    };
    let read = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?.map_err(ledger_error)?;
    Ok((!read.is_empty()).then_some(read))
}
