//! One round in full.

use askama::Template;

use super::cases::cases_link;
use super::frame::{Frame, Tile};
use super::miner::{LINE, tone as outcome_tone};
use super::rounds::tone as step_tone;
use super::sure::{HeldView, sure};
use super::svg::{Svg, histogram};
use super::text::{NONE, bytes, line, maybe, percent, score, short, took, when, whole};
use super::top::{TopRow, top_rows};
use crate::api::views::known::Measures;
use crate::api::views::round::GroupResult;
use crate::api::views::{CanonicalSummary, RoundDetail, RoundMiner};
use crate::calendar::date_from;

/// The page.
#[derive(Template)]
#[template(path = "round.html")]
pub(super) struct RoundPage {
    frame: Frame,
    id: String,
    day: String,
    date: String,
    window: u16,
    step: &'static str,
    tone: &'static str,
    shadow: bool,
    alerts: String,
    timeline: Vec<Mark>,
    tiles: Vec<Tile>,
    has_scores: bool,
    /// Where its cases are.
    cases: String,
    histogram: Svg,
    top: Vec<TopRow>,
    miners: Vec<MinerRow>,
    outcomes: Option<Outcomes>,
    sure: String,
    held: Option<HeldView>,
    batch: String,
    rules: String,
    commitment: Option<String>,
    salt: Option<String>,
}

struct Mark {
    label: &'static str,
    time: String,
    done: bool,
}

struct MinerRow {
    hotkey: String,
    short: String,
    uid: u16,
    outcome: &'static str,
    tone: &'static str,
    reason: String,
    tiers: (String, String, String),
    score: String,
    weight: String,
    took: String,
    traffic: String,
    model: String,
}

struct Outcomes {
    illicit: String,
    clean: String,
    rows: Vec<OutcomeRow>,
}

struct OutcomeRow {
    hotkey: String,
    short: String,
    auc: String,
    brier: String,
    log_loss: String,
    ece: String,
    ndcg: String,
    tier3: String,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    share: String,
    verdict: &'static str,
    mark: char,
    tone: &'static str,
}

impl RoundPage {
    pub(super) fn new(frame: Frame, detail: &RoundDetail) -> Self {
        let round = &detail.round;
        let date = date_from(&round.date).unwrap_or_default();
        let canonical = detail.canonical.as_ref();
        Self {
            frame,
            id: round.id.clone(),
            day: round.date.clone(),
            date: date.format("%-d %B %Y").to_string(),
            window: round.window_days,
            step: round.step.name(),
            tone: step_tone(round.step),
            shadow: round.shadow,
            alerts: whole(round.alerts),
            timeline: timeline(detail),
            tiles: tiles(detail),
            has_scores: canonical.is_some(),
            cases: cases_link(&round.id, None, 0),
            histogram: canonical.map(|canonical| histogram(&canonical.histogram)).unwrap_or_default(),
            top: canonical.map(|canonical| top_rows(&round.id, canonical)).unwrap_or_default(),
            miners: detail.miners.iter().map(miner).collect(),
            outcomes: outcomes(detail),
            sure: sure(detail.calibration.as_ref()),
            held: detail.held.as_ref().map(HeldView::new),
            batch: round.batch.clone(),
            rules: round.rules.clone(),
            commitment: detail.commitment.clone(),
            salt: detail.salt.clone(),
        }
    }
}

fn timeline(detail: &RoundDetail) -> Vec<Mark> {
    let round = &detail.round;
    let mark = |label, at: Option<&str>, pending: &str| Mark {
        label,
        done: at.is_some(),
        time: at.map_or_else(|| pending.to_owned(), when),
    };
    let mut marks =
        vec![mark("Opened", Some(&round.opened_at), ""), mark("Deadline", round.deadline_at.as_deref(), "no deadline")];
    marks.extend(round.answers_open_at.as_deref().map(|at| mark("Answers unsealed", Some(at), "")));
    marks.push(mark("Published", round.published_at.as_deref(), "not yet"));
    marks.push(mark("Settled", round.settled_at.as_deref(), &open(detail)));
    marks
}

