//! The page of drift and slices: months side by side, and which slices fell.

use askama::Template;

use super::frame::{Frame, Tile};
use super::svg::{self, Svg};
use super::text::{NONE, line, maybe, percent, score, whole};
use crate::api::drift::DriftAnswer;
use crate::readers::drift::{Fall, Figures, Measure, Month, Slice};

/// Slices that are listed.
const SLICES: usize = 120;

/// The page.
#[derive(Template)]
#[template(path = "drift.html")]
pub(super) struct DriftPage {
    frame: Frame,
    drift: Option<DriftView>,
    message: String,
}

struct DriftView {
    reviews: usize,
    tiles: Vec<Tile>,
    falls: Vec<FallRow>,
    verdict: String,
    months: Vec<MonthRow>,
    charts: Vec<Chart>,
    of_slices: String,
    slices: Vec<SliceRow>,
    left_out: usize,
}

struct FallRow {
    by: &'static str,
    name: String,
    figure: &'static str,
    before: String,
    now: String,
    chance: String,
}

struct MonthRow {
    month: String,
    rounds: String,
    alerts: String,
    mean: String,
    psi: String,
    outcomes: String,
    auc: String,
    auc_between: String,
    precision: String,
    precision_between: String,
    error: String,
    fell: String,
}

struct Chart {
    month: String,
    drawing: Svg,
}

struct SliceRow {
    by: &'static str,
    name: String,
    share: String,
    outcomes: String,
    auc: String,
    auc_before: String,
    precision: String,
    precision_before: String,
    told: String,
    came: String,
    fell: bool,
}

impl DriftPage {
    pub(super) fn new(frame: Frame, told: Result<&DriftAnswer, String>) -> Self {
        let message = told.as_ref().err().cloned().unwrap_or_default();
        Self { frame, drift: told.ok().map(DriftView::new), message }
    }
}

impl DriftView {
    fn new(answer: &DriftAnswer) -> Self {
        let compared = answer.compared.as_ref();
        let of_falls = compared.and_then(|name| answer.months.iter().find(|month| month.month == *name));
        // Slices are those of the month that was compared, else of the newest.
        let shown = of_falls.or_else(|| answer.months.first());
        let slices = shown.map(|month| month.slices.as_slice()).unwrap_or_default();
        let falls = of_falls.map(|month| month.falls.as_slice()).unwrap_or_default();
        Self {
            reviews: answer.reviews,
            tiles: answer.months.first().map(|newest| tiles(newest, answer.reviews)).unwrap_or_default(),
            falls: falls.iter().map(fall).collect(),
            verdict: verdict(of_falls),
            months: answer.months.iter().map(month).collect(),
            charts: answer.months.iter().take(2).map(chart).collect(),
            of_slices: shown.map(|month| month.month.clone()).unwrap_or_default(),
            slices: slices.iter().take(SLICES).map(|of| slice(of, falls)).collect(),
            left_out: slices.len().saturating_sub(SLICES),
        }
    }
}

fn verdict(of: Option<&Month>) -> String {
    match of {
        None => "No slice can be held against a month before yet: that takes outcomes of settled rounds in two months."
            .to_owned(),
        Some(month) if month.falls.is_empty() => {
            format!("None of the {} figures that can be compared fell in {}.", month.compared, month.month)
        }
        Some(month) => format!("{} of {} figures fell in {}.", month.falls.len(), month.compared, month.month),
    }
}

fn tiles(of: &Month, reviews: usize) -> Vec<Tile> {
    let figures = &of.figures;
    let between = |measure: Option<Measure>| measure.map_or_else(|| "too few outcomes".to_owned(), |one| range(&one));
    vec![
        Tile::new("Rounds", of.rounds.to_string(), format!("in {}, {} settled", of.month, of.settled)),
        Tile::new("AUC", value(figures.auc), between(figures.auc)),
        Tile::new("Precision", value(figures.precision), format!("of {reviews} reviews a day")),
        Tile::new("Calibration error", maybe(figures.calibration_error), "told against came, ten parts"),
        Tile::new("Top tenth", percent(figures.top.map(|top| top.came)), top_told(figures)),
        Tile::new("Resolution", finely(figures.resolution), format!("raw scores {}", finely(figures.score_resolution))),
        Tile::new("Stability index", maybe(of.psi), "of scores, against the month before"),
    ]
}

fn top_told(of: &Figures) -> String {
    of.top.map_or_else(|| "too few outcomes".to_owned(), |top| format!("came, {} were told", percent(Some(top.told))))
}

fn finely(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.4}"))
}

fn fall(of: &Fall) -> FallRow {
    FallRow {
        by: of.by,
        name: named(&of.name),
        figure: of.figure,
        before: score(of.before),
        now: score(of.now),
        chance: score(of.chance),
    }
}

fn month(of: &Month) -> MonthRow {
    let figures = &of.figures;
    MonthRow {
        month: of.month.clone(),
        rounds: format!("{} / {}", of.settled, of.rounds),
        alerts: whole(figures.alerts),
        mean: score(figures.score),
        psi: maybe(of.psi),
        outcomes: whole(figures.outcomes),
        auc: value(figures.auc),
        auc_between: figures.auc.as_ref().map(range).unwrap_or_default(),
        precision: value(figures.precision),
        precision_between: figures.precision.as_ref().map(range).unwrap_or_default(),
        error: maybe(figures.calibration_error),
        fell: if of.compared > 0 { format!("{} of {}", of.falls.len(), of.compared) } else { NONE.to_owned() },
    }
}

fn chart(of: &Month) -> Chart {
    Chart { month: of.month.clone(), drawing: svg::histogram(&of.scores) }
}

fn slice(of: &Slice, falls: &[Fall]) -> SliceRow {
    let figures = &of.figures;
    SliceRow {
        by: of.by,
        name: if of.rest { "all others".to_owned() } else { named(&of.name) },
        share: percent(Some(of.share)),
        outcomes: whole(figures.outcomes),
        auc: value(figures.auc),
        auc_before: value(of.auc_before),
        precision: value(figures.precision),
        precision_before: value(of.precision_before),
        told: percent(figures.told),
        came: percent(figures.came),
        fell: !of.rest && falls.iter().any(|fall| fall.by == of.by && fall.name == of.name),
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "none".to_owned() } else { line(name, 60) }
}

fn value(of: Option<Measure>) -> String {
    maybe(of.map(|measure| measure.value))
}

fn range(of: &Measure) -> String {
    format!("{:.3} to {:.3}", of.low, of.high)
}
