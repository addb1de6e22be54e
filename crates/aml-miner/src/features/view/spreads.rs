//! How the values of a batch's alerts are spread: what comparisons within the batch are made with.

use crate::features::expressions::{Comparison, Measure};
use crate::features::vocabulary::count;
use crate::wire::Table;

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

/// A value by row.
type PerRow<'a> = Box<dyn Fn(usize) -> f64 + Send + Sync + 'a>;

/// The measures of a batch, where a schema asks for them.
#[derive(Debug, Default)]
pub(crate) struct Spreads {
    volume: Option<Spread>,
    confidence: Option<Spread>,
}

impl Spreads {
    /// Both measures over all alerts.
    pub(crate) fn of(alerts: &Table) -> Self {
        Self {
            volume: alerts.numbers("volume_usd").map(Spread::of),
            confidence: alerts.numbers("alert_confidence_score").map(Spread::of),
        }
    }

    /// The value of a comparison by row; `None` where the batch lacks its column.
    pub(crate) fn values(&self, comparison: Comparison) -> Option<PerRow<'_>> {
        let of = |measure| match measure {
            Measure::Volume => self.volume.as_ref(),
            Measure::Confidence => self.confidence.as_ref(),
        };
        let values: PerRow<'_> = match comparison {
            Comparison::Percentile(measure) => {
                let spread = of(measure)?;
                Box::new(|row| spread.percentile(row))
            }
            Comparison::ZScore(measure) => {
                let spread = of(measure)?;
                Box::new(|row| spread.zscore(row))
            }
        };
        Some(values)
    }
}
