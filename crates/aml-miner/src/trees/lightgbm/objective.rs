//! How raw scores become answers: LightGBM's `ConvertOutput`, operation by operation.

use super::error::{Fault, quote};

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
}

impl Objective {
    /// Reads the header's `objective`, for a model with so many raw scores a row.
    pub(super) fn parse(text: &str, outputs: usize) -> Result<Self, Fault> {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or("");
        let rest: Vec<&str> = words.take(8).collect();
        let sqrt = rest.contains(&"sqrt");
        let unknown = || Fault::Objective { found: quote(text) };
        let (objective, multiclass) = match name {
            "regression" | "regression_l1" | "quantile" | "mape" | "fair" if sqrt => (Self::SignedSquare, false),
            "regression" | "regression_l1" | "quantile" | "mape" | "fair" | "huber" | "lambdarank" | "rank_xendcg" => {
                (Self::Raw, false)
            }
            "custom" => return Ok(Self::Raw),
            "poisson" | "gamma" | "tweedie" => (Self::Exp, false),
            "binary" => (Self::Sigmoid { slope: slope(&rest)? }, false),
            "cross_entropy" => (Self::Sigmoid { slope: 1.0 }, false),
            "cross_entropy_lambda" => (Self::Softplus, false),
            "multiclass" => (Self::Softmax, true),
            "multiclassova" => (Self::Sigmoid { slope: slope(&rest)? }, true),
            _ => return Err(unknown()),
        };
        let classes = if multiclass { classes(&rest)? } else { 1 };
        if classes == outputs {
            Ok(objective)
        } else {
            let expected = format!("an objective for {outputs} trees an iteration");
            Err(Fault::bad("objective", text, expected))
        }
    }

    /// Turns the raw scores of one row into its answers, in place.
    pub fn convert(&self, scores: &mut [f64]) {
        match *self {
            Self::Raw => {}
            Self::SignedSquare => each(scores, |x| sign(x) * x * x),
            Self::Sigmoid { slope } => each(scores, |x| 1.0 / (1.0 + (-slope * x).exp())),
            Self::Exp => each(scores, f64::exp),
            Self::Softplus => each(scores, |x| x.exp().ln_1p()),
            Self::Softmax => softmax(scores),
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

/// The value after `name:` among the objective's words.
fn setting<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix(':'))
}

fn slope(words: &[&str]) -> Result<f64, Fault> {
    let text = setting(words, "sigmoid").unwrap_or("");
    match text.parse::<f64>() {
        Ok(slope) if slope > 0.0 && slope.is_finite() => Ok(slope),
        _ => Err(Fault::bad("objective", text, "a positive `sigmoid`")),
    }
}

fn classes(words: &[&str]) -> Result<usize, Fault> {
    let text = setting(words, "num_class").unwrap_or("");
    text.parse().map_err(|_| Fault::bad("objective", text, "a number of classes"))
}
