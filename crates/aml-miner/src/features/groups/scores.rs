//! Features of a cluster from the alert scorer's scores of its alerts.

use crate::features::expressions::{Aggregate, Feature, Group, ScoreFigure};

/// How many of the highest scores `score_top3_mean` takes.
const TOP: usize = 3;

/// The features of this group: missing where no score of the cluster's alerts is known.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, doc, figure| Feature::new(name, Group::Scores, doc, ScoreFigure(figure));
    vec![
        feature("score_mean", "Mean score of the cluster's alerts.", |scores| Aggregate::Mean.of(scores)),
        feature("score_max", "Highest score of the cluster's alerts.", |scores| Aggregate::Max.of(scores)),
        feature("score_min", "Lowest score of the cluster's alerts.", |scores| Aggregate::Min.of(scores)),
        feature("score_sum", "Sum of the scores of the cluster's alerts.", |scores| Aggregate::Sum.of(scores)),
        feature("score_std", "Standard deviation of the scores of the cluster's alerts.", |scores| {
            Aggregate::Std.of(scores)
        }),
        feature("score_top3_mean", "Mean of the three highest scores of the cluster's alerts.", |scores| {
            Aggregate::Mean.of(&scores[scores.len().saturating_sub(TOP)..])
        }),
        feature("score_any", "Probability that any alert is illicit, were the scores independent.", |scores| {
            1.0 - scores.iter().map(|score| 1.0 - score).product::<f64>()
        }),
    ]
}
