//! `/drift`: months of scores held against each other, all together and by slice.

mod keep;
mod load;
mod sliced;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ErrorCode, ValidationErrorBody, value_error};
use super::facts::RoundPage;
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use crate::readers::drift::{Month, months};
use crate::readers::plan::BUDGETS;
use crate::store::records::Round;

use keep::Asks;
pub(super) use keep::Drifts;

/// Months unless told otherwise, and at most.
const MONTHS: Count = Count { usual: 6, most: 24 };
/// Reviews a day unless told otherwise.
const REVIEWS: usize = 100;
/// Rounds that are read at once.
const ROUNDS: usize = 500;
/// And how often, at most: two years of ten windows a day.
const PAGES: usize = 16;

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
        ("window_days" = Option<u16>, Query, description = "Rounds of this window; unless given, of the one with most rounds that count", minimum = 1),
    ),
    responses(
        (status = 200, description = "The months", body = DriftAnswer),
        (status = 404, description = "No round is published yet", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
        (status = 503, description = "Months are being made; Retry-After says when to ask again", body = ErrorBody),
    )
)]
pub(super) async fn show(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &answer(&api, &params).await?, Keep::Check)
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    months: usize,
    reviews: usize,
    window_days: Option<u16>,
}

impl Wanted {
    /// What metrics are of.
    const USUAL: Self = Self { months: MONTHS.usual, reviews: REVIEWS, window_days: None };

    fn of(params: &Params) -> Result<Self, ApiError> {
        let most = usize::from(u16::MAX);
        let window = params.text("window_days").map(|_| params.count("window_days", Count { usual: most, most }));
        let window_days = window.transpose()?.and_then(|days| u16::try_from(days).ok());
        Ok(Self { months: params.count("months", MONTHS)?, reviews: reviews(params)?, window_days })
    }
}

/// The months that are asked for.
pub(super) async fn answer(api: &ApiState, params: &Params) -> Result<DriftAnswer, ApiError> {
    told(api, Wanted::of(params)?, Asks::Request).await
}

/// Makes the usual months, and remembers what fell for the metrics.
pub(super) async fn look(api: &ApiState) -> Result<(), ApiError> {
    match told(api, Wanted::USUAL, Asks::Upkeep).await {
        Err(error) if error.code == ErrorCode::NotFound => Ok(()),
        other => other.map(drop),
    }
}

fn reviews(params: &Params) -> Result<usize, ApiError> {
    let Some(text) = params.text("reviews") else { return Ok(REVIEWS) };
    let known = text.parse().ok().filter(|number| BUDGETS.contains(number));
    let list = BUDGETS.map(|budget| budget.to_string()).join(", ");
    known.ok_or_else(|| value_error("query", "reviews", format!("Input should be one of {list}"), text))
}

async fn told(api: &ApiState, wanted: Wanted, asks: Asks) -> Result<DriftAnswer, ApiError> {
    let Wanted { months: count, reviews, window_days } = wanted;
    let mut rounds = whole_months(api, count + 1).await?;
    let newest = rounds.first().ok_or_else(|| ApiError::not_found("No round is published yet"))?.id.window_days;
    rounds.retain(|round| round.marks.counts());
    let window_days = window_days.or_else(|| usual_window(&rounds)).unwrap_or(newest);
    rounds.retain(|round| round.id.window_days == window_days);
    let mut summaries = Vec::with_capacity(count + 1);
    // One more than is told, for the last one to be held against.
    for of_month in rounds.chunk_by(|a, b| month_of(a) == month_of(b)).take(count + 1) {
        summaries.push(api.month(of_month.to_vec(), asks).await?);
    }
    let mut months = months(&summaries.iter().map(AsRef::as_ref).collect::<Vec<_>>(), reviews);
    months.truncate(count);
    let newest = months.iter().find(|month| month.compared > 0);
    let (compared, fallen) = (newest.map(|month| month.month.clone()), newest.map_or(0, |month| month.falls.len()));
    if wanted == Wanted::USUAL {
        api.drifts.note(newest.map(|month| month.falls.len()), months.iter().find_map(|month| month.psi));
    }
    Ok(DriftAnswer { window_days, reviews, compared, fallen, months })
}

/// Published rounds, newest first, of at least so many months where there are so many; all rounds of each.
async fn whole_months(api: &ApiState, count: usize) -> Result<Vec<Round>, ApiError> {
    let (mut rounds, mut before) = (Vec::new(), None);
    for _ in 0..PAGES {
        let RoundPage { rounds: more, next } = api.published_rounds(ROUNDS, before).await?;
        rounds.extend(more);
        before = next;
        if next.is_none() || rounds.chunk_by(|a, b| month_of(a) == month_of(b)).count() > count {
            return Ok(rounds);
        }
    }
    // The last month was not read to its end.
    let cut = rounds.last().map(month_of);
    rounds.retain(|round| Some(month_of(round)) != cut);
    Ok(rounds)
}

/// The window with most rounds; of several such windows that of the newest round, which is the first.
fn usual_window(rounds: &[Round]) -> Option<u16> {
    let mut counts: Vec<(u16, usize)> = Vec::new();
    for round in rounds {
        match counts.iter_mut().find(|(window, _)| *window == round.id.window_days) {
            Some((_, count)) => *count += 1,
            None => counts.push((round.id.window_days, 1)),
        }
    }
    // Of equal ones `max_by_key` takes the last.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(window, _)| window)
}

/// The calendar month of a round.
fn month_of(round: &Round) -> String {
    round.id.date.format("%Y-%m").to_string()
}
