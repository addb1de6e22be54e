//! What all pages share: head, navigation, status, foot; and how they are sent.

use std::sync::LazyLock;

use aml_miner::digest::Digest;
use aml_miner::http::error::Code as _;
use askama::Template;
use askama::filters::HtmlSafe;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::error::ApiError;
use super::super::reply::{self, Content, Keep};
use super::super::state::ApiState;
use super::text::{ago, whole};
use crate::chain::standing::Preflight;

/// Media type of a page.
pub(in crate::api) const HTML: &str = "text/html; charset=utf-8";

const CSS: &str = include_str!("../../../templates/style.css");

/// Only our own style sheet, by its digest; forms lead nowhere else, and no other page may show these.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = STANDARD.encode(Digest::of(CSS.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The policy that pages are sent with.
pub(in crate::api) fn policy() -> HeaderValue {
    POLICY.clone()
}

/// The style sheet, as it stands in the page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style;

impl std::fmt::Display for Style {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(CSS)
    }
}

impl HtmlSafe for Style {}

/// Where a page is in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Home,
    Leaderboard,
    Rounds,
    Cases,
    Plan,
    Drift,
    Weights,
    Risk,
    None,
}

/// One entry of the navigation.
#[derive(Clone, Copy, Debug)]
pub(super) struct NavEntry {
    pub(super) href: &'static str,
    pub(super) label: &'static str,
    pub(super) current: bool,
}

/// One item of the status line.
#[derive(Clone, Debug)]
pub(super) struct StatusItem {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) tone: &'static str,
}

/// A number that a page opens with.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: String,
}

impl Tile {
    pub(super) fn new(label: &'static str, value: impl Into<String>, note: impl Into<String>) -> Self {
        Self { label, value: value.into(), note: note.into() }
    }
}

/// What is around a page's content.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) subnet: String,
    pub(super) page: Page,
    pub(super) status: Vec<StatusItem>,
    pub(super) twin: Option<String>,
    pub(super) style: Style,
}

impl Frame {
    pub(super) fn new(api: &ApiState, page: Page, twin: Option<String>) -> Self {
        Self { subnet: format!("AML subnet {}", api.netuid), page, status: status(api), twin, style: Style }
    }

    pub(super) fn nav(&self) -> [NavEntry; 8] {
        let entry = |href, label, page| NavEntry { href, label, current: self.page == page };
        [
            entry("/", "Today", Page::Home),
            entry("/page/rounds", "Rounds", Page::Rounds),
            entry("/page/cases", "Cases", Page::Cases),
            entry("/page/plan", "Plan", Page::Plan),
            entry("/page/drift", "Drift", Page::Drift),
            entry("/page/risk", "Address risk", Page::Risk),
            entry("/page/miners", "Miners", Page::Leaderboard),
            entry("/page/weights", "Weights", Page::Weights),
        ]
    }
}

fn status(api: &ApiState) -> Vec<StatusItem> {
    if api.readiness.mirror {
        return vec![StatusItem { label: "Copy", value: "read-only, without the chain".to_owned(), tone: "" }];
    }
    let mut items = Vec::new();
    let Some(seen) = api.chain.current() else {
        return vec![StatusItem { label: "Chain", value: "not read yet".to_owned(), tone: "warn" }];
    };
    let age = api.clock.now().saturating_sub(seen.since);
    let tone = if age > api.readiness.head_age { "bad" } else { "" };
    let block = format!("{}, {}", whole(seen.block().0), ago(age.as_secs()));
    items.push(StatusItem { label: "Block", value: block, tone });
    let (value, tone) = match (seen.weights_age(), &seen.reading.stopped) {
        _ if !seen.registered() => ("hotkey is not registered".to_owned(), "bad"),
        _ if api.readiness.shadow => ("shadow mode, not set".to_owned(), ""),
        (_, Some(Preflight::NoPermit(_))) => ("no validator permit".to_owned(), "bad"),
        (_, Some(why)) => (format!("the chain takes none: {}", why.refusal().name()), "bad"),
        (Some(tempos), None) => {
            (format!("{tempos:.1} tempos old"), if tempos > api.readiness.weights_tempos { "bad" } else { "" })
        }
        (None, None) => ("not known".to_owned(), "warn"),
    };
    items.push(StatusItem { label: "Weights", value, tone });
    let neurons = seen.reading.metagraph.neurons.len() as u64;
    items.push(StatusItem { label: "Neurons", value: whole(neurons), tone: "" });
    items
}

/// A page as an answer.
pub(super) fn render(asked: &HeaderMap, page: &impl Template) -> Result<Response, ApiError> {
    let bytes = page.render().map_err(ApiError::internal)?.into_bytes();
    let mut response = reply::content(asked, Content { media_type: HTML, bytes, keep: Keep::Check });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy());
    Ok(response)
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: String,
    line: String,
    request_id: String,
}

/// An error as a page.
pub(in crate::api) fn error(error: &ApiError, request_id: &str) -> String {
    let title = error.code.status().canonical_reason().unwrap_or("Error").to_owned();
    let frame =
        Frame { subnet: "AML subnet".to_owned(), page: Page::None, status: Vec::new(), twin: None, style: Style };
    let page = ErrorPage { frame, title, line: error.line(), request_id: request_id.to_owned() };
    page.render().unwrap_or_else(|_| error.line())
}
