//! The page of plans: what a budget of reviews finds.

use std::fmt::Write as _;

use askama::Template;

use super::frame::{Frame, Tile};
use super::svg::Svg;
use super::text::{line, percent, whole};
use crate::api::plan::PlanAnswer;
use crate::readers::plan::{Budget, Estimate, OrderPlan, Slice};

/// Slices that are listed.
const SLICES: usize = 40;

/// The page.
#[derive(Template)]
#[template(path = "plan.html")]
pub(super) struct PlanPage {
    frame: Frame,
    reviews: String,
    precision: String,
    plan: Option<PlanView>,
    message: String,
}

struct PlanView {
    days: usize,
    tiles: Vec<Tile>,
    cut: String,
    chart: Svg,
    rows: Vec<BudgetRow>,
    slices: Vec<SliceRow>,
    orders: Vec<&'static str>,
}

struct BudgetRow {
    reviews: usize,
    found: String,
    found_between: String,
    precision: String,
    precision_between: String,
    recall: String,
    known: String,
    next: String,
    others: Vec<String>,
}

struct SliceRow {
    by: &'static str,
    name: String,
    alerts: String,
    reviewed: String,
    confirmed: String,
    precision: String,
    precision_between: String,
    recall: String,
}

impl PlanPage {
    pub(super) fn new(frame: Frame, asked: (&str, &str), told: Result<&PlanAnswer, String>) -> Self {
        let message = told.as_ref().err().cloned().unwrap_or_default();
        let plan = told.ok().map(PlanView::new);
        Self { frame, reviews: line(asked.0, 20), precision: line(asked.1, 20), plan, message }
    }
}

impl PlanView {
    fn new(answer: &PlanAnswer) -> Self {
        let others = answer.orders.get(1..).unwrap_or_default();
        let canonical = answer.orders.first().map(|order| order.budgets.as_slice()).unwrap_or_default();
        let row = |(at, budget): (usize, &Budget)| BudgetRow::new(budget, others, at);
        Self {
            days: answer.rounds.len(),
            tiles: tiles(answer),
            cut: cut(answer),
            chart: chart(&answer.orders),
            rows: canonical.iter().enumerate().map(row).collect(),
            slices: answer.slices.iter().take(SLICES).map(slice).collect(),
            orders: others.iter().map(|order| order.order).collect(),
        }
    }
}

impl BudgetRow {
    fn new(of: &Budget, others: &[OrderPlan], at: usize) -> Self {
        let other =
            |order: &OrderPlan| order.budgets.get(at).map(|budget| number(budget.found.value)).unwrap_or_default();
        Self {
            reviews: of.reviews,
            found: number(of.found.value),
            found_between: format!("{} to {}", number(of.found.low), number(of.found.high)),
            precision: percent(Some(of.precision.value)),
            precision_between: between(of.precision),
            recall: percent(Some(of.recall.value)),
            known: percent(Some(of.known)),
            next: number(of.next),
            others: others.iter().map(other).collect(),
        }
    }
}

fn tiles(answer: &PlanAnswer) -> Vec<Tile> {
    let team = &answer.team;
    let between_found = format!("{} to {} a day", number(team.found.low), number(team.found.high));
    vec![
        Tile::new("Confirmed cases a day", number(team.found.value), between_found),
        Tile::new("Of the reviewed", percent(Some(team.precision.value)), between(team.precision)),
        Tile::new("Of all confirmed", percent(Some(team.recall.value)), between(team.recall)),
        Tile::new("The next 100 reviews", number(team.next), "more a day"),
        Tile::new("Known", percent(Some(team.known)), "of the reviewed have an outcome"),
    ]
}

fn cut(answer: &PlanAnswer) -> String {
    let Some(cut) = &answer.cut else { return String::new() };
    let wanted = percent(Some(cut.wanted));
    match &cut.budget {
        Some(budget) => format!(
            "To have {wanted} of the reviewed confirmed, review the {} most urgent alerts a day: {} confirmed ones a day, {} of all.",
            budget.reviews,
            number(budget.found.value),
            percent(Some(budget.recall.value))
        ),
        None => format!("On these days no queue had {wanted} of the reviewed confirmed, not even the shortest one."),
    }
}

