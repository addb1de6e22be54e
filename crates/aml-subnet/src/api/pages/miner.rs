//! One miner with its history.

use askama::Template;

use super::frame::{Frame, Tile};
use super::svg::{Stack, Svg, stacks};
use super::text::{day, line, maybe, percent, score, short, took, when};
use crate::api::views::{MinerDetail, MinerInformation, MinerOutcome, MinerRound};
use crate::validation::rules::Rules;

/// Characters of a stranger's text that a table shows.
pub(super) const LINE: usize = 160;

/// The page.
#[derive(Template)]
#[template(path = "miner.html")]
pub(super) struct Miner {
    frame: Frame,
    hotkey: String,
    short: String,
    tiles: Vec<Tile>,
    chart: Svg,
    rows: Vec<Row>,
    facts: Vec<(&'static str, String)>,
    next: Option<String>,
    why: Vec<String>,
    parts: Vec<(&'static str, String)>,
}

struct Row {
    round: String,
    day: String,
    shadow: bool,
    outcome: &'static str,
    tone: &'static str,
    reason: String,
    tiers: (String, String, String),
    score: String,
    took: String,
    model: String,
}

impl Miner {
    pub(super) fn new(frame: Frame, detail: &MinerDetail, rules: &Rules) -> Self {
        let oldest_first: Vec<Stack> = detail.rounds.iter().rev().map(|round| stack(round, rules)).collect();
        Self {
            frame,
            hotkey: detail.hotkey.clone(),
            short: short(&detail.hotkey),
            tiles: tiles(detail),
            chart: stacks(&oldest_first),
            rows: detail.rounds.iter().map(row).collect(),
            facts: facts(detail),
            why: detail.information.as_ref().map(|of| why(of, detail.registration_price_tao)).unwrap_or_default(),
            parts: detail.information.as_ref().map(parts).unwrap_or_default(),
            next: detail.next_before.as_ref().map(|before| format!("/page/miners/{}?before={before}", detail.hotkey)),
        }
    }
}

/// How an outcome is coloured.
pub(super) const fn tone(outcome: MinerOutcome) -> &'static str {
    match outcome {
        MinerOutcome::Accepted => "good",
        MinerOutcome::Rejected | MinerOutcome::TooLarge => "bad",
        MinerOutcome::Refused | MinerOutcome::TimedOut | MinerOutcome::Unreachable => "warn",
        MinerOutcome::NotServing | MinerOutcome::NotAsked => "",
    }
}

fn tiles(detail: &MinerDetail) -> Vec<Tile> {
    let Some(of) = &detail.standing else {
        return vec![Tile::new("Performance", "–", "no round in the last days")];
    };
    vec![
        Tile::new("Performance", score(of.performance), format!("rank {}", of.rank)),
        Tile::new("Integrity", maybe(of.tier1), "mean of tier 1"),
        Tile::new("Traps", maybe(of.tier2), "mean of tier 2"),
        Tile::new("Outcomes", maybe(of.tier3), format!("mean of tier 3, {} settled", of.settled)),
        Tile::new("Weight", percent(of.share), of.uid.map_or("not registered".to_owned(), |uid| format!("uid {uid}"))),
    ]
}

/// What is said in words of its pay; who is new is told what a registration costs.
fn why(of: &MinerInformation, price: Option<f64>) -> Vec<String> {
    let price = of.first_days.as_ref().and(price).map(|tao| format!("A registration costs {tao} TAO now."));
    of.why.iter().map(|why| why.text.clone()).chain(of.first_days.clone()).chain(price).collect()
}

/// What these words are made of.
fn parts(of: &MinerInformation) -> Vec<(&'static str, String)> {
    let muted = of.muted.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    vec![
        ("Share of pay", percent(Some(of.share))),
        ("Voice in the round's scores", percent(Some(of.voice)) + &muted),
        ("Correlation with outcomes (b)", format!("{:.4}, of which {:.4} may be chance", of.b, of.z_error)),
        ("Beyond chance (c)", format!("{:.4}", of.c)),
        ("Weight (w)", format!("{:.6}", of.w)),
        ("Mass", format!("{:.3}", of.mass)),
        ("Points", format!("{:.6}", of.points)),
        (
            "Quality",
            format!(
                "{:.3} (integrity {:.3}, traps {}, calibration {:.3})",
                of.quality,
                of.tier1,
                maybe(of.traps),
                of.calibration
            ),
        ),
        ("Newest rounds in which it was alive", percent(Some(of.lately))),
        ("Rounds with outcomes in which it counted", format!("{} ({})", of.counted, percent(Some(of.part)))),
        ("Outcomes known", format!("{:.0}, {:.0} of them illicit", of.outcomes, of.illicit)),
    ]
}

fn facts(detail: &MinerDetail) -> Vec<(&'static str, String)> {
    let similarity = detail.rounds.iter().find_map(|round| round.brief.observations.similarity);
    let agreement = detail.rounds.iter().find_map(|round| round.brief.observations.agreement);
    let mut facts = vec![
        ("First seen", detail.first_seen_at.as_deref().map_or("not recorded".to_owned(), when)),
        ("Receipt key", detail.receipt_key.clone().unwrap_or_else(|| "none yet".to_owned())),
        ("Likeness to the nearest other miner", maybe(similarity)),
        ("Agreement with its own day before", maybe(agreement)),
    ];
    if detail.failures > 0 {
        let until = detail
            .left_alone_until
            .as_deref()
            .map_or_else(String::new, |at| format!(", left alone until {}", when(at)));
        facts.push(("Failures in a row", format!("{}{until}", detail.failures)));
    }
    facts
}

fn stack(of: &MinerRound, rules: &Rules) -> Stack {
    let counts = of.brief.outcome == MinerOutcome::Accepted;
    let part = |weight: f64, share: Option<f64>| if counts { weight * share.unwrap_or(0.0) } else { 0.0 };
    let parts =
        [part(rules.tier1, of.brief.tier1), part(rules.tier2, of.brief.tier2), part(rules.tier3, of.brief.tier3)];
    let label = format!("{}: {}, {}", day(&of.date), score(of.brief.score), of.brief.outcome.label());
    Stack { label, parts, settled: of.settled }
}

fn row(of: &MinerRound) -> Row {
    let brief = &of.brief;
    Row {
        round: of.round.clone(),
        day: day(&of.date),
        shadow: of.shadow,
        outcome: brief.outcome.label(),
        tone: tone(brief.outcome),
        reason: brief.note().map(|note| line(&note, LINE)).unwrap_or_default(),
        tiers: (maybe(brief.tier1), maybe(brief.tier2), maybe(brief.tier3)),
        score: score(brief.score),
        took: took(brief.took_ms),
        model: brief.model_version.as_deref().map(|version| line(version, LINE)).unwrap_or_default(),
    }
}
