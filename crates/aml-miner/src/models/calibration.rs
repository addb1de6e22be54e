//! From raw scores to probabilities: the curve that was fitted on the validation period, applied.
//!
//! Pure and monotone: of two raw scores the higher one never gets the lower probability.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Raw scores a curve may hold at most. A curve has one knot a step; more than this is no calibration.
const MAX_KNOTS: usize = 100_000;
/// The largest raw score, slope or offset of a curve; keeps every intermediate result finite.
const MAX_VALUE: f64 = 1e100;

/// How a bundle's raw scores become probabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// The model's own objective decides.
    #[default]
    None,
    /// `1 / (1 + exp(-(a raw + b)))`.
    Platt {
        /// Slope, positive.
        a: f64,
        /// Offset.
        b: f64,
    },
    /// Straight lines between the knots, level outside of them.
    Isotonic {
        /// Raw scores, strictly rising.
        x: Vec<f64>,
        /// Their probabilities, never falling.
        y: Vec<f64>,
    },
}

/// A curve that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCalibration {
    /// Platt's parameters are out of range.
    #[error("platt needs a positive slope `a` and an offset `b`, both at most 1e100")]
    Platt,
    /// No knots, too many, or not as many `y` as `x`.
    #[error("isotonic needs as many `y` as `x`, from 1 to {MAX_KNOTS}")]
    Knots,
    /// The knots are not in order.
    #[error("isotonic needs rising `x` within 1e100 and `y` that never fall, from 0 to 1")]
    Order,
}

impl Calibration {
    /// Checks what [`Calibration::apply`] relies on.
    ///
    /// # Errors
    /// What is wrong with the curve.
    pub fn check(&self) -> Result<(), BadCalibration> {
        match self {
            Self::None => Ok(()),
            Self::Platt { a, b } => {
                let good = *a > 0.0 && *a <= MAX_VALUE && b.abs() <= MAX_VALUE;
                if good { Ok(()) } else { Err(BadCalibration::Platt) }
            }
            Self::Isotonic { x, y } if x.len() != y.len() || !(1..=MAX_KNOTS).contains(&x.len()) => {
                Err(BadCalibration::Knots)
            }
            Self::Isotonic { x, y } => {
                let rising = x.is_sorted_by(|a, b| a < b) && y.is_sorted();
                let bounded = x.iter().all(|x| x.abs() <= MAX_VALUE) && y.iter().all(|y| (0.0..=1.0).contains(y));
                if rising && bounded { Ok(()) } else { Err(BadCalibration::Order) }
            }
        }
    }

    /// Digest of the kind and of every number, bit for bit: lines of text, `platt` and `a b`, or `isotonic` and an `x y` for
    /// each knot, numbers as the 16 hex digits of their IEEE 754 form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        let mut pair = |a: f64, b: f64| text.push_str(&format!("{:016x} {:016x}\n", a.to_bits(), b.to_bits()));
        let kind = match self {
            Self::None => "none",
            Self::Platt { a, b } => {
                pair(*a, *b);
                "platt"
            }
            Self::Isotonic { x, y } => {
                x.iter().zip(y).for_each(|(x, y)| pair(*x, *y));
                "isotonic"
            }
        };
        Digest::of(format!("{kind}\n{text}").as_bytes())
    }

    /// The probability of a raw score; `None` when the curve leaves that to the objective.
    #[must_use]
    pub fn apply(&self, raw: f64) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Platt { a, b } => Some(1.0 / (1.0 + (-(a * raw + b)).exp())),
            Self::Isotonic { x, y } => Some(interpolate(x, y, raw)),
        }
    }
}

fn interpolate(x: &[f64], y: &[f64], raw: f64) -> f64 {
    let next = x.partition_point(|knot| *knot <= raw);
    let Some(before) = next.checked_sub(1) else { return y[0] };
    let (Some(right), Some(high)) = (x.get(next), y.get(next)) else { return y[before] };
    let share = (raw - x[before]) / (right - x[before]);
    // Rounding may not lift a point above the knot it leads to.
    (y[before] + (high - y[before]) * share).min(*high)
}
