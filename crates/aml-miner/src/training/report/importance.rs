//! How much each feature's splits gained, read from LightGBM's text; other files say it otherwise, and nothing is read from them.

use serde::Serialize;

use crate::features::Schema;

/// The total gain of a feature's splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// Name of the feature.
    pub feature: String,
    /// Sum of the gains of its splits.
    pub gain: f64,
    /// Number of its splits.
    pub splits: usize,
}

/// The `listed` features with the largest gain. Lines that are not lists of numbers count for nothing: the text was
/// checked when the model was loaded.
pub(super) fn importance(text: &str, schema: &Schema, listed: usize) -> Vec<Importance> {
    let empty = |feature: &String| Importance { feature: feature.clone(), gain: 0.0, splits: 0 };
    let mut all: Vec<Importance> = schema.features.iter().map(empty).collect();
    let mut features: Vec<usize> = Vec::new();
    for line in text.lines() {
        if let Some(list) = line.strip_prefix("split_feature=") {
            features = list.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect();
        } else if let Some(list) = line.strip_prefix("split_gain=") {
            let gains = list.split_ascii_whitespace().filter_map(|number| number.parse::<f64>().ok());
            for (&feature, gain) in features.iter().zip(gains) {
                if let Some(known) = all.get_mut(feature) {
                    known.gain += gain;
                    known.splits += 1;
                }
            }
        }
    }
    all.retain(|feature| feature.splits > 0);
    all.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.feature.cmp(&b.feature)));
    all.truncate(listed);
    all
}
