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

/// The `listed` features with the largest gain.
pub(super) fn importance(text: &str, schema: &Schema, listed: usize) -> Vec<Importance> {
    let found = schema.features.iter().zip(gains(text, schema.features.len()));
    let named = found.map(|(feature, (gain, splits))| Importance { feature: feature.clone(), gain, splits });
    let mut all: Vec<Importance> = named.filter(|feature| feature.splits > 0).collect();
    all.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.feature.cmp(&b.feature)));
    all.truncate(listed);
    all
}

/// Total gain and number of the splits of each of `features` columns. Lines that are not lists of numbers count for nothing: the
/// text was checked when the model was loaded.
pub(in crate::training) fn gains(text: &str, features: usize) -> Vec<(f64, usize)> {
    let mut all = vec![(0.0, 0); features];
    let mut columns: Vec<usize> = Vec::new();
    for line in text.lines() {
        if let Some(list) = line.strip_prefix("split_feature=") {
            columns = list.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect();
        } else if let Some(list) = line.strip_prefix("split_gain=") {
            let gains = list.split_ascii_whitespace().filter_map(|number| number.parse::<f64>().ok());
            for (&column, gain) in columns.iter().zip(gains) {
                if let Some((sum, splits)) = all.get_mut(column) {
                    *sum += gain;
                    *splits += 1;
                }
            }
        }
    }
    all
}
