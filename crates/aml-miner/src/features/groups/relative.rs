//! Features that compare an alert with the other alerts of the same batch.
//!
//! They change when the batch changes, so scoring a part of a batch gives other values than scoring all of it. No
//! default schema has them.

use crate::features::expressions::{Comparison, Feature, Formula, Group, Measure};

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, doc, comparison| Feature::new(name, Group::BatchRelative, doc, Formula::Relative(comparison));
    vec![
        feature(
            "volume_percentile",
            "Share of the batch's alerts with a smaller volume, counting equal ones half.",
            Comparison::Percentile(Measure::Volume),
        ),
        feature(
            "volume_zscore",
            "The alert's volume less the batch's mean, in the batch's standard deviations.",
            Comparison::ZScore(Measure::Volume),
        ),
        feature(
            "confidence_percentile",
            "Share of the batch's alerts with a smaller confidence, counting equal ones half.",
            Comparison::Percentile(Measure::Confidence),
        ),
        feature(
            "confidence_zscore",
            "The alert's confidence less the batch's mean, in the batch's standard deviations.",
            Comparison::ZScore(Measure::Confidence),
        ),
    ]
}
