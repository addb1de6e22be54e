//! What may spoil a model: features that changed between train and test, and features that give the label away.

use serde::{Deserialize, Serialize};

use crate::metrics::roc_auc;
use crate::training::samples::Samples;

/// Bins of the population stability index: deciles of the training rows, and one for missing values.
const BINS: usize = 10;
/// Keeps the logarithm finite where a bin is empty on one side.
const FLOOR: f64 = 1e-4;
/// Above this a population is commonly called changed.
pub const PSI_ALARM: f64 = 0.25;
/// A single feature that ranks this well is more likely a leak than a discovery.
const LEAK_AUC: f64 = 0.995;
/// Difference of the classes' missing shares from which missingness itself tells the label.
const MISSING_GAP: f64 = 0.5;
/// Fewer rows than this show patterns by chance.
const LEAK_MIN_ROWS: usize = 100;
/// Rows looked at for leaks: plenty for shares and orders this extreme.
const LEAK_ROWS: usize = 50_000;

/// How far a feature's distribution moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Name of the feature.
    pub feature: String,
    /// Population stability index of test against train.
    pub psi: f64,
}

/// Every feature's population stability index, largest first.
#[must_use]
pub fn drift(train: &Samples, test: &Samples) -> Vec<Drift> {
    let features = train.schema.features.iter().enumerate();
    let mut all: Vec<Drift> = features
        .map(|(index, name)| Drift { feature: name.clone(), psi: psi(&column(train, index), &column(test, index)) })
        .collect();
    all.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
    all
}

/// Values that others are held against: their deciles, and their share of each bin and of the missing.
#[derive(Clone, Debug)]
pub struct Deciles {
    edges: Vec<f64>,
    shares: Vec<f64>,
}

impl Deciles {
    /// Those of `train`.
    #[must_use]
    pub fn of(train: &[f64]) -> Self {
        let mut sorted: Vec<f64> = train.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let mut edges: Vec<f64> = (1..BINS).filter_map(|bin| sorted.get(bin * sorted.len() / BINS).copied()).collect();
        edges.dedup();
        let shares = shares(train, &edges);
        Self { edges, shares }
    }

    /// Population stability index of `test` against them.
    #[must_use]
    pub fn psi(&self, test: &[f64]) -> f64 {
        let after = shares(test, &self.edges);
        self.shares.iter().zip(&after).map(|(&p, &q)| (q - p) * (q / p).ln()).sum()
    }
}

/// Population stability index of `test` against `train`, over deciles of `train` and a bin of the missing.
#[must_use]
pub fn psi(train: &[f64], test: &[f64]) -> f64 {
    Deciles::of(train).psi(test)
}

/// Share of the values in each bin; the last bin holds the missing ones.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn shares(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0_usize; edges.len() + 2];
    for &value in values {
        let bin = if value.is_nan() { edges.len() + 1 } else { edges.partition_point(|&edge| edge <= value) };
        counts[bin] += 1;
    }
    let total = values.len().max(1) as f64;
    counts.into_iter().map(|count| (count as f64 / total).max(FLOOR)).collect()
}

/// Warnings about features that tell the label by themselves, by their value or by being missing.
#[must_use]
pub fn leaks(samples: &Samples) -> Vec<String> {
    let labels: Vec<bool> = samples.rows().take(LEAK_ROWS).map(|row| row.illicit).collect();
    let features = samples.schema.features.iter().enumerate();
    features.filter_map(|(index, name)| leak(name, &labels, &column(samples, index)[..labels.len()])).collect()
}

fn leak(name: &str, labels: &[bool], values: &[f64]) -> Option<String> {
    if labels.len() < LEAK_MIN_ROWS {
        return None;
    }
    let gap = (missing_share(labels, values, true)? - missing_share(labels, values, false)?).abs();
    if gap >= MISSING_GAP {
        return Some(format!(
            "`{name}` is missing {:.0} points more often in one class than in the other: its absence tells the label",
            gap * 100.0
        ));
    }
    let (seen, present): (Vec<bool>, Vec<f64>) =
        labels.iter().zip(values).filter(|(_, value)| value.is_finite()).map(|(&label, &value)| (label, value)).unzip();
    let auc = roc_auc(&seen, &present).ok()?;
    let strength = auc.max(1.0 - auc);
    (strength >= LEAK_AUC && seen.len() >= LEAK_MIN_ROWS)
        .then(|| format!("`{name}` alone reaches ROC-AUC {strength:.4}: check that it was known before the label"))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn missing_share(labels: &[bool], values: &[f64], class: bool) -> Option<f64> {
    let of_class = labels.iter().zip(values).filter(|(label, _)| **label == class);
    let (mut rows, mut missing) = (0_usize, 0_usize);
    for (_, value) in of_class {
        rows += 1;
        missing += usize::from(value.is_nan());
    }
    (rows > 0).then(|| missing as f64 / rows as f64)
}

fn column(samples: &Samples, index: usize) -> Vec<f64> {
    let of_day = |day: &super::samples::Day| -> Vec<f64> {
        (0..day.matrix.rows()).map(|row| day.matrix.row(row)[index]).collect()
    };
    samples.days.iter().flat_map(of_day).collect()
}
