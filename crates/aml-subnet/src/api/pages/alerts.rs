//! The alerts of a round, looked through: by id and address, typology and severity, in several orders.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::frame::{Frame, Page, render};
use super::miner::LINE;
use super::text::{encoded, line, whole};
use super::top::{TopRow, row_of};
use crate::api::error::ApiError;
use crate::api::query::{Count, Params};
use crate::api::search::{self, AlertList};
use crate::api::state::ApiState;
use crate::calendar::date_from;
use crate::readers::searching::Named;

/// Alerts of a page.
const SHOWN: usize = 50;

/// Orders that a person is offered, with their names.
const ORDERS: [(&str, &str); 5] = [
    ("rank", "most urgent first"),
    ("-severity", "highest severity first"),
    ("-deviation", "most disputed first"),
    ("address", "by address"),
    ("alert_id", "by id"),
];

/// Alerts of a round
#[utoipa::path(
    get, path = "/page/alerts/{round}", tag = "pages",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("q" = Option<String>, Query, description = "Stands in the id or the address"),
        ("typology" = Option<String>, Query, description = "The whole name of the typology"),
        ("severity" = Option<String>, Query, description = "The whole name of the severity"),
        ("sort" = Option<String>, Query, description = "As in `/alerts/{round}`"),
        ("after" = Option<usize>, Query, description = "Only alerts after this place of what is found"),
    ),
    responses(
        (status = 200, description = "The alerts", body = String, content_type = "text/html"),
        (status = 404, description = "No such round is published, or it has no scores", body = String, content_type = "text/html"),
        (status = 422, description = "A value that is none", body = String, content_type = "text/html"),
    )
)]
pub(in crate::api) async fn alerts_of_round(
    State(api): State<ApiState>,
    Path(round): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let shown = Count { usual: SHOWN, most: SHOWN };
    let list = search::list(&api, &round, &params, shown).await?;
    let frame = Frame::new(&api, Page::Rounds, Some(format!("/alerts/{}", list.round)));
    render(&asked, &AlertsPage::new(frame, &list, &params))
}

/// The page.
#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    frame: Frame,
    round: String,
    date: String,
    /// What is looked for.
    text: String,
    typologies: Vec<Choice>,
    severities: Vec<Choice>,
    orders: Vec<Choice>,
    told: String,
    top: Vec<TopRow>,
    before: Option<String>,
    next: Option<String>,
}

/// An entry of a list to choose from.
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

impl AlertsPage {
    fn new(frame: Frame, list: &AlertList, asked: &Params) -> Self {
        let text = |key: &str| asked.text(key).unwrap_or_default();
        let date = date_from(&list.date).unwrap_or_default();
        let after: usize = text("after").parse().unwrap_or(0);
        let to = |after: usize| page(&list.round, asked, after);
        let (first, last) = (after.saturating_add(1), after.saturating_add(list.alerts.len()));
        let found = whole(list.found as u64);
        let told = match list.alerts.is_empty() {
            true => format!("{found} of {} alerts", whole(list.total as u64)),
            false => format!(
                "{} to {} of {found} that fit; the day has {} alerts",
                whole(first as u64),
                whole(last as u64),
                whole(list.total as u64)
            ),
        };
        Self {
            frame,
            round: list.round.clone(),
            date: date.format("%-d %B %Y").to_string(),
            text: line(text("q"), LINE),
            typologies: choices(&list.typologies, text("typology")),
            severities: choices(&list.severities, text("severity")),
            orders: orders(text("sort")),
            told,
            top: list.alerts.iter().map(|row| row_of(&list.round, row)).collect(),
            before: (after > 0).then(|| to(after.saturating_sub(SHOWN))),
            next: list.next_after.map(to),
        }
    }
}

/// Orders to choose from, and the one that is chosen.
fn orders(chosen: &str) -> Vec<Choice> {
    let others = ORDERS.iter().all(|(value, _)| *value != chosen).then_some((chosen, chosen));
    let all = ORDERS.into_iter().chain(others.filter(|_| !chosen.is_empty()));
    let order = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    };
    all.map(order).collect()
}

/// Names to choose from. Those that do not fit a line, or would move their neighbours, are left to the API.
fn choices(names: &[Named], chosen: &str) -> Vec<Choice> {
    let plain = |named: &&Named| !named.name.is_empty() && line(&named.name, 60) == named.name;
    let choice = |named: &Named| Choice {
        value: named.name.clone(),
        label: format!("{} ({})", named.name, whole(named.alerts as u64)),
        chosen: named.name == chosen,
    };
    let mut all: Vec<Choice> = names.iter().filter(plain).map(choice).collect();
    // What is looked for stands there, whether the day has it or not.
    if !chosen.is_empty() && !all.iter().any(|choice| choice.chosen) {
        let shown = line(chosen, 60);
        all.push(Choice { value: shown.clone(), label: shown, chosen: true });
    }
    all
}

/// The page of the same search that begins after a place.
fn page(round: &str, asked: &Params, after: usize) -> String {
    let mut pairs: Vec<String> = Vec::new();
    for key in ["q", "typology", "severity", "sort"] {
        pairs.extend(asked.text(key).map(|value| format!("{key}={}", encoded(value))));
    }
    if after > 0 {
        pairs.push(format!("after={after}"));
    }
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
    format!("/page/alerts/{round}{query}")
}
