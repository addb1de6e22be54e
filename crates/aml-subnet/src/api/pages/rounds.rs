//! The list of rounds.

use askama::Template;

use super::cases::cases_link;
use super::frame::Frame;
use super::svg::{Svg, bar};
use super::text::{NONE, when, whole};
use crate::api::views::{RoundBrief, RoundList};
use crate::store::records::Step;

/// The page.
#[derive(Template)]
#[template(path = "rounds.html")]
pub(super) struct Rounds {
    frame: Frame,
    later: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    /// Where its cases are; empty where it has no scores.
    cases: String,
    date: String,
    window: u16,
    step: &'static str,
    tone: &'static str,
    shadow: bool,
    alerts: String,
    accepted: usize,
    asked: usize,
    bar: Svg,
    published: String,
    settled: String,
    rules: String,
}

impl Rounds {
    pub(super) fn new(frame: Frame, list: &RoundList, later: bool) -> Self {
        Self {
            frame,
            later,
            rows: list.rounds.iter().map(row).collect(),
            next: list.next_before.as_ref().map(|before| format!("/page/rounds?before={before}")),
        }
    }
}

/// How a step is coloured.
pub(super) const fn tone(step: Step) -> &'static str {
    match step {
        Step::Settled => "good",
        _ => "",
    }
}

fn row(of: &RoundBrief) -> Row {
    let time = |at: &Option<String>| at.as_deref().map_or_else(|| NONE.to_owned(), when);
    let share = (of.asked > 0).then(|| of.accepted as f64 / of.asked as f64);
    Row {
        id: of.id.clone(),
        cases: if of.accepted > 0 { cases_link(&of.id, None, 0) } else { String::new() },
        date: of.date.clone(),
        window: of.window_days,
        step: of.step.name(),
        tone: tone(of.step),
        shadow: of.shadow,
        alerts: whole(of.alerts),
        accepted: of.accepted,
        asked: of.asked,
        bar: bar(share, ""),
        published: time(&of.published_at),
        settled: time(&of.settled_at),
        rules: of.rules.clone(),
    }
}
