//! The objective as LightGBM's header names it.

use super::super::objective::Objective;
use super::error::{Fault, quote};

/// Reads the header's `objective`, for a model with so many raw scores per row.
pub(super) fn objective(text: &str, outputs: usize) -> Result<Objective, Fault> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or("");
    let rest: Vec<&str> = words.take(8).collect();
    let sqrt = rest.contains(&"sqrt");
    let unknown = || Fault::Objective { found: quote(text) };
    let (objective, multiclass) = match name {
        "regression" | "regression_l1" | "quantile" | "mape" | "fair" if sqrt => (Objective::SignedSquare, false),
        "regression" | "regression_l1" | "quantile" | "mape" | "fair" | "huber" | "lambdarank" | "rank_xendcg" => {
            (Objective::Raw, false)
        }
        "custom" => return Ok(Objective::Raw),
        "poisson" | "gamma" | "tweedie" => (Objective::Exp, false),
        "binary" => (Objective::Sigmoid { slope: slope(&rest)? }, false),
        "cross_entropy" => (Objective::Sigmoid { slope: 1.0 }, false),
        "cross_entropy_lambda" => (Objective::Softplus, false),
        "multiclass" => (Objective::Softmax, true),
        "multiclassova" => (Objective::Sigmoid { slope: slope(&rest)? }, true),
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
