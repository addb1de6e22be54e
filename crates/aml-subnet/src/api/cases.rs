//! `/cases/{date}`: the alerts of a day by actor, as JSON or as CSV for a spreadsheet.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::canonical::round_of;
use super::dossier::Dossier;
use super::error::{ApiError, ErrorBody, ValidationErrorBody, value_error};
use super::memory::Members;
use super::query::{Count, Params};
use super::reply::{self, Content, Keep};
use super::state::ApiState;
use crate::outputs::CanonicalRow;
use crate::readers::cases::{Case, CaseAlert, case, members};
use crate::readers::sheet::{cell, row};
use crate::store::records::Round;

/// Cases of an answer unless told otherwise, and at most.
const LIMIT: Count = Count { usual: 100, most: 1_000 };
/// The last place that can be told.
const AFTER: Count = Count { usual: 0, most: 100_000_000 };

/// The cases of a day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct CaseList {
    /// The round.
    pub(super) round: String,
    /// Its day.
    pub(super) date: String,
    /// `address`, or `cluster` where clusters hold addresses together too.
    pub(super) by: &'static str,
    /// How many cases the day has.
    pub(super) total: usize,
    /// The cases, the most urgent first.
    pub(super) cases: Vec<Case>,
    /// Value of `after` for the next page; null on the last one.
    pub(super) next_after: Option<usize>,
}

/// Cases of a day
///
/// Alerts by actor: those of one address, and, where the batch is kept, of addresses that a cluster holds together. As CSV no cell
/// is taken for a formula by a spreadsheet.
#[utoipa::path(
    get, path = "/cases/{date}", tag = "scores",
    params(
        ("date" = String, Path, description = "Day of the batch, YYYY-MM-DD, or `latest`", example = "2026-01-05"),
        ("by" = Option<String>, Query, description = "`address` or `cluster`; `cluster` unless given"),
        ("format" = Option<String>, Query, description = "`json` or `csv`; `json` unless given"),
        ("limit" = Option<usize>, Query, description = "Cases of a page, from 1 to 1000; 100 unless given", minimum = 1, maximum = 1000),
        ("after" = Option<usize>, Query, description = "Only cases after this place", minimum = 1),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several", minimum = 1),
    ),
    responses(
        (status = 200, description = "The cases", content((CaseList = "application/json"), (String = "text/csv"))),
        (status = 404, description = "No canonical scores of that day are published", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn of_day(
    State(api): State<ApiState>,
    Path(date): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let csv = match params.text("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => return Err(value_error("query", "format", "Input should be 'json' or 'csv'", other)),
    };
    let list = list(&api, &date, &params, LIMIT).await?;
    if !csv {
        return reply::json(&asked, &list, Keep::Check);
    }
    let bytes = sheet(&list).into_bytes();
    let mut response = reply::content(&asked, Content { media_type: "text/csv", bytes, keep: Keep::Check });
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"cases.csv\""));
    Ok(response)
}

/// The cases that are asked for.
pub(super) async fn list(api: &ApiState, date: &str, params: &Params, limit: Count) -> Result<CaseList, ApiError> {
    let (limit, after) = (params.count("limit", limit)?, params.count("after", AFTER)?);
    let wants_clusters = match params.text("by") {
        None | Some("cluster") => true,
        Some("address") => false,
        Some(other) => return Err(value_error("query", "by", "Input should be 'address' or 'cluster'", other)),
    };
    let round = round_of(api, date, params).await?;
    let scored = api.scored(&round).await?;
    let (by, all) = api.actors(&round, wants_clusters).await?;
    let making = move || {
        let total = all.len();
        let shown = all.iter().zip(1..).skip(after).take(limit);
        let of = |places: &[usize]| -> Vec<CaseAlert<'_>> {
            places.iter().filter_map(|at| scored.rows.get(*at)).map(alert).collect()
        };
        let cases: Vec<Case> = shown.filter_map(|(places, place)| case(place, &of(places))).collect();
        let next_after = cases.last().map(|case| case.place).filter(|place| *place < total);
        CaseList { round: round.id.to_string(), date: round.id.date.to_string(), by, total, cases, next_after }
    };
    tokio::task::spawn_blocking(making).await.map_err(ApiError::internal)
}

impl ApiState {
    /// The alerts of a round by actor, and what holds them together.
    async fn actors(&self, round: &Round, wants_clusters: bool) -> Result<(&'static str, Arc<Members>), ApiError> {
        let memory = &self.memory;
        if let Some(known) = memory.by_cluster.get(round).filter(|_| wants_clusters) {
            return Ok(("cluster", known));
        }
        let dossier = if wants_clusters { self.dossier(round).await? } else { None };
        let (by, kept) = match &dossier {
            Some(_) => ("cluster", &memory.by_cluster),
            None => ("address", &memory.by_address),
        };
        if let Some(known) = kept.get(round) {
            return Ok((by, known));
        }
        let scored = self.scored(round).await?;
        let making = move || grouped(&scored.rows, dossier.as_deref());
        let made = tokio::task::spawn_blocking(making).await.map_err(ApiError::internal)?;
        Ok((by, kept.put(round, made)))
    }
}

fn grouped(rows: &[CanonicalRow], dossier: Option<&Dossier>) -> Members {
    let alerts: Vec<CaseAlert<'_>> = rows.iter().map(alert).collect();
    let clusters = dossier.into_iter().flat_map(|dossier| (0..dossier.clusters.rows()).map(|row| dossier.group(row)));
    members(&alerts, &clusters.collect::<Vec<_>>())
}

/// The most urgent alert of each alert's case, by id.
pub(super) fn leaders<'a>(rows: &'a [CanonicalRow], dossier: Option<&'a Dossier>) -> HashMap<&'a str, &'a str> {
    grouped(rows, dossier)
        .iter()
        .flat_map(|case| {
            let ids = case.iter().filter_map(|at| rows.get(*at)).map(|row| row.alert_id.as_str());
            let leader = ids.clone().next().unwrap_or_default();
            ids.map(move |id| (id, leader))
        })
        .collect()
}

fn alert(row: &CanonicalRow) -> CaseAlert<'_> {
    CaseAlert {
        alert_id: &row.alert_id,
        address: &row.address,
        typology: &row.typology,
        severity: &row.severity,
        score: row.score,
        probability: row.probability,
        rank: row.rank,
    }
}

/// The cases as a spreadsheet reads them.
fn sheet(list: &CaseList) -> String {
    let names = [
        "place",
        "round",
        "alert_id",
        "rank",
        "score",
        "probability",
        "severity",
        "typologies",
        "alerts",
        "addresses",
        "address_list",
        "alert_ids",
    ];
    let mut out = row(&names.map(str::to_owned));
    for case in &list.cases {
        out.push_str(&row(&[
            case.place.to_string(),
            cell(&list.round),
            cell(&case.alert_id),
            case.rank.to_string(),
            case.score.to_string(),
            case.probability.map(|told| told.to_string()).unwrap_or_default(),
            cell(&case.severity),
            cell(&case.typologies.join(" | ")),
            case.alerts.to_string(),
            case.addresses.to_string(),
            cell(&case.address_list.join(" | ")),
            cell(&case.alert_ids.join(" | ")),
        ]));
    }
    out
}
