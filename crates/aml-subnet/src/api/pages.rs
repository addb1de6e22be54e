//! Pages for people: the same answers, drawn. No script, nothing from elsewhere; everything is escaped.

pub(super) mod alerts;
pub(super) mod cases;

mod alert;
mod cluster;
mod drift;
mod flow;
mod frame;
mod home;
mod leaderboard;
mod miner;
mod plan;
mod plots;
mod risk;
mod round;
mod rounds;
mod sure;
mod svg;
mod text;
mod top;
mod weights;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use self::frame::{Frame, Page, render};
use super::error::{ApiError, ErrorCode};
use super::query::Params;
use super::state::ApiState;

pub(super) use self::frame::{HTML, error, policy};

/// The routes of all pages.
pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/", get(home))
        .route("/page/alerts/{round}", get(alerts::alerts_of_round))
        .route("/page/alerts/{round}/{id}", get(alert))
        .route("/page/cases", get(cases::cases_of_day))
        .route("/page/clusters/{round}/{id}", get(cluster))
        .route("/page/miners", get(leaderboard))
        .route("/page/rounds", get(rounds))
        .route("/page/rounds/{id}", get(round))
        .route("/page/miners/{hotkey}", get(miner))
        .route("/page/weights", get(weights))
        .route("/page/risk", get(risk))
        .route("/page/plan", get(plan))
        .route("/page/drift", get(drift))
}

/// Whether a path is a page's, so that errors there are told as a page.
pub(super) fn is_page(path: &str) -> bool {
    path == "/" || path == "/page" || path.starts_with("/page/")
}

/// The newest day
///
/// Its most urgent alerts, and where to go from there.
#[utoipa::path(
    get, path = "/", tag = "pages",
    responses((status = 200, description = "The newest day", body = String, content_type = "text/html"))
)]
pub(super) async fn home(State(api): State<ApiState>, asked: HeaderMap) -> Result<Response, ApiError> {
    let newest = api.newest_detail().await?;
    let twin = newest.as_ref().map(|detail| format!("/rounds/{}", detail.round.id));
    let frame = Frame::new(&api, Page::Home, twin);
    render(&asked, &home::Home::new(frame, newest.as_deref()))
}

/// Leaderboard
#[utoipa::path(
    get, path = "/page/miners", tag = "pages",
    params(("offset" = Option<usize>, Query, description = "How many to pass over")),
    responses((status = 200, description = "Miners by performance", body = String, content_type = "text/html"))
)]
pub(super) async fn leaderboard(
    State(api): State<ApiState>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let list = super::miners::page(&api, &params).await?;
    let newest = api.newest().await?;
    let frame = Frame::new(&api, Page::Leaderboard, Some("/miners".to_owned()));
    render(&asked, &leaderboard::Leaderboard::new(frame, &list, newest.as_ref()))
}

/// Rounds
#[utoipa::path(
    get, path = "/page/rounds", tag = "pages",
    params(("before" = Option<String>, Query, description = "Only days before this one, YYYY-MM-DD")),
    responses((status = 200, description = "Published rounds", body = String, content_type = "text/html"))
)]
pub(super) async fn rounds(
    State(api): State<ApiState>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let list = super::rounds::page(&api, &params).await?;
    let later = params.text("before");
    let twin = later.map_or_else(|| "/rounds".to_owned(), |before| format!("/rounds?before={before}"));
    let frame = Frame::new(&api, Page::Rounds, Some(twin));
    render(&asked, &rounds::Rounds::new(frame, &list, later.is_some()))
}

