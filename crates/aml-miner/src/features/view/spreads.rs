//! How the values of a batch's alerts are spread: what comparisons within the batch are made with.

use std::sync::Arc;

use crate::features::expressions::{Comparison, Measure};
use crate::features::vocabulary::count;
use crate::wire::Table;

/// The known values of a measure over all alerts of a day.
#[derive(Debug)]
struct Order {
    sorted: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Order {
    fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let known = count(sorted.len());
        let mean = sorted.iter().sum::<f64>() / known;
        let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { sorted, mean, deviation: (squares / known).sqrt() }
    }
}

/// What alerts are compared with: all of their day, of which a batch may be a part.
#[derive(Clone, Debug, Default)]
pub struct Comparisons {
    volume: Option<Arc<Order>>,
    confidence: Option<Arc<Order>>,
}

impl Comparisons {
    /// Of the volumes and confidences of all alerts, where the day has them.
    #[must_use]
    pub fn new(volumes: Option<&[f64]>, confidences: Option<&[f64]>) -> Self {
        let of = |values: &[f64]| Arc::new(Order::of(values));
        Self { volume: volumes.map(of), confidence: confidences.map(of) }
    }

    /// Of all `alerts`.
    fn of(alerts: &Table) -> Self {
        Self::new(alerts.numbers("volume_usd"), alerts.numbers("alert_confidence_score"))
    }
}

/// A measure of the rows, and of what they are compared with.
#[derive(Debug)]
struct Spread {
    values: Vec<f64>,
    order: Arc<Order>,
}

impl Spread {
    fn of(values: Option<&[f64]>, rows: usize, order: Option<&Arc<Order>>) -> Option<Self> {
        let values = values.map_or_else(|| vec![f64::NAN; rows], <[f64]>::to_vec);
        order.map(|order| Self { values, order: Arc::clone(order) })
    }

    fn percentile(&self, row: usize) -> f64 {
        let value = self.values[row];
        if value.is_nan() {
            return f64::NAN;
        }
        let below = self.order.sorted.partition_point(|other| *other < value);
        let up_to = self.order.sorted.partition_point(|other| *other <= value);
        (count(below) + count(up_to)) / 2.0 / count(self.order.sorted.len())
    }

    fn zscore(&self, row: usize) -> f64 {
        if self.order.deviation > 0.0 { (self.values[row] - self.order.mean) / self.order.deviation } else { f64::NAN }
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
    /// Both measures of `alerts`, compared with those of the day, or with each other where `day` says nothing.
    pub(crate) fn of(alerts: &Table, day: Option<&Comparisons>) -> Self {
        let own = if day.is_none() { Comparisons::of(alerts) } else { Comparisons::default() };
        let day = day.unwrap_or(&own);
        let of = |column, order| Spread::of(alerts.numbers(column), alerts.rows(), order);
        Self {
            volume: of("volume_usd", day.volume.as_ref()),
            confidence: of("alert_confidence_score", day.confidence.as_ref()),
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
