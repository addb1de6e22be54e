//! Which features an explanation names.

/// Features an explanation names.
pub const TOP_FEATURES: usize = 5;

/// One feature of an explanation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impact {
    /// Its place in the schema.
    pub feature: usize,
    /// What it adds to the row's raw score.
    pub impact: f64,
}

/// The [`TOP_FEATURES`] features with the largest absolute contributions, largest first; of equal ones the earlier in
/// the schema.
#[must_use]
pub fn top_features(contributions: &[f64]) -> Vec<Impact> {
    let mut top: Vec<Impact> = Vec::with_capacity(TOP_FEATURES + 1);
    for (feature, &impact) in contributions.iter().enumerate() {
        let size = impact.abs();
        let full = top.len() == TOP_FEATURES;
        if full && top.last().is_some_and(|last| size <= last.impact.abs()) {
            continue;
        }
        let place = top.partition_point(|known| known.impact.abs() >= size);
        top.insert(place, Impact { feature, impact });
        top.truncate(TOP_FEATURES);
    }
    top
}
