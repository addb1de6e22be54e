//! `/weights`: what the chain shows, and what the ledger planned.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::error::{ApiError, ValidationErrorBody, ledger_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use super::views::WeightsAnswer;
use crate::store::records::WeightsTarget;

/// Submissions unless told otherwise, and at most.
const LIMIT: Count = Count { usual: 20, most: 100 };

/// Weights
///
/// The weights that this validator has on chain, and its submissions, newest first. A vector is shown once the chain
/// shows it.
#[utoipa::path(
    get, path = "/weights", tag = "weights",
    params(
        ("limit" = Option<usize>, Query, description = "Submissions, from 1 to 100; 20 unless given", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, description = "The weights", body = WeightsAnswer),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn show(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &answer(&api, &params).await?, Keep::Check)
}

/// What the chain shows and the ledger has.
pub(super) async fn answer(api: &ApiState, params: &Params) -> Result<WeightsAnswer, ApiError> {
    let limit = params.count("limit", LIMIT)?;
    let target = WeightsTarget { netuid: api.netuid, mechanism: api.mechanism };
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let records = api.ledger.weights(target, limit).await.map_err(ledger_error)?;
    Ok(WeightsAnswer::new(api.netuid, api.mechanism, &api.hotkey, api.chain.current().as_deref(), &records))
}
