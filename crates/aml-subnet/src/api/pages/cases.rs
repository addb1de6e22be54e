//! The alerts of a day by actor: those of one address, and of addresses that a cluster holds together.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::frame::{Frame, Page, render};
use super::miner::LINE;
use super::text::{encoded, line, link, percent, score, short, whole};
use super::top::severity_tone;
use crate::api::cases::{self, CaseList};
use crate::api::error::{ApiError, ErrorCode};
use crate::api::query::{Count, Params};
use crate::api::state::ApiState;
use crate::calendar::date_from;
use crate::readers::cases::Case;

/// Cases of a page.
const SHOWN: usize = 50;
/// Alerts and addresses of a case that are named.
const NAMED: usize = 5;

/// Cases of a day
#[utoipa::path(
    get, path = "/page/cases", tag = "pages",
    params(
        ("date" = Option<String>, Query, description = "Day of the batch, YYYY-MM-DD; the newest unless given", example = "2026-01-05"),
        ("by" = Option<String>, Query, description = "`address` or `cluster`; `cluster` unless given"),
        ("after" = Option<usize>, Query, description = "Only cases after this place"),
        ("window_days" = Option<u16>, Query, description = "Which batch, where a day has several"),
    ),
    responses(
        (status = 200, description = "The cases", body = String, content_type = "text/html"),
        (status = 404, description = "No canonical scores of that day are published", body = String, content_type = "text/html"),
        (status = 422, description = "A value that is none", body = String, content_type = "text/html"),
    )
)]
pub(in crate::api) async fn cases_of_day(
    State(api): State<ApiState>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let shown = Count { usual: SHOWN, most: SHOWN };
    let page = match cases::list(&api, params.text("date").unwrap_or("latest"), &params, shown).await {
        // Without a day there is nothing wrong with the request.
        Err(error) if error.code == ErrorCode::NotFound && params.text("date").is_none() => {
            CasesPage { message: error.line(), ..CasesPage::empty(Frame::new(&api, Page::Cases, None)) }
        }
        list => {
            let list = list?;
            let twin =
                cases_link(&list.round, Some(list.by), 0).replace("/page/cases?date=", "/cases/").replacen('&', "?", 1);
            CasesPage::new(Frame::new(&api, Page::Cases, Some(twin)), &list, &params)
        }
    };
    render(&asked, &page)
}

/// The page.
#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    frame: Frame,
    /// Why there is nothing; empty where there is something.
    message: String,
    round: String,
    date: String,
    by_cluster: bool,
    told: String,
    rows: Vec<Row>,
    /// The same by clusters and by addresses alone.
    by_cluster_link: String,
    by_address_link: String,
    before: Option<String>,
    next: Option<String>,
}

struct Row {
    place: usize,
    severity: String,
    tone: &'static str,
    typologies: String,
    rank: String,
    probability: String,
    score: String,
    alerts: Vec<Name>,
    more_alerts: usize,
    all_alerts: usize,
    addresses: Vec<Name>,
    more_addresses: usize,
}

/// An alert or an address, with where it leads; nowhere where that is empty.
struct Name {
    text: String,
    whole: String,
    link: String,
}

impl CasesPage {
    fn empty(frame: Frame) -> Self {
        Self {
            frame,
            message: String::new(),
            round: String::new(),
            date: String::new(),
            by_cluster: false,
            told: String::new(),
            rows: Vec::new(),
            by_cluster_link: String::new(),
            by_address_link: String::new(),
            before: None,
            next: None,
        }
    }

    fn new(frame: Frame, list: &CaseList, asked: &Params) -> Self {
        let date = date_from(&list.date).unwrap_or_default();
        let after: usize = asked.text("after").unwrap_or_default().parse().unwrap_or(0);
        let by = asked.text("by");
        let total = whole(list.total as u64);
        let told = match (list.cases.first(), list.cases.last()) {
            (Some(first), Some(last)) => {
                format!("{} to {} of {total}", whole(first.place as u64), whole(last.place as u64))
            }
            _ => format!("none of {total}"),
        };
        Self {
            round: list.round.clone(),
            date: date.format("%-d %B %Y").to_string(),
            by_cluster: list.by == "cluster",
            told,
            rows: list.cases.iter().map(|case| row(&list.round, case)).collect(),
            by_cluster_link: cases_link(&list.round, Some("cluster"), 0),
            by_address_link: cases_link(&list.round, Some("address"), 0),
            before: (after > 0).then(|| cases_link(&list.round, by, after.saturating_sub(SHOWN))),
            next: list.next_after.map(|after| cases_link(&list.round, by, after)),
            ..Self::empty(frame)
        }
    }
}

fn row(round: &str, of: &Case) -> Row {
    let alert = |id: &String| Name { text: line(id, 40), whole: line(id, LINE), link: link("alerts", round, id) };
    let address = |address: &String| Name {
        text: line(&short(address), 20),
        whole: line(address, LINE),
        link: format!("/page/risk?address={}", encoded(address)),
    };
    let alerts: Vec<Name> = of.alert_ids.iter().take(NAMED).map(alert).collect();
    let addresses: Vec<Name> = of.address_list.iter().take(NAMED).map(address).collect();
    let typologies: Vec<String> = of.typologies.iter().take(NAMED).map(|name| line(name, 60)).collect();
    Row {
        place: of.place,
        severity: line(&of.severity, 20),
        tone: severity_tone(&of.severity),
        typologies: typologies.join(", "),
        rank: whole(of.rank.into()),
        probability: percent(of.probability),
        score: score(of.score),
        more_alerts: of.alerts.saturating_sub(alerts.len()),
        all_alerts: of.alerts,
        alerts,
        more_addresses: of.addresses.saturating_sub(addresses.len()),
        addresses,
    }
}

/// The page of the cases of a round, `1-2026-01-05-30`, that begins after a place.
pub(super) fn cases_link(round: &str, by: Option<&str>, after: usize) -> String {
    let rest = round.split_once('-').map(|(_, rest)| rest).unwrap_or_default();
    let (date, window) = rest.rsplit_once('-').unwrap_or_default();
    let by = by.map(|by| format!("&by={}", encoded(by))).unwrap_or_default();
    let after = if after > 0 { format!("&after={after}") } else { String::new() };
    format!("/page/cases?date={date}&window_days={window}{by}{after}")
}

#[cfg(test)]
mod tests {
    use super::cases_link;

    #[test]
    fn a_round_has_its_cases() {
        assert_eq!(cases_link("1-2026-01-05-30", None, 0), "/page/cases?date=2026-01-05&window_days=30");
        let next = cases_link("12-2026-01-05-7", Some("a&b"), 50);
        assert_eq!(next, "/page/cases?date=2026-01-05&window_days=7&by=a%26b&after=50");
    }
}
