//! `/drift`: months of scores held against each other, all together and by slice.

mod keep;
mod load;
mod sliced;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, value_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use crate::readers::drift::{Month, months};
use crate::readers::plan::BUDGETS;
use crate::store::records::Round;

pub(super) use keep::Drifts;

/// Months unless told otherwise, and at most.
const MONTHS: Count = Count { usual: 6, most: 24 };
/// Reviews a day unless told otherwise.
const REVIEWS: usize = 100;
/// Rounds of a month, at most: two windows a day.
const ROUNDS_A_MONTH: usize = 62;

/// Months of scores.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DriftAnswer {
    /// Days that the batches' features look back.
    pub(super) window_days: u16,
    /// Precision is that of so many reviews a day.
    pub(super) reviews: usize,
    /// The newest month whose slices could be held against the month before; null where there is none yet.
    pub(super) compared: Option<String>,
    /// How many figures of its slices fell.
    pub(super) fallen: usize,
    /// The months, newest first.
    pub(super) months: Vec<Month>,
}

/// Drift and slices
///
/// By calendar month: how scores are distributed, whether probabilities held, AUC and precision, the same by typology, network,
/// severity, age of the address and volume, population stability against the month before, and which slices fell.
#[utoipa::path(
    get, path = "/drift", tag = "scores",
    params(
        ("months" = Option<usize>, Query, description = "Months, from 1 to 24; 6 unless given", minimum = 1, maximum = 24),
        ("reviews" = Option<usize>, Query, description = "Precision of so many reviews a day: 10, 25, 50, 100, 200, 300, 400, 500, 750 or 1000; 100 unless given"),
    ),
    responses(
        (status = 200, description = "The months", body = DriftAnswer),
        (status = 404, description = "No round is published yet", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn show(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &answer(&api, &params).await?, Keep::Check)
}

/// The months that are asked for.
pub(super) async fn answer(api: &ApiState, params: &Params) -> Result<DriftAnswer, ApiError> {
    told(api, params.count("months", MONTHS)?, reviews(params)?).await
}

/// Makes the usual months, and remembers what fell for the metrics.
pub(super) async fn look(api: &ApiState) -> Result<(), ApiError> {
    match told(api, MONTHS.usual, REVIEWS).await {
        Err(error) if error.code == super::error::ErrorCode::NotFound => Ok(()),
        other => other.map(drop),
    }
}

fn reviews(params: &Params) -> Result<usize, ApiError> {
    let Some(text) = params.text("reviews") else { return Ok(REVIEWS) };
    let known = text.parse().ok().filter(|number| BUDGETS.contains(number));
    let list = BUDGETS.map(|budget| budget.to_string()).join(", ");
    known.ok_or_else(|| value_error("query", "reviews", format!("Input should be one of {list}"), text))
}

async fn told(api: &ApiState, count: usize, reviews: usize) -> Result<DriftAnswer, ApiError> {
    let mut rounds = api.published_rounds((count + 1) * ROUNDS_A_MONTH, None).await?.rounds;
    let none = || ApiError::not_found("No round is published yet");
    let window_days = rounds.first().ok_or_else(none)?.id.window_days;
    rounds.retain(|round| round.marks.counts() && round.id.window_days == window_days);
    let mut summaries = Vec::with_capacity(count + 1);
    // One more than is told, for the last one to be held against.
    for of_month in rounds.chunk_by(|a, b| month_of(a) == month_of(b)).take(count + 1) {
        summaries.push(api.month(of_month.to_vec(), reviews).await?);
    }
    let mut months = months(&summaries.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    months.truncate(count);
    let newest = months.iter().find(|month| month.compared > 0);
    let (compared, fallen) = (newest.map(|month| month.month.clone()), newest.map_or(0, |month| month.falls.len()));
    if reviews == REVIEWS {
        api.drifts.note(newest.map(|month| month.falls.len()), months.iter().find_map(|month| month.psi));
    }
    Ok(DriftAnswer { window_days, reviews, compared, fallen, months })
}

/// The calendar month of a round.
fn month_of(round: &Round) -> String {
    round.id.date.format("%Y-%m").to_string()
}