fn slice(of: &Slice) -> SliceRow {
    SliceRow {
        by: of.by,
        name: if of.name.is_empty() { "none".to_owned() } else { line(&of.name, 60) },
        alerts: number(of.alerts),
        reviewed: number(of.reviewed),
        confirmed: whole(of.confirmed),
        precision: percent(Some(of.precision.value)),
        precision_between: between(of.precision),
        recall: percent(Some(of.recall.value)),
    }
}

fn between(of: Estimate) -> String {
    format!("{:.0} to {:.0} %", of.low * 100.0, of.high * 100.0)
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

const WIDTH: f64 = 852.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 44.0;

/// Confirmed cases a day over reviews a day, an order a line; the canonical one with its interval.
fn chart(orders: &[OrderPlan]) -> Svg {
    let most = orders.iter().flat_map(|order| &order.budgets).map(|budget| budget.found.high).fold(0.0, f64::max);
    let furthest = orders.iter().flat_map(|order| &order.budgets).map(|budget| budget.reviews).max().unwrap_or(1);
    let x = |reviews: usize| LEFT + reviews as f64 / furthest as f64 * (WIDTH - LEFT - 90.0);
    let y = |value: f64| 12.0 + (1.0 - value / most.max(1.0)) * HEIGHT;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {h}\" role=\"img\" aria-label=\"Confirmed cases a day over reviews a day; the table below says the same\">",
        h = HEIGHT + 56.0
    );
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (value, reviews) = (part * most.max(1.0), part * furthest as f64);
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {ly:.1}H{end}\"/><text x=\"{tx}\" y=\"{ty:.1}\" text-anchor=\"end\">{value:.0}</text>\
             <text x=\"{bx:.1}\" y=\"{by}\" text-anchor=\"middle\">{reviews:.0}</text>",
            ly = y(value),
            end = WIDTH - 90.0,
            tx = LEFT - 6.0,
            ty = y(value) + 3.5,
            bx = LEFT + part * (WIDTH - LEFT - 90.0),
            by = HEIGHT + 30.0,
        );
    }
    if let Some(canonical) = orders.first() {
        let ends =
            |part: fn(&Budget) -> f64| canonical.budgets.iter().map(move |budget| (budget.reviews, part(budget)));
        let upper = ends(|budget| budget.found.high);
        let lower: Vec<(usize, f64)> = ends(|budget| budget.found.low).collect();
        let points = std::iter::once((0, 0.0)).chain(upper).chain(lower.into_iter().rev());
        let _ = write!(out, "<path class=\"band\" d=\"{}Z\"/>", path(points, (&x, &y)));
    }
    for (at, order) in orders.iter().enumerate() {
        let points = order.budgets.iter().map(|budget| (budget.reviews, budget.found.value));
        let class = if at == 0 { "best" } else { "rival" };
        let _ =
            write!(out, "<path class=\"{class}\" d=\"{}\"/>", path(std::iter::once((0, 0.0)).chain(points), (&x, &y)));
        if let Some(last) = order.budgets.last() {
            // Names of lines that end close to each other stand apart.
            let shift = 4.0 + at as f64 * 12.0;
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x(last.reviews) + 6.0,
                y(last.found.value) + shift,
                order.order
            );
        }
    }
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">reviews a day</text></svg>",
        WIDTH / 2.0 - 45.0,
        HEIGHT + 48.0
    );
    Svg::drawn(out)
}

fn path(points: impl Iterator<Item = (usize, f64)>, (x, y): (&impl Fn(usize) -> f64, &impl Fn(f64) -> f64)) -> String {
    let mut out = String::new();
    for (at, (reviews, value)) in points.enumerate() {
        let _ = write!(out, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x(reviews), y(value));
    }
    out
}
