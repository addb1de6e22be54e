//! What XGBoost's objectives do to the base score before, and to the margin after the trees.

use super::super::objective::Objective;

/// The two ends of a sum.
pub(super) struct Answer {
    /// From the margin to the answer.
    pub(super) objective: Objective,
    /// The margin before the first tree.
    pub(super) start: f32,
}

/// What the objective of this name does, with this base score.
pub(super) fn answer(name: &str, base_score: f32) -> Result<Answer, String> {
    let (objective, start) = match name {
        "binary:logistic" | "reg:logistic" => {
            if !(base_score > 0.0 && base_score < 1.0) {
                return Err(format!("`base_score` is {base_score}, `{name}` takes one between 0 and 1"));
            }
            // The operations of the library, in its order, rounded after each.
            (Objective::SigmoidSingle, -(1.0 / base_score - 1.0).ln())
        }
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            if base_score <= 0.0 {
                return Err(format!("`base_score` is {base_score}, `{name}` takes a positive one"));
            }
            (Objective::ExpSingle, base_score.ln())
        }
        "binary:hinge" => (Objective::Step, base_score),
        "binary:logitraw"
        | "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:pseudohubererror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => (Objective::Raw, base_score),
        "multi:softmax" | "multi:softprob" => {
            return Err(format!("`{name}` gives several scores per row: one is wanted"));
        }
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(format!("objective `{other}` is not known here: what it does to the scores cannot be told"));
        }
    };
    Ok(Answer { objective, start })
}
