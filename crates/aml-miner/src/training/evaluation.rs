//! The judgement of one model on rows it has not seen: metrics with intervals, slices, baselines and warnings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::training::bootstrap::{Interval, intervals};
use crate::training::config::EvaluationConfig;
use crate::training::samples::Samples;
use crate::training::scored::{Metrics, Scored};

/// Below this share of positive rows, boosting's defaults are known to collapse.
const RARE: f64 = 0.01;
/// A calibration error above this makes probabilities misleading.
const BAD_CALIBRATION: f64 = 0.1;

/// Metrics in the order in which a reader is shown them.
pub(super) const SHOWN: [&str; 13] = [
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
    "ece",
    "ndcg_at_10",
    "ndcg_at_50",
    "ndcg_at_100",
    "ndcg_at_500",
    "precision_at_10",
    "precision_at_50",
    "precision_at_100",
    "recall_at_100",
];

/// A metric's value; why there is none, where there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The value.
    pub value: Option<f64>,
    /// Its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval: Option<Interval>,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undefined: Option<String>,
}

/// Metrics of the rows of one typology or one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Typology, or day as `YYYY-MM-DD`.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Illicit rows among them.
    pub positives: usize,
    /// Metrics that are defined for them.
    pub metrics: BTreeMap<String, f64>,
}

/// The judgement of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Number of rows.
    pub rows: usize,
    /// Illicit rows among them.
    pub positives: usize,
    /// First and last day.
    pub period: Option<(String, String)>,
    /// Metrics of the model.
    pub metrics: BTreeMap<String, Figure>,
    /// The same for the score that came with each row.
    pub confidence_baseline: BTreeMap<String, f64>,
    /// The same for the training rows' share of illicit ones as everybody's score.
    pub base_rate_baseline: BTreeMap<String, f64>,
    /// By typology (or cluster type).
    pub by_typology: Vec<Slice>,
    /// By day.
    pub by_day: Vec<Slice>,
    /// What a reader must know before trusting the model.
    pub warnings: Vec<String>,
}

/// How a judgement is made.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// What is measured, and how finely.
    pub config: &'a EvaluationConfig,
    /// Seed of the resamples.
    pub seed: u64,
}

/// Judges `scores` of `samples`; `base_rate` is the share of illicit rows in training.
#[must_use]
pub fn evaluate(
    samples: &Samples,
    scores: Vec<f64>,
    probabilities: bool,
    base_rate: f64,
    judging: Judging<'_>,
) -> Evaluation {
    let Judging { config, seed } = judging;
    let bins = config.calibration_bins as usize;
    let scored = Scored::new(samples, scores, probabilities);
    let within = if config.bootstrap > 0 { intervals(&scored, bins, config.bootstrap, seed) } else { BTreeMap::new() };
    let figures = scored.metrics(bins).into_iter().map(|(name, value)| {
        let interval = within.get(&name).copied();
        let figure = match value {
            Ok(value) => Figure { value: Some(value), interval, undefined: None },
            Err(error) => Figure { value: None, interval: None, undefined: Some(error.to_string()) },
        };
        (name, figure)
    });
    let confidence: Vec<f64> = samples.baseline().into_iter().map(|c| if c.is_nan() { 0.0 } else { c }).collect();
    let mut evaluation = Evaluation {
        rows: samples.len(),
        positives: samples.positives(),
        period: samples.period().map(|(first, last)| (date_text(first), date_text(last))),
        metrics: figures.collect(),
        confidence_baseline: defined(scored.rescored(confidence, true).metrics(bins)),
        base_rate_baseline: defined(scored.rescored(vec![base_rate; samples.len()], true).metrics(bins)),
        by_typology: by_typology(samples, &scored, bins),
        by_day: by_day(samples, &scored, bins),
        warnings: Vec::new(),
    };
    evaluation.warnings = warnings(&evaluation, base_rate);
    evaluation
}

impl Evaluation {
    /// The value of a metric, where it is defined.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric)?.value
    }
}

fn by_typology(samples: &Samples, scored: &Scored, bins: usize) -> Vec<Slice> {
    let kinds: Vec<u16> = samples.rows().map(|row| row.kind).collect();
    let slices = samples.kinds.iter().zip(0_u16..);
    slices
        .map(|(name, kind)| slice(name.clone(), &scored.only(|row| kinds[row] == kind), bins))
        .filter(|slice| slice.rows > 0)
        .collect()
}

fn by_day(samples: &Samples, scored: &Scored, bins: usize) -> Vec<Slice> {
    let days = samples.days.iter().zip(scored.days());
    days.map(|(day, rows)| slice(date_text(day.date), &scored.only(|row| rows.contains(&row)), bins)).collect()
}

fn slice(name: String, scored: &Scored, bins: usize) -> Slice {
    let positives = scored.labels.iter().filter(|&&label| label).count();
    Slice { name, rows: scored.labels.len(), positives, metrics: defined(scored.metrics(bins)) }
}

fn defined(metrics: Metrics) -> BTreeMap<String, f64> {
    metrics.into_iter().filter_map(|(name, value)| Some((name, value.ok()?))).collect()
}

fn warnings(evaluation: &Evaluation, base_rate: f64) -> Vec<String> {
    let mut warnings = Vec::new();
    let auc = evaluation.value("roc_auc");
    let certain = evaluation.metrics.get("roc_auc").and_then(|figure| figure.interval).is_none_or(|i| i.low > 0.5);
    if auc.is_some_and(|auc| auc <= 0.5) || !certain {
        warnings.push("the order of the scores is no better than a constant score (ROC-AUC 0.5)".to_owned());
    }
    if base_rate < RARE && auc.is_some_and(|auc| auc < 0.6) {
        warnings.push(format!(
            "only {:.2} % of the training rows are illicit and the model has probably collapsed: try fewer leaves, a \
             larger min_data_in_leaf, lambda_l2 from 1 up, a lower learning_rate and class_weight: sqrt",
            base_rate * 100.0
        ));
    }
    for metric in ["roc_auc", "average_precision"] {
        let (model, confidence) = (evaluation.value(metric), evaluation.confidence_baseline.get(metric).copied());
        if let (Some(model), Some(confidence)) = (model, confidence)
            && model <= confidence
        {
            warnings.push(format!(
                "{metric} is {model:.4}, no better than the confidence that the alerts came with ({confidence:.4})"
            ));
        }
    }
    for metric in ["brier", "log_loss"] {
        let (model, constant) = (evaluation.value(metric), evaluation.base_rate_baseline.get(metric).copied());
        if let (Some(model), Some(constant)) = (model, constant)
            && model >= constant
        {
            warnings
                .push(format!("{metric} is {model:.4}, no better than giving every row the base rate ({constant:.4})"));
        }
    }
    if let Some(ece) = evaluation.value("ece").filter(|&ece| ece > BAD_CALIBRATION) {
        warnings.push(format!("the probabilities are off by {ece:.3} on average (ECE)"));
    }
    warnings
}

/// A day number as `YYYY-MM-DD`.
#[must_use]
pub fn date_text(day: i32) -> String {
    let date = chrono::NaiveDate::from_num_days_from_ce_opt(day.saturating_add(719_163));
    date.map_or_else(|| format!("day {day}"), |date| date.to_string())
}

/// The time, as an entry writes it.
#[must_use]
pub fn created_at(clock: &dyn Clock) -> String {
    let now = chrono::DateTime::from_timestamp(i64::try_from(clock.now().as_secs()).unwrap_or(0), 0);
    now.unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
