//! `/canonical/{date}`: the canonical scores of a day, as they were published.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error, value_error};
use super::excerpt::Excerpt;
use super::negotiate;
use super::query::{self, Count, Params};
use super::reply::{self, Content, Keep};
use super::state::ApiState;
use crate::outputs::format::encode;
use crate::outputs::{
    CanonicalRow, Format, Manifest, Published, VerifyError, canonical_rows, directory, is_erased, with_reasons,
};
use crate::readers::calibration::Calibration;
use crate::store::records::{Round, RoundId, Step};

/// Rounds that are looked through for the newest.
const LOOK_BACK: usize = 8;

/// Canonical scores of a day
///
/// The whole day in the order of the batch, as JSON, CSV or Parquet: byte for byte the file that the signed manifest
/// names. `latest` stands for the newest day. With `limit` or `after` it is an excerpt by rank, and `Link` names the next one.
#[utoipa::path(
    get, path = "/canonical/{date}", tag = "scores",
    params(
        ("date" = String, Path, description = "Day of the batch, YYYY-MM-DD, or `latest`", example = "2026-01-05"),
        ("format" = Option<String>, Query, description = "`json`, `csv` or `parquet`; wins over Accept"),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several", minimum = 1),
        ("limit" = Option<usize>, Query, description = "Only so many rows, the most urgent first", minimum = 1, maximum = 100000),
        ("after" = Option<u32>, Query, description = "Only rows below this rank, the most urgent first", minimum = 1),
    ),
    responses(
        (status = 200, description = "The scores", content(
            (Vec<CanonicalRow> = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"),
        )),
        (status = 304, description = "What If-None-Match names is still current"),
        (status = 404, description = "No canonical scores of that day are published", body = ErrorBody),
        (status = 406, description = "None of the forms is accepted", body = ErrorBody),
        (status = 422, description = "No day, no format, or a day with several batches", body = ValidationErrorBody),
    )
)]
pub(super) async fn scores(
    State(api): State<ApiState>,
    Path(date): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let accept = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let format = negotiate::format(params.text("format"), accept)?;
    let round = round_of(&api, &date, &params).await?;
    let keep = if date == "latest" { Keep::Check } else { Keep::Published };
    let mut response = match (Excerpt::of(&params)?, open(&api, &round).await?) {
        (Some(excerpt), _) => excerpt.answer(rows(&api, &round).await?, &round, format, &asked)?,
        (None, Some(published)) => from_file(&asked, published, format, keep).await?,
        (None, None) => from_ledger(&api, &round, format, keep, &asked).await?,
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    let name = format!("inline; filename=\"canonical_{}_{}.{format}\"", round.id.date, round.id.window_days);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Signed manifest of a day
///
/// What was published: digest, length and rows of every file, signed by the validator's hotkey.
#[utoipa::path(
    get, path = "/canonical/{date}/manifest", tag = "scores",
    params(
        ("date" = String, Path, description = "Day of the batch, YYYY-MM-DD, or `latest`", example = "2026-01-05"),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several", minimum = 1),
    ),
    responses(
        (status = 200, description = "The manifest", body = Manifest),
        (status = 404, description = "No canonical scores of that day are published", body = ErrorBody),
        (status = 422, description = "No day, or a day with several batches", body = ValidationErrorBody),
    )
)]
pub(super) async fn manifest(
    State(api): State<ApiState>,
    Path(date): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = round_of(&api, &date, &params).await?;
    let absent = || {
        let erased = is_erased(&api.published, &round.id);
        let why = if erased { "were taken away: an address was erased" } else { "are not on this machine" };
        ApiError::not_found(format!("The published files of round {} {why}", round.id))
    };
    let published = open(&api, &round).await?.ok_or_else(absent)?;
    reply::json(&asked, &published.manifest, Keep::Check)
}

/// What the probabilities of a day come from
///
/// The curve that was learned from outcomes of earlier days: byte for byte the `calibration.json` that the signed manifest names.
#[utoipa::path(
    get, path = "/canonical/{date}/calibration", tag = "scores",
    params(
        ("date" = String, Path, description = "Day of the batch, YYYY-MM-DD, or `latest`", example = "2026-01-05"),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several", minimum = 1),
    ),
    responses(
        (status = 200, description = "The calibration; without knots while too little is known", body = Calibration),
        (status = 404, description = "Nothing of that day is published, or it was published without probabilities", body = ErrorBody),
        (status = 422, description = "No day, or a day with several batches", body = ValidationErrorBody),
    )
)]
pub(super) async fn calibration(
    State(api): State<ApiState>,
    Path(date): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let round = round_of(&api, &date, &params).await?;
    let absent = || ApiError::not_found(format!("Round {} was published without probabilities", round.id));
    let found = api.ledger.calibration(round.id).await.map_err(ledger_error)?.ok_or_else(absent)?;
    reply::json(&asked, &found, if date == "latest" { Keep::Check } else { Keep::Published })
}

