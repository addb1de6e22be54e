//! `/score/clusters`.

use axum::extract::{Request, State};
use axum::response::Response;

use super::error::{ApiError, ScoringErrors};
use super::job::answer;
use super::kind::Kind;
use super::query::ExplainText;
use super::state::AppState;
use crate::wire::ClusterRow;

/// Score clusters
///
/// The probability that each cluster has at least one confirmed illicit member, in request order.
#[utoipa::path(
    post, path = "/score/clusters", tag = "scoring", operation_id = "score_clusters",
    params(("explain" = Option<ExplainText>, Query, description = "How much of an explanation is wanted"),
        ("strict" = Option<bool>, Query, description = "Refuse unknown keys, and bodies without tables or columns that the model reads")),
    responses(
        (status = 200, description = "One row per cluster, in request order", body = [ClusterRow],
            headers(
                ("x-aml-receipt" = String, description = "Signed receipt, see docs/receipts.md"),
                ("accept" = String, description = "A further form that a body may be sent in: Arrow IPC streams, alone or one per table of a multipart form"),
                ("x-aml-warnings" = String, description = "What the body did not give, as JSON; absent when nothing was missed"),
            )),
        ScoringErrors,
    )
)]
pub(super) async fn score(State(app): State<AppState>, request: Request) -> Result<Response, ApiError> {
    answer(app, Kind::ScoreClusters, request).await
}
