//! `/queues/{system}/{date}`: the most urgent alerts of a day in the form that a case system, or a spreadsheet, takes.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value};

use super::canonical::round_of;
use super::cases;
use super::error::{ApiError, ErrorBody, ErrorCode, ValidationErrorBody, value_error};
use super::query::{Count, Params};
use super::reply::{self, Content, Keep};
use super::state::ApiState;
use crate::calendar::rfc3339;
use crate::outputs::CanonicalRow;
use crate::readers::queues::{QueueAlert, jube, marble, tazama};
use crate::readers::sheet::{cell, row};
use crate::store::records::Round;

/// Alerts unless told otherwise, and at most.
const LIMIT: Count = Count { usual: 100, most: 10_000 };
/// The last rank that can be told.
const AFTER: Count = Count { usual: 0, most: 100_000_000 };
/// Characters of a description.
const LONGEST: usize = 2_000;

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum System {
    Marble,
    Jube,
    Tazama { tenant: String },
    Sheet,
}

impl System {
    fn of(name: &str, params: &Params) -> Result<Self, ApiError> {
        Ok(match name {
            "marble" => Self::Marble,
            "jube" => Self::Jube,
            "sheet" => Self::Sheet,
            "tazama" => {
                let tenant = params.text("tenant").unwrap_or_default();
                let wrong = || value_error("query", "tenant", "Input should be the UUID of a tenant", tenant);
                Self::Tazama {
                    tenant: Some(tenant.to_owned()).filter(|tenant| tazama::is_uuid(tenant)).ok_or_else(wrong)?,
                }
            }
            _ => return Err(ApiError::not_found("No such system: there are marble, jube, tazama and sheet")),
        })
    }

    const fn media_type(&self) -> &'static str {
        match self {
            Self::Marble => "application/json",
            Self::Jube | Self::Tazama { .. } => "application/x-ndjson",
            Self::Sheet => "text/csv",
        }
    }

    /// How many alerts one request of the system takes.
    const fn most(&self) -> usize {
        match self {
            Self::Marble => marble::MOST,
            _ => LIMIT.most,
        }
    }

    fn encode(&self, alerts: &[QueueAlert<'_>]) -> Result<Vec<u8>, serde_json::Error> {
        let lines = |bodies: Vec<Value>| {
            let mut out = Vec::new();
            for body in bodies {
                serde_json::to_writer(&mut out, &body)?;
                out.push(b'\n');
            }
            Ok(out)
        };
        match self {
            Self::Marble => serde_json::to_vec(&alerts.iter().map(marble::object).collect::<Vec<Map<_, _>>>()),
            Self::Jube => lines(alerts.iter().map(|alert| Value::Object(jube::body(alert))).collect()),
            Self::Tazama { tenant } => lines(alerts.iter().map(|alert| tazama::body(alert, tenant)).collect()),
            Self::Sheet => Ok(sheet(alerts).into_bytes()),
        }
    }
}

