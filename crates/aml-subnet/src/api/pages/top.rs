//! The most urgent alerts of a round as a table, with what is remembered of their addresses.

use super::miner::LINE;
use super::text::{encoded, line, link, percent, prose, score, short};
use crate::api::views::{CanonicalSummary, SeenBefore};
use crate::outputs::CanonicalRow;
use crate::readers::reasons::Effect;

/// A row of the table.
pub(super) struct TopRow {
    pub(super) rank: u32,
    pub(super) alert: String,
    pub(super) link: String,
    pub(super) address: String,
    pub(super) query: String,
    pub(super) short: String,
    pub(super) typology: String,
    pub(super) severity: String,
    pub(super) tone: &'static str,
    pub(super) probability: String,
    pub(super) interval: String,
    pub(super) score: String,
    pub(super) deviation: String,
    pub(super) marks: Vec<Mark>,
    /// The strongest reason that raises its score; empty where there is none.
    pub(super) reason: String,
}

/// Something to know of an address at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) text: String,
    pub(super) tone: &'static str,
}

/// The rows of a round.
pub(super) fn top_rows(round: &str, canonical: &CanonicalSummary) -> Vec<TopRow> {
    let seen = |row: &CanonicalRow| canonical.seen_before.iter().find(|seen| seen.alert_id == row.alert_id);
    canonical.top.iter().map(|row| top_row(round, row, seen(row))).collect()
}

/// The row of an alert of which nothing is remembered.
pub(super) fn row_of(round: &str, of: &CanonicalRow) -> TopRow {
    top_row(round, of, None)
}

fn top_row(round: &str, of: &CanonicalRow, seen: Option<&SeenBefore>) -> TopRow {
    TopRow {
        rank: of.rank,
        alert: line(&of.alert_id, LINE),
        link: link("alerts", round, &of.alert_id),
        address: line(&of.address, LINE),
        query: encoded(&of.address),
        short: line(&short(&of.address), 20),
        typology: line(&of.typology, LINE),
        severity: line(&of.severity, 20),
        tone: severity_tone(&of.severity),
        probability: percent(of.probability),
        interval: interval(of.probability_low, of.probability_high),
        score: score(of.score),
        deviation: score(of.deviation),
        marks: seen.map(marks).unwrap_or_default(),
        reason: first_reason(of),
    }
}

fn first_reason(of: &CanonicalRow) -> String {
    let mut raising = of.reasons.iter().flatten().filter(|reason| reason.effect == Effect::Raises);
    raising.next().map(|reason| prose(&reason.text, LINE)).unwrap_or_default()
}

/// An interval of a probability in percent.
pub(super) fn interval(low: Option<f64>, high: Option<f64>) -> String {
    low.zip(high).map_or_else(String::new, |(low, high)| format!("{:.0} to {:.0} %", low * 100.0, high * 100.0))
}

/// What is remembered of an address.
pub(super) fn marks(seen: &SeenBefore) -> Vec<Mark> {
    let mut marks = Vec::new();
    match seen.confirmed {
        Some(true) => marks.push(Mark { text: "confirmed before".to_owned(), tone: "bad" }),
        Some(false) => marks.push(Mark { text: "cleared before".to_owned(), tone: "good" }),
        None => {}
    }
    match seen.rounds.len() {
        0 => {}
        1 => marks.push(Mark { text: "in a top 10 of the week before".to_owned(), tone: "" }),
        times => marks.push(Mark { text: format!("in {times} top 10s of the week before"), tone: "" }),
    }
    marks
}

/// How a severity is coloured.
pub(super) fn severity_tone(severity: &str) -> &'static str {
    match severity {
        "critical" => "bad",
        "high" => "warn",
        _ => "",
    }
}
