//! One alert: what is known of it, for somebody who has to decide what to do with it.

use askama::Template;

use super::flow::FlowView;
use super::frame::{Frame, Tile};
use super::miner::LINE;
use super::sure::sure;
use super::text::{encoded, line, link, percent, prose, score, short, whole};
use super::top::{Mark, interval, marks, severity_tone};
use crate::api::dossier::facts::usd;
use crate::api::views::alert::{AlertDetail, ClusterLine, Evidence, Fact, Opinion, OtherAlert, OtherAlerts};
use crate::calendar::date_from;
use crate::readers::reasons::{Effect, Reason};

/// Characters of a description.
const PROSE: usize = 2_000;

/// The page.
#[derive(Template)]
#[template(path = "alert.html")]
pub(super) struct AlertPage {
    frame: Frame,
    round: String,
    date: String,
    alert: String,
    address: String,
    address_query: String,
    typology: String,
    severity: String,
    tone: &'static str,
    outcome: Option<Mark>,
    marks: Vec<Mark>,
    tiles: Vec<Tile>,
    sure: String,
    reasons: Vec<ReasonRow>,
    no_reasons: String,
    evidence: Option<EvidenceView>,
    batch_erased: bool,
    flow: Option<FlowView>,
    opinions: Vec<OpinionRow>,
    agreed: String,
    others: OthersView,
    mates: OthersView,
}

struct ReasonRow {
    text: String,
    raises: bool,
    support: String,
    code: String,
}

struct EvidenceView {
    description: String,
    alert: Vec<(String, String)>,
    address: Vec<(String, String)>,
    indicators: Vec<String>,
    clusters: Vec<ClusterRow>,
}

struct ClusterRow {
    name: String,
    link: String,
    about: String,
}

struct OpinionRow {
    hotkey: String,
    short: String,
    voice: String,
    score: String,
    above: String,
    agrees: bool,
}

/// Other alerts as a table.
pub(super) struct OthersView {
    pub(super) rows: Vec<OtherRow>,
    pub(super) more: usize,
}

/// One of them.
pub(super) struct OtherRow {
    pub(super) alert: String,
    pub(super) link: String,
    pub(super) day: String,
    pub(super) address: String,
    pub(super) query: String,
    pub(super) typology: String,
    pub(super) severity: String,
    pub(super) tone: &'static str,
    pub(super) probability: String,
    pub(super) score: String,
    pub(super) outcome: Option<Mark>,
}

impl AlertPage {
    pub(super) fn new(frame: Frame, detail: &AlertDetail) -> Self {
        let row = &detail.alert;
        let date = date_from(&detail.date).unwrap_or_default();
        Self {
            frame,
            round: detail.round.clone(),
            date: date.format("%-d %B %Y").to_string(),
            alert: line(&row.alert_id, LINE),
            address: line(&row.address, LINE),
            address_query: encoded(&row.address),
            typology: line(&row.typology, LINE),
            severity: line(&row.severity, 20),
            tone: severity_tone(&row.severity),
            outcome: outcome(detail.outcome.map(|outcome| outcome.confirmed)),
            marks: detail.seen_before.as_ref().map(marks).unwrap_or_default(),
            tiles: tiles(detail),
            sure: sure(detail.calibration.as_ref()),
            reasons: row.reasons.iter().flatten().map(reason).collect(),
            no_reasons: detail.no_reasons.clone().unwrap_or_default(),
            evidence: detail.evidence.as_ref().map(|evidence| EvidenceView::new(&detail.round, evidence)),
            batch_erased: detail.batch_erased,
            flow: detail.flows.as_ref().map(FlowView::new),
            opinions: detail.opinions.iter().flatten().map(opinion).collect(),
            agreed: agreed(detail),
            others: OthersView::new(&detail.same_address),
            mates: OthersView::new(&detail.same_clusters),
        }
    }
}