/// Alerts for a case system
///
/// The most urgent alerts of a day, each with its case: as objects of a table for Marble, as JSON lines for Jube and Tazama, as CSV in
/// which no cell is taken for a formula by a spreadsheet. `Link` names the next page.
#[utoipa::path(
    get, path = "/queues/{system}/{date}", tag = "scores",
    params(
        ("system" = String, Path, description = "`marble`, `jube`, `tazama` or `sheet`", example = "marble"),
        ("date" = String, Path, description = "Day of the batch, YYYY-MM-DD, or `latest`", example = "2026-01-05"),
        ("limit" = Option<usize>, Query, description = "Alerts, from 1 to 10000, for Marble to 100; 100 unless given", minimum = 1, maximum = 10000),
        ("after" = Option<usize>, Query, description = "Only alerts below this rank", minimum = 1),
        ("tenant" = Option<String>, Query, description = "Tazama: UUID of the tenant"),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several", minimum = 1),
    ),
    responses(
        (status = 200, description = "The alerts", content(
            (Vec<Object> = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 404, description = "No canonical scores of that day are published, or no such system", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn of_day(
    State(api): State<ApiState>,
    Path((system, date)): Path<(String, String)>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let system = System::of(&system, &params)?;
    let (limit, after) =
        (params.count("limit", Count { most: system.most(), ..LIMIT })?, params.count("after", AFTER)?);
    let round = round_of(&api, &date, &params).await?;
    let (bytes, last) = made(&api, &round, system.clone(), (after, limit)).await?;
    let mut response = reply::content(&asked, Content { media_type: system.media_type(), bytes, keep: Keep::Check });
    if let Some(link) = last.and_then(|last| next(&system, &round, limit, last)) {
        response.headers_mut().insert(header::LINK, link);
    }
    if system == System::Sheet {
        let name = HeaderValue::from_static("attachment; filename=\"alerts.csv\"");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The page after the one that ends with this rank.
fn next(system: &System, round: &Round, limit: usize, last: u32) -> Option<HeaderValue> {
    let (name, tenant) = match system {
        System::Marble => ("marble", String::new()),
        System::Jube => ("jube", String::new()),
        System::Sheet => ("sheet", String::new()),
        System::Tazama { tenant } => ("tazama", format!("&tenant={tenant}")),
    };
    let (date, window) = (round.id.date, round.id.window_days);
    let path = format!("/queues/{name}/{date}?window_days={window}&limit={limit}&after={last}{tenant}");
    HeaderValue::from_str(&format!("<{path}>; rel=\"next\"")).ok()
}

/// The alerts from a rank on, encoded, and the last rank where there are more.
async fn made(
    api: &ApiState,
    round: &Round,
    system: System,
    (after, limit): (usize, usize),
) -> Result<(Vec<u8>, Option<u32>), ApiError> {
    let scored = api.scored(round).await?;
    let dossier = api.dossier(round).await?;
    let (id, published_at) = (round.id.to_string(), rfc3339(round.published_ms.unwrap_or(round.opened_ms)));
    let making = move || {
        let of_case = cases::leaders(&scored.rows, dossier.as_deref());
        let facts = dossier.as_deref().map(|dossier| dossier.told(LONGEST)).unwrap_or_default();
        let mut rows: Vec<&CanonicalRow> = scored.rows.iter().collect();
        rows.sort_by_key(|row| row.rank);
        let page = rows.iter().skip(after).take(limit);
        let alerts: Vec<QueueAlert<'_>> =
            page.map(|row| queued(row, (&id, &published_at), rows.len(), (&of_case, &facts))).collect();
        let last =
            alerts.last().map(|alert| alert.rank).filter(|last| usize::try_from(*last).is_ok_and(|at| at < rows.len()));
        system.encode(&alerts).map(|bytes| (bytes, last))
    };
    let made = tokio::task::spawn_blocking(making).await.map_err(ApiError::internal)?;
    made.map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))
}

/// What the batch says of an alert: description and volume.
pub(super) type Told<'a> = HashMap<&'a str, (String, Option<f64>)>;

fn queued<'a>(
    row: &'a CanonicalRow,
    (round, published_at): (&'a str, &'a str),
    of: usize,
    (of_case, facts): (&HashMap<&'a str, &'a str>, &'a Told<'a>),
) -> QueueAlert<'a> {
    let told = row.probability.zip(row.probability_low).zip(row.probability_high);
    let fact = facts.get(row.alert_id.as_str());
    QueueAlert {
        round,
        published_at,
        alert_id: &row.alert_id,
        address: &row.address,
        typology: &row.typology,
        severity: &row.severity,
        score: row.score,
        deviation: row.deviation,
        miners: row.miners,
        rank: row.rank,
        of,
        told: told.map(|((value, low), high)| [value, low, high]),
        case_id: of_case.get(row.alert_id.as_str()).copied().unwrap_or(&row.alert_id),
        description: fact.map(|(text, _)| text.as_str()).unwrap_or_default(),
        volume_usd: fact.and_then(|(_, volume)| *volume),
    }
}

/// The alerts as a spreadsheet reads them.
fn sheet(alerts: &[QueueAlert<'_>]) -> String {
    let names = [
        "rank",
        "alert_id",
        "case_id",
        "address",
        "typology",
        "severity",
        "score",
        "deviation",
        "probability",
        "probability_low",
        "probability_high",
        "volume_usd",
        "description",
        "round",
    ];
    let mut out = row(&names.map(str::to_owned));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for alert in alerts {
        let told = |at: usize| number(alert.told.and_then(|told| told.get(at).copied()));
        out.push_str(&row(&[
            alert.rank.to_string(),
            cell(alert.alert_id),
            cell(alert.case_id),
            cell(alert.address),
            cell(alert.typology),
            cell(alert.severity),
            alert.score.to_string(),
            alert.deviation.to_string(),
            told(0),
            told(1),
            told(2),
            number(alert.volume_usd),
            cell(alert.description),
            cell(alert.round),
        ]));
    }
    out
}
