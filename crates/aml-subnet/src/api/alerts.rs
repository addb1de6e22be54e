//! `/alerts/{round}/{id}`: one alert with all that helps to decide it.

use std::sync::Arc;

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
use crate::readers::flows::{Around, Picture, picture};
use crate::readers::reasons::agreeing::{agree, place_of};
use crate::store::StorageError;
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
    let outcomes = api.outcomes_now(&round).await?;
    let outcome = outcomes.get(&place).map(|confirmed| AlertOutcome { confirmed: *confirmed });
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
        no_reasons: no_reasons(&round, &scored, place),
        alert: scored.told(place).ok_or_else(absent)?,
    })
}

/// Why an alert has no reasons; `None` where it has.
fn no_reasons(round: &Round, scored: &Scored, place: usize) -> Option<String> {
    let Some(reasons) = &scored.reasons else {
        return Some(match &round.marks.adopted {
            // Whether it was published with reasons is not known here.
            Some(from) => format!(
                "This round was taken over from the validator {from}: reasons are in the files that it published."
            ),
            None => "This round was published without reasons.".to_owned(),
        });
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
    let Some(&canonical) = scored.agreed.get(place) else { return Ok(None) };
    let said = api.said(round, scored).await?;
    let reading = move || {
        let mut all = Vec::new();
        for Column { hotkey, voice, scores } in said.iter() {
            let Some((&score, above)) = scores.get(place).zip(place_of(scores, place)) else { continue };
            let agrees = agree(above, canonical);
            all.push(Opinion { hotkey: hotkey.to_string(), voice: *voice, score, above, agrees });
        }
        all.sort_by(|a, b| b.voice.total_cmp(&a.voice).then_with(|| a.hotkey.cmp(&b.hotkey)));
        all
    };
    let read = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?;
    Ok((!read.is_empty()).then_some(read))
}

/// What a miner with a voice said of every alert of a round.
#[derive(Debug)]
pub(super) struct Column {
    hotkey: Hotkey,
    voice: f64,
    scores: Vec<f64>,
}

/// Scores that are kept in memory: 64 MB.
const KEPT: usize = 8 << 20;

impl ApiState {
    /// What all miners with a voice said; kept in memory for the round that was asked for last, unless there is too much of it.
    async fn said(&self, round: &Round, scored: &Scored) -> Result<Arc<Vec<Column>>, ApiError> {
        let memory = &self.memory.columns;
        if let Some(known) = memory.get(round) {
            return Ok(known);
        }
        let _turn = memory.making.lock().await;
        if let Some(known) = memory.get(round) {
            return Ok(known);
        }
        let packed = self.ledger.packed_scores(round.id).await.map_err(ledger_error)?;
        let voices = scored.voices.clone();
        let reading = move || -> Result<Vec<Column>, StorageError> {
            let mut all = Vec::new();
            for one in packed {
                let ColumnName::Miner(hotkey) = one.name else { continue };
                let Some(&voice) = voices.get(&hotkey) else { continue };
                all.push(Column { hotkey, voice, scores: one.scores()? });
            }
            Ok(all)
        };
        let read = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?.map_err(ledger_error)?;
        let scores: usize = read.iter().map(|column| column.scores.len()).sum();
        Ok(if (1..=KEPT).contains(&scores) { memory.put(round, read) } else { Arc::new(read) })
    }
}
