//! The parameters that are searched, and where.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tpe::density_estimation::DefaultEstimatorBuilder;
use tpe::range::Range;

use crate::models::bundle::ModelKind;
use crate::training::config::{Boosting, ClassWeight};

/// One searched parameter.
#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    /// Key in the configuration.
    pub name: &'static str,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How the range is walked.
    pub scale: Scale,
    place: Place,
}

/// Where the parameter is among boosting's.
#[derive(Clone, Copy, Debug)]
struct Place {
    read: fn(&Boosting) -> f64,
    write: fn(&mut Boosting, f64),
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

const fn walked(name: &'static str, scale: Scale, low: f64, high: f64, place: Place) -> Dimension {
    Dimension { name, low, high, scale, place }
}

/// A place of a number.
macro_rules! number {
    ($key:ident) => {
        Place { read: |from| from.$key, write: |to, value| to.$key = value }
    };
}

/// A place of a whole number.
macro_rules! whole {
    ($key:ident) => {
        Place { read: |from| f64::from(from.$key), write: |to, value| to.$key = nearest(value) }
    };
}

/// Does nothing where rows are never drawn.
const BAGGING: &str = "bagging_fraction";
/// Does nothing for a ranker.
const CLASS_WEIGHT: &str = "class_weight";

const DIMENSIONS: [Dimension; 9] = [
    walked("num_leaves", Scale::Log, 7.0, 255.0, whole!(num_leaves)),
    walked("learning_rate", Scale::Log, 0.01, 0.2, number!(learning_rate)),
    walked("feature_fraction", Scale::Linear, 0.4, 1.0, number!(feature_fraction)),
    walked(BAGGING, Scale::Linear, 0.5, 1.0, number!(bagging_fraction)),
    walked("min_data_in_leaf", Scale::Log, 5.0, 300.0, whole!(min_data_in_leaf)),
    walked("min_gain_to_split", Scale::Linear, 0.0, 1.0, number!(min_gain_to_split)),
    walked("lambda_l1", Scale::Log, 1e-4, 10.0, number!(lambda_l1)),
    walked("lambda_l2", Scale::Log, 1e-4, 100.0, number!(lambda_l2)),
    walked(CLASS_WEIGHT, Scale::Choice, 0.0, 3.0, Place { read: weight_number, write: set_weight }),
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

fn weight_number(from: &Boosting) -> f64 {
    let number = WEIGHTS.iter().position(|weight| *weight == from.class_weight).unwrap_or(0);
    f64::from(u8::try_from(number).unwrap_or(0)) + 0.5
}

fn set_weight(to: &mut Boosting, at: f64) {
    to.class_weight = WEIGHTS[(nearest(at.floor()) as usize).min(WEIGHTS.len() - 1)];
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values of small positive ranges")]
fn nearest(value: f64) -> u32 {
    value.round() as u32
}

/// What is searched for one kind of model: only what changes it.
#[derive(Clone, Debug)]
pub struct Space(Vec<Dimension>);

/// A point in search coordinates, one number per dimension of its space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Point(pub Vec<f64>);

impl Space {
    /// The space of a kind of model, around the parameters that the search starts from.
    #[must_use]
    pub fn new(kind: ModelKind, start: &Boosting) -> Self {
        let matters = |dimension: &Dimension| match dimension.name {
            CLASS_WEIGHT => kind.is_probability(),
            BAGGING => start.bagging_freq > 0,
            _ => true,
        };
        Self(DIMENSIONS.into_iter().filter(matters).collect())
    }

    /// The searched parameters.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.0
    }

    /// Where `boosting` is, or the nearest place in the space.
    #[must_use]
    pub fn point_of(&self, boosting: &Boosting) -> Point {
        Point(self.0.iter().map(|dimension| dimension.to_search((dimension.place.read)(boosting))).collect())
    }

    /// A random point.
    pub fn random(&self, random: &mut impl Rng) -> Point {
        let draw = |dimension: &Dimension| {
            let (low, high) = dimension.ends();
            random.random_range(low..high)
        };
        Point(self.0.iter().map(draw).collect())
    }

    /// Whether `point` is in this space.
    #[must_use]
    pub fn has(&self, point: &Point) -> bool {
        let inside = |(dimension, at): (&Dimension, &f64)| dimension.range().contains(*at);
        point.0.len() == self.0.len() && self.0.iter().zip(&point.0).all(inside)
    }

    /// `start` with the searched parameters of `point`.
    #[must_use]
    pub fn apply(&self, point: &Point, start: &Boosting) -> Boosting {
        let mut boosting = start.clone();
        for (dimension, &at) in self.0.iter().zip(&point.0) {
            (dimension.place.write)(&mut boosting, rounded(dimension.to_value(at)));
        }
        boosting
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
