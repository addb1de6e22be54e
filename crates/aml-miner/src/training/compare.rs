//! Two models on the same rows: how far their figures are apart, with an interval, and a verdict.
//!
//! Both are resampled together, rows within their days, so that what makes a day easy or hard for both takes no part.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::models::bundle::ModelKind;
use crate::training::bootstrap::{Interval, paired};
use crate::training::evaluation::{Judging, date_text};
use crate::training::samples::Samples;
use crate::training::scored::Scored;

/// What decides about scorers.
const OF_SCORERS: [&str; 2] = ["roc_auc", "average_precision"];
/// What decides about rankers: the queue of a day first.
const OF_RANKERS: [&str; 2] = ["ndcg_at_100", "average_precision"];
/// Fewest resamples behind a verdict.
const FEWEST_RESAMPLES: u32 = 200;

/// One figure of both models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Of the first model.
    pub first: f64,
    /// Of the second model.
    pub second: f64,
    /// First less second.
    pub difference: f64,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
}

/// Which of two models is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first: a deciding figure is surely higher, and none surely lower.
    First,
    /// The second.
    Second,
    /// One deciding figure is surely higher, the other surely lower.
    Both,
    /// These rows do not tell.
    Open,
}

/// Two models of a kind on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which kind.
    pub model: ModelKind,
    /// Names of both, for readers.
    pub names: [String; 2],
    /// Rows.
    pub rows: usize,
    /// Illicit ones among them.
    pub positives: usize,
    /// First and last day.
    pub period: Option<(String, String)>,
    /// Which is better.
    pub verdict: Verdict,
    /// The figures that decided.
    pub decided_by: Vec<String>,
    /// All figures of both.
    pub metrics: BTreeMap<String, Difference>,
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// Its name, for readers.
    pub name: String,
    /// Its rows.
    pub samples: &'a Samples,
    /// One answer per row.
    pub answers: Vec<f64>,
}

/// Rows of two models that are not the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the models were not measured on the same rows: {0}")]
pub struct OtherRows(String);

/// Compares two models of a kind.
///
/// # Errors
/// When their rows are not the same.
pub fn compare(kind: ModelKind, sides: [Side<'_>; 2], judging: Judging<'_>) -> Result<Comparison, OtherRows> {
    let [first, second] = sides;
    same_rows(first.samples, second.samples)?;
    let samples = first.samples;
    let bins = judging.config.calibration_bins as usize;
    let scored = [first.answers, second.answers].map(|answers| Scored::new(samples, answers, kind.is_probability()));
    let resamples = judging.config.bootstrap.max(FEWEST_RESAMPLES);
    let within = paired(&scored, bins, resamples, judging.seed);
    let [one, other] = scored.map(|scored| scored.metrics(bins));
    let both = one.into_iter().filter_map(|(name, value)| {
        let (first, second) = (value.ok()?, *other.get(&name)?.as_ref().ok()?);
        let interval = within.get(&name).copied();
        Some((name, Difference { first, second, difference: first - second, interval }))
    });
    let metrics: BTreeMap<String, Difference> = both.collect();
    let decided_by = if kind.is_probability() { OF_SCORERS } else { OF_RANKERS };
    Ok(Comparison {
        model: kind,
        names: [first.name, second.name],
        rows: samples.len(),
        positives: samples.positives(),
        period: samples.period().map(|(first, last)| (date_text(first), date_text(last))),
        verdict: verdict(decided_by.iter().filter_map(|name| metrics.get(*name))),
        decided_by: decided_by.map(str::to_owned).to_vec(),
        metrics,
    })
}

fn verdict<'a>(deciding: impl Iterator<Item = &'a Difference>) -> Verdict {
    let (mut higher, mut lower) = (false, false);
    for within in deciding.filter_map(|difference| difference.interval) {
        higher |= within.low > 0.0;
        lower |= within.high < 0.0;
    }
    match (higher, lower) {
        (true, false) => Verdict::First,
        (false, true) => Verdict::Second,
        (true, true) => Verdict::Both,
        (false, false) => Verdict::Open,
    }
}

fn same_rows(first: &Samples, second: &Samples) -> Result<(), OtherRows> {
    if first.len() != second.len() {
        return Err(OtherRows(format!("{} and {} of them", first.len(), second.len())));
    }
    let dates = |samples: &Samples| samples.days.iter().map(|day| day.date).collect::<Vec<_>>();
    let other = first.rows().zip(second.rows()).find(|(one, two)| one.id != two.id);
    match other {
        Some((one, two)) => Err(OtherRows(format!("{} and {}", one.id, two.id))),
        None if dates(first) != dates(second) => Err(OtherRows("other days".to_owned())),
        None => Ok(()),
    }
}

impl Comparison {
    /// The verdict in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let [first, second] = &self.names;
        let figures: Vec<String> = self.decided_by.iter().filter_map(|name| self.figure(name)).collect();
        let figures = figures.join("; ");
        let kind = self.model.name();
        match self.verdict {
            Verdict::First => format!("{kind}: {first} is better than {second} ({figures})."),
            Verdict::Second => format!("{kind}: {first} is worse than {second} ({figures})."),
            Verdict::Both => {
                format!("{kind}: {first} is better than {second} by one figure and worse by another ({figures}).")
            }
            Verdict::Open => {
                format!("{kind}: these rows do not tell whether {first} or {second} is better ({figures}).")
            }
        }
    }

    fn figure(&self, name: &str) -> Option<String> {
        let found = self.metrics.get(name)?;
        let within = found.interval.map(|within| format!(", 95 %: {:+.4} to {:+.4}", within.low, within.high));
        let within = within.unwrap_or_else(|| ", no interval".to_owned());
        Some(format!("{name} {:.4} beside {:.4}: {:+.4}{within}", found.first, found.second, found.difference))
    }
}
