//! The risk of an address.

use askama::Template;

use super::frame::{Frame, Tile};
use super::miner::LINE;
use super::text::{line, link, score};
use super::top::severity_tone;
use crate::api::risk::{MAX_ADDRESS, RiskAlert, RiskAnswer};

/// The page.
#[derive(Template)]
#[template(path = "risk.html")]
pub(super) struct Risk {
    frame: Frame,
    days: usize,
    address: String,
    found: Option<Found>,
    message: String,
}

struct Found {
    tiles: Vec<Tile>,
    rows: Vec<Row>,
}

struct Row {
    alert: String,
    link: String,
    typology: String,
    severity: String,
    tone: &'static str,
    round: String,
    score: String,
}

impl Risk {
    pub(super) fn new(frame: Frame, address: &str, found: Option<&Result<RiskAnswer, String>>) -> Self {
        let message = found.and_then(|found| found.as_ref().err()).cloned().unwrap_or_default();
        let found = found.and_then(|found| found.as_ref().ok());
        Self {
            frame,
            days: found.map_or(30, |found| found.days),
            address: line(address, MAX_ADDRESS),
            found: found.map(|answer| Found { tiles: tiles(answer), rows: answer.alerts.iter().map(row).collect() }),
            message,
        }
    }
}

fn tiles(of: &RiskAnswer) -> Vec<Tile> {
    vec![
        Tile::new("Risk", score(of.risk), "from 0 to 1"),
        Tile::new("Highest score", score(of.highest), "of its alerts"),
        Tile::new("Mean", score(of.mean), "weighted by severity"),
        Tile::new("Any", score(of.any), "at least one case is right"),
        Tile::new(
            "Alerts",
            of.alerts.len().to_string(),
            match of.cases {
                1 => "in one case".to_owned(),
                cases => format!("in {cases} cases"),
            },
        ),
    ]
}

fn row(of: &RiskAlert) -> Row {
    Row {
        alert: line(&of.alert_id, LINE),
        link: link("alerts", &of.round, &of.alert_id),
        typology: line(&of.typology, LINE),
        severity: line(&of.severity, 20),
        tone: severity_tone(&of.severity),
        round: of.round.clone(),
        score: score(of.score),
    }
}
