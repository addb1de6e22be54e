//! Figures of several values: how a cluster's features are made from those of its alerts and addresses.

use crate::features::vocabulary::count;

/// A figure of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    /// The mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The sum.
    Sum,
    /// The standard deviation of the population.
    Std,
}

impl Aggregate {
    /// The aggregate and the feature that `name` names, such as `mean_volume_usd`.
    pub(crate) fn split(name: &str) -> Option<(Self, &str)> {
        let (prefix, inner) = name.split_once('_')?;
        let aggregate = match prefix {
            "mean" => Self::Mean,
            "max" => Self::Max,
            "min" => Self::Min,
            "sum" => Self::Sum,
            "std" => Self::Std,
            _ => return None,
        };
        Some((aggregate, inner))
    }

    /// The figure of values in ascending order; NaN where there are none.
    pub(crate) fn of(self, sorted: &[f64]) -> f64 {
        let missing = f64::NAN;
        let mean = || sorted.iter().sum::<f64>() / count(sorted.len());
        match self {
            Self::Min => sorted.first().copied().unwrap_or(missing),
            Self::Max => sorted.last().copied().unwrap_or(missing),
            Self::Sum if sorted.is_empty() => missing,
            Self::Sum => sorted.iter().sum(),
            Self::Mean => mean(),
            Self::Std => {
                let mean = mean();
                let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
                (squares / count(sorted.len())).sqrt()
            }
        }
    }
}
