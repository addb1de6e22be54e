//! A miner's opinion of one alert.

use serde::{Deserialize, Serialize};

/// A probability: finite, from 0 to 1. Only [`Score::new`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Score(f64);

/// A number that is no probability.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a probability")]
pub struct NotAProbability(f64);

impl Score {
    /// A score, if `value` is one.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        // Negative zero is zero.
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Score {
    type Error = NotAProbability;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or(NotAProbability(value))
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// The merged opinion on one alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanonicalScore {
    /// Weighted mean of the miners' scores.
    pub score: Score,
    /// Weighted standard deviation of the miners' scores.
    pub deviation: f64,
    /// How many hotkeys contributed.
    pub miners: usize,
}