/// What a round that is not settled waits for.
fn open(detail: &RoundDetail) -> String {
    match (&detail.set_aside, &detail.known) {
        (Some(why), _) => why.clone(),
        (None, None) => "when enough outcomes are known".to_owned(),
        (None, Some(known)) => {
            let as_of = known.as_of.as_deref().map_or_else(String::new, |time| format!(", as of {}", when(time)));
            let (outcomes, illicit) = (known.outcomes, known.illicit);
            format!("when no outcome can come any more: {outcomes} outcomes, {illicit} illicit{as_of}")
        }
    }
}

fn tiles(detail: &RoundDetail) -> Vec<Tile> {
    let round = &detail.round;
    let of = |canonical: &CanonicalSummary| {
        vec![
            Tile::new("Mean score", score(canonical.mean), format!("± {} between miners", score(canonical.deviation))),
            Tile::new("Contributors", canonical.contributors.to_string(), "to the canonical scores"),
        ]
    };
    let mut tiles = vec![Tile::new("Accepted", format!("{} of {}", round.accepted, round.asked), "miners")];
    tiles.extend(detail.canonical.as_ref().map(of).unwrap_or_default());
    if let Some(measured) = detail.settlement.as_ref().and_then(|settled| settled.canonical) {
        tiles.push(Tile::new("AUC", score(measured.auc), "of the canonical scores"));
    }
    tiles
}

fn miner(of: &RoundMiner) -> MinerRow {
    let brief = &of.brief;
    MinerRow {
        hotkey: of.hotkey.clone(),
        short: short(&of.hotkey),
        uid: brief.uid,
        outcome: brief.outcome.label(),
        tone: outcome_tone(brief.outcome),
        reason: brief.note().map(|note| line(&note, LINE)).unwrap_or_default(),
        tiers: (maybe(brief.tier1), maybe(brief.tier2), maybe(brief.tier3)),
        score: score(brief.score),
        weight: percent(of.weight),
        took: took(brief.took_ms),
        traffic: brief.traffic.as_ref().map_or_else(
            || NONE.to_owned(),
            |of| {
                let packed = if of.task_form == "json" { "" } else { " packed" };
                format!("{}{packed} / {}", bytes(of.sent_bytes), bytes(of.received_bytes))
            },
        ),
        model: brief.model_version.as_deref().map(|version| line(version, LINE)).unwrap_or_default(),
    }
}

fn outcomes(detail: &RoundDetail) -> Option<Outcomes> {
    let settled = detail.settlement.as_ref()?;
    let canonical = settled.canonical.map(|measured| outcome_row("", Some(measured), &[]));
    let miners = detail.miners.iter().filter(|miner| miner.settlement.is_some() || !miner.groups.is_empty());
    let miners = miners.map(|miner| outcome_row(&miner.hotkey, miner.settlement, &miner.groups));
    Some(Outcomes {
        illicit: whole(settled.illicit as u64),
        clean: whole(settled.clean as u64),
        rows: canonical.into_iter().chain(miners).collect(),
    })
}

fn outcome_row(hotkey: &str, measured: Option<Measures>, groups: &[GroupResult]) -> OutcomeRow {
    let of = |part: fn(&Measures) -> f64| maybe(measured.as_ref().map(part));
    let group = |group: &GroupResult| Group {
        name: line(&group.name, 40),
        share: percent(Some(group.share)),
        verdict: if group.passed { "passed" } else { "missed" },
        mark: if group.passed { '✓' } else { '✗' },
        tone: if group.passed { "good" } else { "bad" },
    };
    OutcomeRow {
        hotkey: hotkey.to_owned(),
        short: short(hotkey),
        auc: of(|m| m.auc),
        brier: of(|m| m.brier),
        log_loss: of(|m| m.log_loss),
        ece: of(|m| m.ece),
        ndcg: of(|m| m.ndcg),
        tier3: of(|m| m.score),
        groups: groups.iter().map(group).collect(),
    }
}
