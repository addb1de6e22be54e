//! `/rounds`: what was published, round by round.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error, value_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use super::views::traps::TrapList;
use super::views::{RoundDetail, RoundList};
use crate::store::records::{Round, RoundId, Step};

/// Rounds of a page unless told otherwise, and at most.
pub(super) const LIMIT: Count = Count { usual: 30, most: 100 };

/// Published rounds
///
/// Newest first. A page ends with a whole day, so it may be a little longer than `limit`.
#[utoipa::path(
    get, path = "/rounds", tag = "rounds",
    params(
        ("limit" = Option<usize>, Query, description = "Rounds of a page, from 1 to 100; 30 unless given", minimum = 1, maximum = 100),
        ("before" = Option<String>, Query, description = "Only days before this one, YYYY-MM-DD"),
    ),
    responses(
        (status = 200, description = "The rounds", body = RoundList),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn list(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &page(&api, &params).await?, Keep::Check)
}

/// One page of rounds.
pub(super) async fn page(api: &ApiState, params: &Params) -> Result<RoundList, ApiError> {
    let page = api.published_rounds(params.count("limit", LIMIT)?, params.date("before")?).await?;
    let mut rounds = Vec::with_capacity(page.rounds.len());
    for round in &page.rounds {
        rounds.push(api.facts(round).await?.brief());
    }
    Ok(RoundList { rounds, next_before: page.next.map(|date| date.to_string()) })
}

/// One round
///
/// Its miners, the canonical scores in outline, and, once it is settled, what became known and which groups of traps
/// each miner found.
#[utoipa::path(
    get, path = "/rounds/{id}", tag = "rounds",
    params(("id" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30")),
    responses(
        (status = 200, description = "The round", body = RoundDetail),
        (status = 404, description = "No such round is published", body = ErrorBody),
        (status = 422, description = "Not the id of a round", body = ValidationErrorBody),
    )
)]
pub(super) async fn one(
    State(api): State<ApiState>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = api.published_round(parse(&id)?).await?;
    reply::json(&asked, &*api.detail(&round).await?, Keep::Check)
}

/// Traps of a settled round
///
/// Salt and trap list, so that anybody can check them against the commitment that was fixed before miners were asked.
#[utoipa::path(
    get, path = "/rounds/{id}/traps", tag = "rounds",
    params(("id" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30")),
    responses(
        (status = 200, description = "The traps", body = TrapList),
        (status = 404, description = "No such round is settled", body = ErrorBody),
        (status = 422, description = "Not the id of a round", body = ValidationErrorBody),
    )
)]
pub(super) async fn traps(
    State(api): State<ApiState>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = api.published_round(parse(&id)?).await?;
    let secret = || ApiError::not_found(format!("Round {id} is not settled yet; its traps are secret until then"));
    let settled = Some(&round).filter(|round| round.step >= Step::Settled).ok_or_else(secret)?;
    let task = api.ledger.task(settled.id).await.map_err(ledger_error)?.ok_or_else(secret)?;
    reply::json(&asked, &TrapList::new(settled, &task), Keep::Published)
}

/// Something that a round does not have: what was asked for, shortened, and what it has.
pub(super) fn not_in(round: &Round, asked: (&str, &str), there: &str) -> ApiError {
    let (what, id) = asked;
    let shown: String = id.chars().take(80).collect();
    ApiError::not_found(format!("Round {} has no {what} {shown}{there}", round.id))
}

/// A round's id.
pub(super) fn parse(text: &str) -> Result<RoundId, ApiError> {
    text.parse().map_err(|_| value_error("path", "id", "Input should be a round as 1-2026-01-05-30", text))
}