/// One round
#[utoipa::path(
    get, path = "/page/rounds/{id}", tag = "pages",
    params(("id" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30")),
    responses(
        (status = 200, description = "The round", body = String, content_type = "text/html"),
        (status = 404, description = "No such round is published", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn round(
    State(api): State<ApiState>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = api.published_round(super::rounds::parse(&id)?).await?;
    let detail = api.detail(&round).await?;
    let frame = Frame::new(&api, Page::Rounds, Some(format!("/rounds/{}", round.id)));
    render(&asked, &round::RoundPage::new(frame, &detail))
}

/// One alert
#[utoipa::path(
    get, path = "/page/alerts/{round}/{id}", tag = "pages",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("id" = String, Path, description = "Id of the alert"),
    ),
    responses(
        (status = 200, description = "The alert", body = String, content_type = "text/html"),
        (status = 404, description = "No such round is published, or it has no such alert", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn alert(
    State(api): State<ApiState>,
    Path((round, id)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let detail = super::alerts::detail(&api, &round, &id).await?;
    let twin = format!("/alerts/{}/{}", detail.round, text::encoded(&id));
    render(&asked, &alert::AlertPage::new(Frame::new(&api, Page::Rounds, Some(twin)), &detail))
}

/// One cluster
#[utoipa::path(
    get, path = "/page/clusters/{round}/{id}", tag = "pages",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("id" = String, Path, description = "Id of the cluster"),
    ),
    responses(
        (status = 200, description = "The cluster", body = String, content_type = "text/html"),
        (status = 404, description = "No such round or cluster, or its batch is not kept", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn cluster(
    State(api): State<ApiState>,
    Path((round, id)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let detail = super::clusters::detail(&api, &round, &id).await?;
    let twin = format!("/clusters/{}/{}", detail.round, text::encoded(&id));
    render(&asked, &cluster::ClusterPage::new(Frame::new(&api, Page::Rounds, Some(twin)), &detail))
}

/// One miner
#[utoipa::path(
    get, path = "/page/miners/{hotkey}", tag = "pages",
    params(
        ("hotkey" = String, Path, description = "The miner's hotkey, an ss58 address"),
        ("before" = Option<String>, Query, description = "Only days before this one, YYYY-MM-DD"),
    ),
    responses(
        (status = 200, description = "The miner", body = String, content_type = "text/html"),
        (status = 404, description = "Nothing is known of this hotkey", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn miner(
    State(api): State<ApiState>,
    Path(hotkey): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let detail = super::miners::detail(&api, &hotkey, &params).await?;
    let frame = Frame::new(&api, Page::Leaderboard, Some(format!("/miners/{}", detail.hotkey)));
    render(&asked, &miner::Miner::new(frame, &detail, &api.rules))
}

/// Weights
#[utoipa::path(
    get, path = "/page/weights", tag = "pages",
    responses((status = 200, description = "Weights on chain and in the ledger", body = String, content_type = "text/html"))
)]
pub(super) async fn weights(
    State(api): State<ApiState>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let answer = super::weights::answer(&api, &params).await?;
    let frame = Frame::new(&api, Page::Weights, Some("/weights".to_owned()));
    render(&asked, &weights::Weights::new(frame, &answer, api.readiness.weights_tempos))
}

/// What a budget buys
#[utoipa::path(
    get, path = "/page/plan", tag = "pages",
    params(
        ("reviews" = Option<usize>, Query, description = "Reviews a day of the team"),
        ("precision" = Option<f64>, Query, description = "Wanted share of confirmed ones among the reviewed"),
    ),
    responses(
        (status = 200, description = "The plan, or that no round is settled yet", body = String, content_type = "text/html"),
        (status = 422, description = "A value that is none", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn plan(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    let told = match super::plan::answer(&api, &params).await {
        Err(error) if error.code == ErrorCode::NotFound => Err(error.line()),
        other => Ok(other?),
    };
    let given = (params.text("reviews").unwrap_or_default(), params.text("precision").unwrap_or_default());
    let frame = Frame::new(&api, Page::Plan, Some("/plan".to_owned()));
    render(&asked, &plan::PlanPage::new(frame, given, told.as_ref().map_err(Clone::clone)))
}

/// Drift and slices
#[utoipa::path(
    get, path = "/page/drift", tag = "pages",
    params(
        ("months" = Option<usize>, Query, description = "Months, from 1 to 24; 6 unless given"),
        ("reviews" = Option<usize>, Query, description = "Precision of so many reviews a day"),
        ("window_days" = Option<u16>, Query, description = "Rounds of this window"),
    ),
    responses(
        (status = 200, description = "The months, or that no round is published yet", body = String, content_type = "text/html"),
        (status = 422, description = "A value that is none", body = String, content_type = "text/html"),
        (status = 503, description = "Months are being made; Retry-After says when to ask again", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn drift(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    let told = match super::drift::answer(&api, &params).await {
        Err(error) if error.code == ErrorCode::NotFound => Err(error.line()),
        other => Ok(other?),
    };
    let frame = Frame::new(&api, Page::Drift, Some("/drift".to_owned()));
    render(&asked, &drift::DriftPage::new(frame, told.as_ref().map_err(Clone::clone)))
}

/// Risk of an address
#[utoipa::path(
    get, path = "/page/risk", tag = "pages",
    params(("address" = Option<String>, Query, description = "The address; without one there is only the form")),
    responses((status = 200, description = "The risk, or that nothing is known", body = String, content_type = "text/html"))
)]
pub(super) async fn risk(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    let address = params.text("address").unwrap_or_default().trim().to_owned();
    let found = match address.as_str() {
        "" => None,
        _ => match super::risk::answer(&api, address.clone(), &params).await {
            Err(error) if error.code == ErrorCode::NotFound => Some(Err(error.line())),
            other => Some(Ok(other?)),
        },
    };
    let frame = Frame::new(&api, Page::Risk, None);
    render(&asked, &risk::Risk::new(frame, &address, found.as_ref()))
}
