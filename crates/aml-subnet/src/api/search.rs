//! `/alerts/{round}`: the alerts of a round that fit a search, in several orders, page by page.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, value_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::rounds::parse;
use super::state::ApiState;
use crate::outputs::CanonicalRow;
use crate::readers::searching::{Named, Search, Sort};

/// Alerts of an answer unless told otherwise, and at most.
const LIMIT: Count = Count { usual: 100, most: 1_000 };
/// The last place that can be told.
const AFTER: Count = Count { usual: 0, most: 100_000_000 };
/// Bytes of a text that is looked for: longer than any id that a link can name.
const LONGEST: usize = 1_024;

/// Alerts of a round.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct AlertList {
    /// The round.
    pub(super) round: String,
    /// Day of the batch.
    pub(super) date: String,
    /// Alerts of the round.
    pub(super) total: usize,
    /// Those that fit.
    pub(super) found: usize,
    /// Those of this page.
    pub(super) alerts: Vec<CanonicalRow>,
    /// Value of `after` for the next page; null on the last one.
    pub(super) next_after: Option<usize>,
    /// Typologies of the round, those of most alerts first, at most 50.
    pub(super) typologies: Vec<Named>,
    /// Severities of the round, alike.
    pub(super) severities: Vec<Named>,
}

/// Alerts of a round
///
/// Those whose id or address has a text in it, of a typology, of a severity; in one of several orders.
#[utoipa::path(
    get, path = "/alerts/{round}", tag = "scores",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("q" = Option<String>, Query, description = "Stands in the id or the address, in whatever case; at most 1,024 bytes"),
        ("typology" = Option<String>, Query, description = "The whole name of the typology"),
        ("severity" = Option<String>, Query, description = "The whole name of the severity"),
        ("sort" = Option<String>, Query, description = "`rank`, `severity`, `typology`, `address`, `alert_id` or `deviation`, the other way round with `-` in front; `rank` unless given. Equal ones are in the order of their ranks"),
        ("limit" = Option<usize>, Query, description = "Alerts of a page, from 1 to 1000; 100 unless given", minimum = 1, maximum = 1000),
        ("after" = Option<usize>, Query, description = "Only alerts after this place of what is found", minimum = 1),
    ),
    responses(
        (status = 200, description = "The alerts", body = AlertList),
        (status = 404, description = "No such round is published, or it has no scores", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn of_round(
    State(api): State<ApiState>,
    Path(round): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    reply::json(&asked, &list(&api, &round, &params, LIMIT).await?, Keep::Check)
}

/// The alerts that are asked for.
pub(super) async fn list(api: &ApiState, round: &str, params: &Params, limit: Count) -> Result<AlertList, ApiError> {
    let (limit, after) = (params.count("limit", limit)?, params.count("after", AFTER)?);
    let search = search(params)?;
    let round = api.published_round(parse(round)?).await?;
    let scored = api.scored(&round).await?;
    let looking = move || {
        let found = scored.index.find(&search);
        let alerts: Vec<CanonicalRow> =
            found.iter().skip(after).take(limit).filter_map(|place| scored.told(*place)).collect();
        let next_after = after.saturating_add(alerts.len());
        AlertList {
            round: round.id.to_string(),
            date: round.id.date.to_string(),
            total: scored.rows.len(),
            found: found.len(),
            next_after: Some(next_after).filter(|next| *next < found.len()),
            alerts,
            typologies: scored.index.typologies(),
            severities: scored.index.severities(),
        }
    };
    tokio::task::spawn_blocking(looking).await.map_err(ApiError::internal)
}

/// What a query looks for.
fn search(params: &Params) -> Result<Search, ApiError> {
    let text = params.text("q").unwrap_or_default().trim();
    if text.len() > LONGEST {
        return Err(value_error("query", "q", format!("Input should have at most {LONGEST} bytes"), text));
    }
    let asked = params.text("sort").unwrap_or("rank");
    let name = asked.strip_prefix('-').unwrap_or(asked);
    let known = Sort::ALL.into_iter().find(|(known, _)| *known == name);
    let (_, sort) = known.ok_or_else(|| {
        let names: Vec<&str> = Sort::ALL.into_iter().map(|(name, _)| name).collect();
        let text = format!("Input should be one of {}, with or without '-' in front", names.join(", "));
        value_error("query", "sort", text, asked)
    })?;
    let whole = |key: &str| params.text(key).map(str::to_owned);
    Ok(Search {
        text: text.to_owned(),
        typology: whole("typology"),
        severity: whole("severity"),
        sort,
        is_reversed: name.len() < asked.len(),
    })
}
