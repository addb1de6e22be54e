//! The page: no scripts, no outside assets, light or dark as the reader's system has it.

use super::compared::section as section_of_verdicts;
use super::figures::{Axes, DrawError, Line, Stack, lines, ranked, stacked};
use super::markup::{escaped, put};
use super::model::{Bar, ModelReport, Reliability};
use crate::training::compare::Comparison;
use crate::training::evaluation::Slice;

const STYLE: &str = "
:root { color-scheme: light dark; --soft: #8883; --warn: #d6601433; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem } h2 { margin-top: 3rem; border-bottom: 1px solid var(--soft) } h3 { font-size: 1rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--soft) }
td:first-child, th:first-child { text-align: left } figure { margin: 0 } figcaption { font-weight: 600 }
.figures { display: flex; flex-wrap: wrap; gap: 1.5rem } .warning { background: var(--warn); padding: .4rem .8rem; margin: .4rem 0 }
.verdict { font-weight: 600; padding: .4rem .8rem; border-left: .3rem solid #1f77c8 } .open { padding: .4rem .8rem; border-left: .3rem solid var(--soft) }
.orange { color: #d66014 } .blue { color: #1f77c8 }";

/// The whole page.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn html(models: &[ModelReport]) -> Result<String, DrawError> {
    compared(&[], models)
}

/// The whole page, which begins with verdicts.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn compared(comparisons: &[Comparison], models: &[ModelReport]) -> Result<String, DrawError> {
    let mut verdicts = String::new();
    section_of_verdicts(&mut verdicts, comparisons);
    with_section(&verdicts, models)
}

/// The whole page, which begins with a section: our own markup.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn with_section(first: &str, models: &[ModelReport]) -> Result<String, DrawError> {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    put(&mut page, format_args!("<title>Model report</title><style>{STYLE}</style></head><body><h1>Model report</h1>"));
    page.push_str(first);
    for model in models {
        section(&mut page, model)?;
    }
    page.push_str("</body></html>\n");
    Ok(page)
}

fn section(page: &mut String, model: &ModelReport) -> Result<(), DrawError> {
    let (name, version) = (escaped(&model.model), escaped(&model.version));
    put(page, format_args!("<section><h2>{name} <small>{version}</small></h2>"));
    let evaluation = &model.evaluation;
    let period = evaluation.period.as_ref().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
    put(
        page,
        format_args!(
            "<p>Made {}. Calibration: {}. Measured on {} rows{period}, {} of them illicit.</p>",
            escaped(&model.created_at),
            escaped(&model.calibration),
            evaluation.rows,
            evaluation.positives
        ),
    );
    for warning in &evaluation.warnings {
        put(page, format_args!("<p class=\"warning\">{}</p>", escaped(warning)));
    }
    metrics(page, model);
    page.push_str("<div class=\"figures\">");
    curves(page, model)?;
    lists(page, model)?;
    page.push_str("</div>");
    slices(page, "By typology", &evaluation.by_typology);
    slices(page, "By day", &evaluation.by_day);
    page.push_str("</section>");
    Ok(())
}

fn metrics(page: &mut String, model: &ModelReport) {
    page.push_str("<table><tr><th>metric<th>model<th>95 % interval<th>alert's confidence<th>base rate</tr>");
    for (name, figure) in &model.evaluation.metrics {
        let value = figure.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
        let within =
            figure.interval.map_or_else(String::new, |within| format!("{:.4} to {:.4}", within.low, within.high));
        let of = |baseline: Option<&f64>| baseline.map_or_else(String::new, |value| format!("{value:.4}"));
        let confidence = of(model.evaluation.confidence_baseline.get(name));
        let base = of(model.evaluation.base_rate_baseline.get(name));
        let name = escaped(name);
        put(page, format_args!("<tr><td>{name}<td>{value}<td>{within}<td>{confidence}<td>{base}</tr>"));
    }
    page.push_str("</table>");
}