/// The published round of a day; of several the one whose window is asked for.
pub(super) async fn round_of(api: &ApiState, date: &str, params: &Params) -> Result<Round, ApiError> {
    let window = params.count("window_days", Count { usual: 0, most: usize::from(u16::MAX) })?;
    let fits = |round: &Round| window == 0 || usize::from(round.id.window_days) == window;
    if date == "latest" {
        let mut newest = api.published_rounds(LOOK_BACK, None).await?.rounds;
        newest.retain(|round| fits(round) && round.marks.void.is_none());
        return latest(api, newest).await;
    }
    let date = query::date("path", "date", date)?;
    let none = || ApiError::not_found(format!("No canonical scores of {date} are published; /rounds lists what is"));
    let before = date.succ_opt().ok_or_else(none)?;
    let rounds = api.published_rounds(1, Some(before)).await?.rounds;
    let mut found: Vec<Round> = rounds.into_iter().filter(|round| round.id.date == date && fits(round)).collect();
    if let Some(void) = found.iter().find_map(|round| round.marks.void.as_ref()) {
        return Err(ApiError::not_found(format!("The round of {date} is void and counts nowhere: {}", void.why)));
    }
    if found.len() > 1 {
        let windows: Vec<String> = found.iter().map(|round| round.id.window_days.to_string()).collect();
        let text = format!("{date} has batches of several windows ({}); say which", windows.join(", "));
        return Err(value_error("query", "window_days", text, ""));
    }
    found.pop().ok_or_else(none)
}

/// The newest of `rounds`. Where it has no scores that is said, with the newest that has: another day's never pass for
/// today's, for rows name no day.
async fn latest(api: &ApiState, rounds: Vec<Round>) -> Result<Round, ApiError> {
    let mut rounds = rounds.into_iter();
    let newest = rounds.next().ok_or_else(|| ApiError::not_found("No round is published yet"))?;
    if api.facts(&newest).await?.brief().accepted > 0 {
        return Ok(newest);
    }
    let mut elsewhere = "none of the rounds before it has any either".to_owned();
    for round in rounds {
        if api.facts(&round).await?.brief().accepted > 0 {
            let RoundId { date, window_days, .. } = round.id;
            elsewhere = format!("the newest are at /canonical/{date}?window_days={window_days}");
            break;
        }
    }
    let id = newest.id;
    Err(ApiError::not_found(format!(
        "Round {id}, the newest, has no canonical scores: no submission counted; {elsewhere}"
    )))
}

/// The published files of a round; `None` where they are not on this machine.
async fn open(api: &ApiState, round: &Round) -> Result<Option<Published>, ApiError> {
    let folder = directory(&api.published, &round.id);
    let opened = tokio::task::spawn_blocking(move || Published::open(&folder, None)).await;
    match opened.map_err(ApiError::internal)? {
        Ok(published) => Ok(Some(published).filter(|published| published.manifest.round == round.id.to_string())),
        Err(VerifyError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ApiError::internal(error)),
    }
}

async fn from_file(asked: &HeaderMap, published: Published, format: Format, keep: Keep) -> Result<Response, ApiError> {
    let tag = reply::tag(&published.entry(format).map_err(ApiError::internal)?.sha256);
    if reply::has(asked, &tag) {
        return Ok(reply::unchanged(&tag, keep));
    }
    let read = tokio::task::spawn_blocking(move || published.read(format)).await.map_err(ApiError::internal)?;
    let bytes = read.map_err(ApiError::internal)?;
    Ok(reply::content(asked, Content { media_type: format.media_type(), bytes, keep }))
}

/// The same rows from the ledger, for a machine that does not have the files.
async fn from_ledger(
    api: &ApiState,
    round: &Round,
    format: Format,
    keep: Keep,
    asked: &HeaderMap,
) -> Result<Response, ApiError> {
    let rows = rows(api, round).await?;
    let making = tokio::task::spawn_blocking(move || encode(&rows, format).map_err(ApiError::internal));
    let bytes = making.await.map_err(ApiError::internal)??;
    Ok(reply::content(asked, Content { media_type: format.media_type(), bytes, keep }))
}

/// The rows of a published round, from the ledger.
async fn rows(api: &ApiState, round: &Round) -> Result<Vec<CanonicalRow>, ApiError> {
    debug_assert!(round.step >= Step::Published, "only published rounds are looked up");
    let none = || ApiError::not_found(format!("Round {} has no canonical scores: no submission counted", round.id));
    let canonical = api.ledger.canonical(round.id).await.map_err(ledger_error)?.ok_or_else(none)?;
    let task = api.ledger.task(round.id).await.map_err(ledger_error)?.ok_or_else(none)?;
    let calibration = api.ledger.calibration(round.id).await.map_err(ledger_error)?;
    let reasons = api.ledger.reasons(round.id).await.map_err(ledger_error)?;
    let making = tokio::task::spawn_blocking(move || {
        with_reasons(canonical_rows(&task.roster, &canonical, calibration.as_ref())?, reasons.as_ref())
    });
    making.await.map_err(ApiError::internal)?.map_err(ApiError::internal)
}
