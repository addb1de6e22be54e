//! `/score/alerts` and `/rank/alerts`.

use axum::extract::{Request, State};
use axum::response::Response;

use super::error::{ApiError, ScoringErrors};
use super::job::answer;
use super::kind::Kind;
use super::query::ExplainText;
use super::state::AppState;
use crate::wire::{RankRow, ScoreRow};

/// Score alerts
///
/// The calibrated probability that each alert is confirmed illicit, with the features behind it, in request order.
#[utoipa::path(
    post, path = "/score/alerts", tag = "scoring", operation_id = "score_alerts",
    params(("explain" = Option<ExplainText>, Query, description = "How much of an explanation is wanted"),
        ("strict" = Option<bool>, Query, description = "Refuse unknown keys, and bodies without tables or columns that the model reads")),
    responses(
        (status = 200, description = "One row per alert, in request order", body = [ScoreRow],
            headers(
                ("x-aml-receipt" = String, description = "Signed receipt, see docs/receipts.md"),
                ("accept" = String, description = "A further form that a body may be sent in: Arrow IPC streams, alone or one per table of a multipart form"),
                ("x-aml-warnings" = String, description = "What the body did not give, as JSON; absent when nothing was missed"),
            )),
        ScoringErrors,
    )
)]
pub(super) async fn score(State(app): State<AppState>, request: Request) -> Result<Response, ApiError> {
    answer(app, Kind::ScoreAlerts, request).await
}

/// Rank alerts
///
/// All alerts of the batch, the most urgent first; ties are broken by alert id.
#[utoipa::path(
    post, path = "/rank/alerts", tag = "scoring", operation_id = "rank_alerts",
    params(("explain" = Option<ExplainText>, Query, description = "Accepted and without effect"),
        ("strict" = Option<bool>, Query, description = "Refuse unknown keys, and bodies without tables or columns that the model reads")),
    responses(
        (status = 200, description = "One row per alert, most urgent first", body = [RankRow],
            headers(
                ("x-aml-receipt" = String, description = "Signed receipt, see docs/receipts.md"),
                ("accept" = String, description = "A further form that a body may be sent in: Arrow IPC streams, alone or one per table of a multipart form"),
                ("x-aml-warnings" = String, description = "What the body did not give, as JSON; absent when nothing was missed"),
            )),
        ScoringErrors,
    )
)]
pub(super) async fn rank(State(app): State<AppState>, request: Request) -> Result<Response, ApiError> {
    answer(app, Kind::RankAlerts, request).await
}
