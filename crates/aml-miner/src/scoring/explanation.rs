//! Which features an explanation names.

use crate::wire::reply::Impact;

/// Features that an explanation names, unless all are wanted.
pub const TOP_FEATURES: usize = 5;

/// How much of an explanation is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The [`TOP_FEATURES`] features with the largest contributions.
    Top,
    /// Every feature, by contribution.
    Full,
}

/// One of the strongest features of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopFeature {
    /// Its place in the schema.
    pub feature: usize,
    /// What it adds to the row's raw score.
    pub impact: f64,
}

/// The [`TOP_FEATURES`] features with the largest absolute contributions, largest first; of equal ones the earlier in
/// the schema.
#[must_use]
pub fn top_features(contributions: &[f64]) -> Vec<TopFeature> {
    let mut top: Vec<TopFeature> = Vec::with_capacity(TOP_FEATURES + 1);
    for (feature, &impact) in contributions.iter().enumerate() {
        let size = impact.abs();
        let full = top.len() == TOP_FEATURES;
        if full && top.last().is_some_and(|last| size <= last.impact.abs()) {
            continue;
        }
        let place = top.partition_point(|known| known.impact.abs() >= size);
        top.insert(place, TopFeature { feature, impact });
        top.truncate(TOP_FEATURES);
    }
    top
}

/// The features that an explanation of a row names, strongest first.
pub(super) fn impacts(row: &[f64], contributions: &[f64], extent: Extent) -> Vec<Impact> {
    if extent == Extent::Top {
        let top = top_features(contributions).into_iter();
        return top.map(|top| Impact { feature: top.feature, value: row[top.feature], impact: top.impact }).collect();
    }
    let all = contributions.iter().zip(row).enumerate();
    let mut all: Vec<_> = all.map(|(feature, (&impact, &value))| Impact { feature, value, impact }).collect();
    all.sort_by(|a, b| b.impact.abs().total_cmp(&a.impact.abs()));
    all
}
