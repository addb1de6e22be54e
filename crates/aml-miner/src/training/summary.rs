//! A judgement in a few lines of text.

use std::fmt::Write;

use crate::training::evaluation::{Evaluation, SHOWN};
use crate::training::record::Refitted;

/// A table of the figures beside both baselines, and the warnings.
#[must_use]
pub fn summary(evaluation: &Evaluation, warnings: &[String]) -> String {
    let mut text = String::new();
    let period = evaluation.period.as_ref().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
    // Writing into a String cannot fail.
    let _ = writeln!(text, "  {} rows, {} illicit{period}", evaluation.rows, evaluation.positives);
    let _ = writeln!(text, "  {:<18}{:>8}  {:<18}{:>11}{:>11}", "metric", "model", "95 %", "confidence", "base rate");
    for name in SHOWN {
        let Some(figure) = evaluation.metrics.get(name) else { continue };
        let value = figure.value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let interval =
            figure.interval.map_or_else(String::new, |within| format!("{:.4} to {:.4}", within.low, within.high));
        let other = |baseline: Option<&f64>| baseline.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let confidence = other(evaluation.confidence_baseline.get(name));
        let base_rate = other(evaluation.base_rate_baseline.get(name));
        let _ = writeln!(text, "  {name:<18}{value:>8}  {interval:<18}{confidence:>11}{base_rate:>11}");
    }
    for warning in warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

/// How a model was fitted once more, in two lines.
#[must_use]
pub fn fitted_again(refit: &Refitted) -> String {
    let Refitted { first, last, rows, not_known, rounds, judged, .. } = refit;
    let figure = |name: &str| judged.test.value(name).map_or_else(String::new, |value| format!(", {name} {value:.4}"));
    format!(
        "  fitted once more on {rows} rows of {first} to {last}, {rounds} rounds; {not_known} rows had no outcome yet\n  \
         the same on what was known on {} ({} rows, {} rounds), measured on the test period: {} rows{}{}{}\n",
        judged.known_by,
        judged.rows,
        judged.rounds,
        judged.test.rows,
        figure("roc_auc"),
        figure("average_precision"),
        figure("ndcg_at_100"),
    )
}
