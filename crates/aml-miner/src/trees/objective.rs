//! How raw scores become answers, operation by operation as the libraries do it: LightGBM's `ConvertOutput`, XGBoost's
//! `PredTransform` in 32-bit floats, CatBoost's and scikit-learn's sigmoid.

/// The transformation from raw scores to answers that a model's objective asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective {
    /// None: regression, ranking, custom objectives.
    Raw,
    /// `sign(x) x^2`: regression on square roots.
    SignedSquare,
    /// `1 / (1 + exp(-slope x))`: binary, cross entropy, and one against all for each class.
    Sigmoid {
        /// LightGBM's parameter `sigmoid`.
        slope: f64,
    },
    /// `exp(x)`: Poisson, gamma, Tweedie.
    Exp,
    /// `log(1 + exp(x))`: cross entropy with lambda.
    Softplus,
    /// Softmax over the classes.
    Softmax,
    /// None: the raw score is a probability already (forests of scikit-learn).
    Share,
    /// The sigmoid in 32-bit floats: XGBoost.
    SigmoidSingle,
    /// `exp(x)` in 32-bit floats: XGBoost.
    ExpSingle,
    /// 1 above zero, else 0: XGBoost's hinge.
    Step,
}

impl Objective {
    /// Whether every answer is a probability of its own.
    #[must_use]
    pub const fn is_probability(&self) -> bool {
        matches!(self, Self::Sigmoid { .. } | Self::SigmoidSingle | Self::Share)
    }

    /// Turns the raw scores of one row into its answers, in place.
    pub fn convert(&self, scores: &mut [f64]) {
        match *self {
            Self::Raw | Self::Share => {}
            Self::SignedSquare => each(scores, |x| sign(x) * x * x),
            Self::Sigmoid { slope } => each(scores, |x| 1.0 / (1.0 + (-slope * x).exp())),
            Self::Exp => each(scores, f64::exp),
            Self::Softplus => each(scores, |x| x.exp().ln_1p()),
            Self::Softmax => softmax(scores),
            Self::SigmoidSingle => each(scores, |x| f64::from(sigmoid_single(single(x)))),
            Self::ExpSingle => each(scores, |x| f64::from(single(x).exp())),
            Self::Step => each(scores, |x| f64::from(u8::from(x > 0.0))),
        }
    }
}

fn each(scores: &mut [f64], convert: impl Fn(f64) -> f64) {
    for score in scores {
        *score = convert(*score);
    }
}

fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

fn softmax(scores: &mut [f64]) {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in &mut *scores {
        *score = (*score - highest).exp();
        sum += *score;
    }
    each(scores, |score| score / sum);
}

/// XGBoost's sigmoid: its bound on the exponent, and what keeps the divisor from zero.
fn sigmoid_single(x: f32) -> f32 {
    let exponential = (-x).min(88.7).exp();
    1.0 / (exponential + 1.0 + 1e-16)
}

#[expect(clippy::cast_possible_truncation, reason = "a raw score of 32 bits, held in 64")]
fn single(x: f64) -> f32 {
    x as f32
}
