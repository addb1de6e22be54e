//! The parameters that are searched, and where.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tpe::density_estimation::DefaultEstimatorBuilder;
use tpe::range::Range;

use crate::training::config::{Boosting, ClassWeight};

/// One searched parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dimension {
    /// Key in the configuration.
    pub name: &'static str,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How the range is walked.
    pub scale: Scale,
}

/// How a range is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// Evenly in the logarithm.
    Log,
    /// As unordered choices, numbered from zero.
    Choice,
}

const fn dimension(name: &'static str, low: f64, high: f64, scale: Scale) -> Dimension {
    Dimension { name, low, high, scale }
}

/// What is searched.
pub const DIMENSIONS: [Dimension; 9] = [
    dimension("num_leaves", 7.0, 255.0, Scale::Log),
    dimension("learning_rate", 0.01, 0.2, Scale::Log),
    dimension("feature_fraction", 0.4, 1.0, Scale::Linear),
    dimension("bagging_fraction", 0.5, 1.0, Scale::Linear),
    dimension("min_data_in_leaf", 5.0, 300.0, Scale::Log),
    dimension("min_gain_to_split", 0.0, 1.0, Scale::Linear),
    dimension("lambda_l1", 1e-4, 10.0, Scale::Log),
    dimension("lambda_l2", 1e-4, 100.0, Scale::Log),
    dimension("class_weight", 0.0, 3.0, Scale::Choice),
];

const WEIGHTS: [ClassWeight; 3] = [ClassWeight::None, ClassWeight::Sqrt, ClassWeight::Balanced];

impl Dimension {
    /// The range in search coordinates; the upper end is excluded.
    ///
    /// # Panics
    /// Never: the ends are constants that make a range.
    #[must_use]
    pub fn range(&self) -> Range {
        let (low, high) = self.ends();
        tpe::range(low, high).expect("a dimension's ends are finite and in order")
    }

    /// How its density is estimated.
    #[must_use]
    pub fn estimator(&self) -> DefaultEstimatorBuilder {
        match self.scale {
            Scale::Choice => tpe::histogram_estimator(),
            Scale::Linear | Scale::Log => tpe::parzen_estimator(),
        }
    }

    fn ends(&self) -> (f64, f64) {
        match self.scale {
            Scale::Log => (self.low.ln(), self.high.ln()),
            Scale::Linear | Scale::Choice => (self.low, self.high),
        }
    }

    fn to_search(self, value: f64) -> f64 {
        let (low, high) = self.ends();
        let at = if self.scale == Scale::Log { value.max(self.low).ln() } else { value };
        // Just below the upper end, which the range excludes.
        at.clamp(low, high - (high - low) * 1e-9)
    }

    fn to_value(self, at: f64) -> f64 {
        if self.scale == Scale::Log { at.exp() } else { at }
    }
}

/// A point in search coordinates, one number a dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Point(pub Vec<f64>);

impl Point {
    /// Where `boosting` is, or the nearest place in the space.
    #[must_use]
    pub fn of(boosting: &Boosting) -> Self {
        let weight = WEIGHTS.iter().position(|weight| *weight == boosting.class_weight).unwrap_or(0);
        let values = [
            f64::from(boosting.num_leaves),
            boosting.learning_rate,
            boosting.feature_fraction,
            boosting.bagging_fraction,
            f64::from(boosting.min_data_in_leaf),
            boosting.min_gain_to_split,
            boosting.lambda_l1,
            boosting.lambda_l2,
            f64::from(u8::try_from(weight).unwrap_or(0)) + 0.5,
        ];
        Self(DIMENSIONS.iter().zip(values).map(|(dimension, value)| dimension.to_search(value)).collect())
    }

    /// A random point.
    pub fn random(random: &mut impl Rng) -> Self {
        let draw = |dimension: &Dimension| {
            let (low, high) = dimension.ends();
            random.random_range(low..high)
        };
        Self(DIMENSIONS.iter().map(draw).collect())
    }

    /// Whether it is a point of the space.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let inside = |(dimension, at): (&Dimension, &f64)| dimension.range().contains(*at);
        self.0.len() == DIMENSIONS.len() && DIMENSIONS.iter().zip(&self.0).all(inside)
    }

    /// `start` with the searched parameters of this point.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values of small positive ranges")]
    pub fn apply(&self, start: &Boosting) -> Boosting {
        let value = |index: usize| rounded(DIMENSIONS[index].to_value(self.0[index]));
        Boosting {
            num_leaves: value(0).round() as u32,
            learning_rate: value(1),
            feature_fraction: value(2),
            bagging_fraction: value(3),
            min_data_in_leaf: value(4).round() as u32,
            min_gain_to_split: value(5),
            lambda_l1: value(6),
            lambda_l2: value(7),
            class_weight: WEIGHTS[(value(8) as usize).min(WEIGHTS.len() - 1)],
            ..start.clone()
        }
    }
}

/// Six significant decimals: what is tried is what the YAML file will say.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The random stream of a trial.
#[must_use]
pub(super) fn stream(seed: u64, number: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(number));
    random
}
