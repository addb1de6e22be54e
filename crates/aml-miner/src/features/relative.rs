//! Features that compare an alert with the other alerts of the same batch.
//!
//! They change when the batch changes, so scoring a part of a batch gives other values than scoring all of it. No
//! default schema has them.

use crate::features::bind::Bound;
use crate::features::bind::count;
use crate::features::catalogue::{Feature, Group};
use crate::features::formula::Formula;
use crate::wire::Table;

/// A comparison within the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relative {
    /// Share of the batch's values below, counting equal ones half.
    Percentile(Measure),
    /// Distance from the batch's mean in standard deviations.
    ZScore(Measure),
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The alert's volume.
    Volume,
    /// The alert's confidence.
    Confidence,
}

impl Relative {
    /// The column of the alerts that is compared.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Percentile(Measure::Volume) | Self::ZScore(Measure::Volume) => "volume_usd",
            Self::Percentile(Measure::Confidence) | Self::ZScore(Measure::Confidence) => "alert_confidence_score",
        }
    }
}

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, doc, relative| Feature::new(name, Group::BatchRelative, doc, Formula::Relative(relative));
    vec![
        feature(
            "volume_percentile",
            "Share of the batch's alerts with a smaller volume, counting equal ones half.",
            Relative::Percentile(Measure::Volume),
        ),
        feature(
            "volume_zscore",
            "The alert's volume less the batch's mean, in the batch's standard deviations.",
            Relative::ZScore(Measure::Volume),
        ),
        feature(
            "confidence_percentile",
            "Share of the batch's alerts with a smaller confidence, counting equal ones half.",
            Relative::Percentile(Measure::Confidence),
        ),
        feature(
            "confidence_zscore",
            "The alert's confidence less the batch's mean, in the batch's standard deviations.",
            Relative::ZScore(Measure::Confidence),
        ),
    ]
}

/// A measure over the whole batch.
#[derive(Debug, Default)]
struct Spread {
    values: Vec<f64>,
    sorted: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let known = count(sorted.len());
        let mean = sorted.iter().sum::<f64>() / known;
        let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { values: values.to_vec(), sorted, mean, deviation: (squares / known).sqrt() }
    }

    fn percentile(&self, row: usize) -> f64 {
        let value = self.values[row];
        if value.is_nan() {
            return f64::NAN;
        }
        let below = self.sorted.partition_point(|other| *other < value);
        let up_to = self.sorted.partition_point(|other| *other <= value);
        (count(below) + count(up_to)) / 2.0 / count(self.sorted.len())
    }

    fn zscore(&self, row: usize) -> f64 {
        if self.deviation > 0.0 { (self.values[row] - self.mean) / self.deviation } else { f64::NAN }
    }
}

/// The measures of a batch, where a schema asks for them.
#[derive(Debug, Default)]
pub(crate) struct Relatives {
    volume: Option<Spread>,
    confidence: Option<Spread>,
}

impl Relatives {
    /// Both measures over all alerts.
    pub(crate) fn of(alerts: &Table) -> Self {
        Self {
            volume: alerts.numbers("volume_usd").map(Spread::of),
            confidence: alerts.numbers("alert_confidence_score").map(Spread::of),
        }
    }

    /// The column of a comparison.
    pub(crate) fn bind(&self, relative: Relative) -> Bound<'_> {
        let of = |measure| match measure {
            Measure::Volume => self.volume.as_ref(),
            Measure::Confidence => self.confidence.as_ref(),
        };
        match relative {
            Relative::Percentile(measure) => {
                of(measure).map_or(Bound::Missing, |spread| Bound::Each(Box::new(|row| spread.percentile(row))))
            }
            Relative::ZScore(measure) => {
                of(measure).map_or(Bound::Missing, |spread| Bound::Each(Box::new(|row| spread.zscore(row))))
            }
        }
    }
}
