//! `/rounds/{id}/evidence`: the evidence pack of a round, as it was written when the round could change no more.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tokio_util::io::ReaderStream;

use super::error::{ApiError, ErrorBody, ValidationErrorBody};
use super::reply::{self, Keep};
use super::rounds::parse;
use super::state::ApiState;
use crate::outputs::pack_path;
use crate::store::records::{Round, Step};

/// Evidence of a round
///
/// A signed ZIP file with everything that the canonical scores come from, what each miner said of each alert included:
/// `docs/evidence.md` has its form, `scripts/check_evidence.py` checks it offline. There is one once the round can change no
/// more.
#[utoipa::path(
    get, path = "/rounds/{id}/evidence", tag = "rounds",
    params(("id" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30")),
    responses(
        (status = 200, description = "The pack", body = Vec<u8>, content_type = "application/zip"),
        (status = 404, description = "No such round is published, or there is no pack of it", body = ErrorBody),
        (status = 422, description = "Not the id of a round", body = ValidationErrorBody),
    )
)]
pub(super) async fn pack(
    State(api): State<ApiState>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = api.published_round(parse(&id)?).await?;
    let path = pack_path(&api.published, &round.id);
    let Ok(file) = tokio::fs::File::open(&path).await else { return Err(ApiError::not_found(why_not(&round))) };
    let about = file.metadata().await.map_err(ApiError::internal)?;
    let written = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let tag = format!("W/\"{}-{}\"", about.len(), written.unwrap_or_default().as_nanos());
    if reply::has(&asked, &tag) {
        return Ok(reply::unchanged(&tag, Keep::Published));
    }
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    reply::mark(&mut response, &tag, Keep::Published);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(about.len()));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}.zip\"", round.id)) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn why_not(round: &Round) -> String {
    let id = round.id;
    if round.marks.void.is_some() {
        format!("Round {id} is void: there is no evidence pack of it")
    } else if round.rules.information().is_none() {
        format!("Round {id} is under rules v1: there is no evidence pack of it")
    } else if round.step < Step::Settled {
        format!(
            "Round {id} can still change; there is an evidence pack once it is settled and its last day for outcomes is over"
        )
    } else {
        format!(
            "The evidence pack of round {id} is not written yet, or its scores were no longer kept when it was settled"
        )
    }
}
