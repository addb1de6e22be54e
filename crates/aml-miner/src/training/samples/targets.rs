//! Labels, weights and query groups of samples, as LightGBM takes them.

use super::{Row, Samples};
use crate::training::lightgbm::Rows;

/// LightGBM refuses query groups of more rows.
const MAX_GROUP: usize = 10_000;

/// What a model is trained to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whether a row is illicit.
    Illicit,
    /// The order of the rows of a day.
    Relevance,
}

/// Labels, weights and groups of samples, as boosting takes them.
#[derive(Clone, Debug)]
pub struct Targets {
    labels: Vec<f32>,
    weights: Option<Vec<f32>>,
    groups: Option<Vec<i32>>,
}

impl Targets {
    /// The targets of `samples`; positive rows weigh `positive_weight`.
    #[must_use]
    pub fn new(samples: &Samples, target: Target, positive_weight: f32) -> Self {
        let weighted = target == Target::Illicit && (positive_weight - 1.0).abs() > f32::EPSILON;
        let label = |row: &Row| match target {
            Target::Illicit => f32::from(u8::from(row.illicit)),
            Target::Relevance => f32::from(row.relevance),
        };
        let weight = |row: &Row| if row.illicit { positive_weight } else { 1.0 };
        Self {
            labels: samples.rows().map(label).collect(),
            weights: weighted.then(|| samples.rows().map(weight).collect()),
            groups: (target == Target::Relevance).then(|| query_groups(samples)),
        }
    }

    /// The same rows, each weighing as many times as much as `weights` says.
    #[must_use]
    pub fn weighted(mut self, weights: &[f32]) -> Self {
        self.weights = Some(match self.weights {
            Some(own) => own.iter().zip(weights).map(|(own, times)| own * times).collect(),
            None => weights.to_vec(),
        });
        self
    }

    /// `samples` with these targets.
    #[must_use]
    pub fn rows<'a>(&'a self, samples: &'a Samples) -> Rows<'a> {
        Rows {
            parts: samples.days.iter().map(|day| &day.matrix).collect(),
            labels: &self.labels,
            weights: self.weights.as_deref(),
            groups: self.groups.as_deref(),
        }
    }
}

/// One query group per day, in equal parts where a day has more rows than LightGBM takes.
fn query_groups(samples: &Samples) -> Vec<i32> {
    let mut groups = Vec::new();
    for day in &samples.days {
        let parts = day.rows.len().div_ceil(MAX_GROUP);
        let bound = |part: usize| part * day.rows.len() / parts;
        let sizes = (0..parts).map(|part| bound(part + 1) - bound(part));
        groups.extend(sizes.map(|size| i32::try_from(size).unwrap_or(i32::MAX)));
    }
    groups
}
