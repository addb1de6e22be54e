//! What CatBoost's losses do to a raw score.

use super::super::objective::Objective;

/// Losses whose answer is the raw score.
const RAW: [&str; 21] = [
    "RMSE",
    "MAE",
    "MAPE",
    "Quantile",
    "LogLinQuantile",
    "Expectile",
    "Lq",
    "Huber",
    "LogCosh",
    "YetiRank",
    "YetiRankPairwise",
    "PairLogit",
    "PairLogitPairwise",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
    "GroupQuantile",
    "StochasticRank",
    "StochasticFilter",
    "LambdaMart",
    "",
];

/// The objective of a loss, which may have settings behind a colon.
pub(super) fn objective(loss: &str) -> Result<Objective, String> {
    match loss.split(':').next().unwrap_or_default() {
        "Logloss" | "CrossEntropy" => Ok(Objective::Sigmoid { slope: 1.0 }),
        name @ ("Poisson" | "Tweedie") => Err(format!(
            "the answers of loss `{name}` are exponentials that CatBoost approximates in its own way: their last bits cannot be given"
        )),
        name if RAW.contains(&name) => Ok(Objective::Raw),
        name => {
            let name: String = name.chars().take(40).collect();
            Err(format!("loss `{name}`: what it does to the scores cannot be told, or it gives several a row"))
        }
    }
}