fn curves(page: &mut String, model: &ModelReport) -> Result<(), DrawError> {
    let unit = |x, y| Axes { x, y, x_range: (0.0, 1.0), y_range: (0.0, 1.0) };
    let line = |name: &str, points: Vec<(f64, f64)>| Line { name: name.to_owned(), points, dots: false };
    let diagonal = || vec![(0.0, 0.0), (1.0, 1.0)];
    let roc = vec![line("model", model.roc.clone()), line("chance", diagonal())];
    figure(page, "ROC", &lines(&unit("false positive rate", "true positive rate"), roc)?);
    let curve = vec![line("model", model.precision_recall.clone())];
    figure(page, "Precision and recall", &lines(&unit("recall", "precision"), curve)?);
    if !model.reliability.is_empty() {
        let point = |bin: &Reliability| (bin.mean_probability, bin.positive_share);
        let points = model.reliability.iter().map(point).collect();
        let both = vec![Line { name: "model".to_owned(), points, dots: true }, line("perfect", diagonal())];
        figure(page, "Reliability", &lines(&unit("probability given", "share illicit"), both)?);
    }
    histogram(page, model)?;
    learning(page, model)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn histogram(page: &mut String, model: &ModelReport) -> Result<(), DrawError> {
    let stack =
        |bar: &Bar| Stack { from: bar.from, to: bar.to, lower: bar.positives as f64, upper: bar.negatives as f64 };
    let bars: Vec<Stack> = model.histogram.iter().map(stack).collect();
    let most = bars.iter().map(|bar| bar.lower + bar.upper).fold(0.0, f64::max);
    let x_range = (bars.first().map_or(0.0, |bar| bar.from), bars.last().map_or(1.0, |bar| bar.to));
    let axes = Axes { x: "score", y: "rows", x_range, y_range: (0.0, most) };
    let caption = "Scores (<span class=\"orange\">illicit</span>, <span class=\"blue\">other</span>)";
    figure(page, caption, &stacked(&axes, &bars)?);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rounds are small")]
fn learning(page: &mut String, model: &ModelReport) -> Result<(), DrawError> {
    let curve = &model.learning_curve;
    let Some(last) = curve.last() else { return Ok(()) };
    let of = |pick: fn(&crate::training::boost::Round) -> Option<f64>| -> Vec<(f64, f64)> {
        curve.iter().filter_map(|round| Some((round.round as f64, pick(round)?))).collect()
    };
    let (validation, train) = (of(|round| round.validation), of(|round| round.train));
    let values = || validation.iter().chain(&train).map(|point| point.1);
    let range = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let axes = Axes { x: "round", y: "metric", x_range: (0.0, last.round as f64), y_range: range };
    let both = [("validation", validation), ("training", train)];
    let both = both.map(|(name, points)| Line { name: name.to_owned(), points, dots: false });
    figure(page, &format!("Learning curve (round {} kept)", last.best), &lines(&axes, Vec::from(both))?);
    Ok(())
}

fn lists(page: &mut String, model: &ModelReport) -> Result<(), DrawError> {
    let gains: Vec<(String, f64)> = model.importance.iter().map(|line| (line.feature.clone(), line.gain)).collect();
    if !gains.is_empty() {
        figure(page, "Importance", &ranked("total gain", &gains)?);
    }
    let shap: Vec<(String, f64)> = model
        .shap
        .iter()
        .map(|line| (format!("{} ({:+.1})", line.feature, line.direction), line.mean_absolute))
        .collect();
    if !shap.is_empty() {
        let caption = "SHAP summary (in brackets: correlation of value and contribution)";
        figure(page, caption, &ranked("mean absolute contribution", &shap)?);
    }
    let drift: Vec<(String, f64)> = model.drift.iter().map(|line| (line.feature.clone(), line.psi)).collect();
    if !drift.is_empty() {
        figure(page, "Drift from training to test", &ranked("population stability index", &drift)?);
    }
    Ok(())
}

fn slices(page: &mut String, title: &str, slices: &[Slice]) {
    const SHOWN: [&str; 5] = ["roc_auc", "average_precision", "brier", "ndcg_at_100", "precision_at_100"];
    put(page, format_args!("<h3>{title}</h3><table><tr><th>{title}<th>rows<th>illicit"));
    SHOWN.iter().for_each(|name| put(page, format_args!("<th>{name}")));
    page.push_str("</tr>");
    for slice in slices {
        put(page, format_args!("<tr><td>{}<td>{}<td>{}", escaped(&slice.name), slice.rows, slice.positives));
        for name in SHOWN {
            let value = slice.metrics.get(name).map_or_else(String::new, |value| format!("{value:.4}"));
            put(page, format_args!("<td>{value}"));
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

/// `caption` is our own markup, never data.
fn figure(page: &mut String, caption: &str, svg: &str) {
    put(page, format_args!("<figure><figcaption>{caption}</figcaption>{svg}</figure>"));
}