fn tiles(detail: &AlertDetail) -> Vec<Tile> {
    let row = &detail.alert;
    let between = interval(row.probability_low, row.probability_high);
    let note = if between.is_empty() { "too little is known".to_owned() } else { between };
    let rank = format!("{} of {}", whole(row.rank.into()), whole(detail.of as u64));
    vec![
        Tile::new("Probability", percent(row.probability), note),
        Tile::new("Score", score(row.score), format!("± {} between {} miners", score(row.deviation), row.miners)),
        Tile::new("Rank", rank, format!("above {:.1} % of the day", detail.above * 100.0)),
    ]
}

/// What became known, as a mark.
fn outcome(confirmed: Option<bool>) -> Option<Mark> {
    confirmed.map(|confirmed| match confirmed {
        true => Mark { text: "confirmed illicit".to_owned(), tone: "bad" },
        false => Mark { text: "cleared".to_owned(), tone: "good" },
    })
}

/// How many agreed, in a sentence.
fn agreed(detail: &AlertDetail) -> String {
    let Some(opinions) = &detail.opinions else {
        return "What single miners said is shown once the round is settled, where it is kept: before that it would help those who copy."
            .to_owned();
    };
    let (mut voice, mut count) = (0.0, 0);
    for opinion in opinions.iter().filter(|opinion| opinion.agrees) {
        voice += opinion.voice;
        count += 1;
    }
    format!(
        "{count} of {} miners with a voice, {:.0} % of all voices, put the alert within a tenth of where the canonical score puts it.",
        opinions.len(),
        voice * 100.0
    )
}

/// A reason as a row: the catalogue's words, the batch's value, no text of a miner.
fn reason(of: &Reason) -> ReasonRow {
    ReasonRow {
        text: capital(&prose(&of.text, LINE)),
        raises: of.effect == Effect::Raises,
        support: format!("{:.0} %", of.support * 100.0),
        code: of.code.clone(),
    }
}

/// The first letter as at the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn opinion(of: &Opinion) -> OpinionRow {
    OpinionRow {
        hotkey: of.hotkey.clone(),
        short: short(&of.hotkey),
        voice: percent(Some(of.voice)),
        score: score(of.score),
        above: format!("above {:.1} %", of.above * 100.0),
        agrees: of.agrees,
    }
}

/// Facts as pairs of meaning and value, a stranger's texts flattened.
pub(super) fn pairs(facts: &[Fact]) -> Vec<(String, String)> {
    facts.iter().map(|fact| (line(&fact.meaning, 100), prose(&fact.value, 400))).collect()
}

impl EvidenceView {
    fn new(round: &str, of: &Evidence) -> Self {
        let cluster = |cluster: &ClusterLine| ClusterRow {
            name: line(&cluster.cluster_id, LINE),
            link: link("clusters", round, &cluster.cluster_id),
            about: about(cluster),
        };
        let mut alert = pairs(&of.alert);
        alert.extend(pairs(&of.details));
        Self {
            description: prose(&of.description, PROSE),
            alert,
            address: pairs(&of.address),
            indicators: of.indicators.iter().map(|name| line(name, 80)).collect(),
            clusters: of.clusters.iter().map(cluster).collect(),
        }
    }
}

/// A cluster in few words.
fn about(of: &ClusterLine) -> String {
    let money = of.volume_usd.map(|volume| format!(", {}", usd(volume))).unwrap_or_default();
    let kind = line(&of.kind.replace('_', " "), 40);
    format!("{kind}: {} alerts, {} addresses{money}", of.alerts, of.addresses)
}

impl OthersView {
    pub(super) fn new(of: &OtherAlerts) -> Self {
        let row = |of: &OtherAlert| OtherRow {
            alert: line(&of.alert_id, LINE),
            link: link("alerts", &of.round, &of.alert_id),
            day: of
                .round
                .split_once('-')
                .and_then(|(_, rest)| rest.get(..10))
                .map(super::text::day)
                .unwrap_or_default(),
            address: line(&short(&of.address), 20),
            query: encoded(&of.address),
            typology: line(&of.typology, LINE),
            severity: line(&of.severity, 20),
            tone: severity_tone(&of.severity),
            probability: percent(of.probability),
            score: score(of.score),
            outcome: outcome(of.confirmed),
        };
        Self { rows: of.alerts.iter().map(row).collect(), more: of.more }
    }
}
