//! What is wanted of a day: columns, joins and comparisons.

#[cfg(feature = "judging")]
use crate::features::FeatureBuilder;
use crate::features::Reads;
use crate::offline::OfflineModels;
use crate::wire::{Explain, Needs};

/// What is wanted of a day.
pub(crate) struct Wanted {
    pub(super) reads: Reads,
    pub(super) needs: Needs,
    /// Whether clusters have blocks of their own.
    pub(super) clusters: bool,
    /// Whether it matters which rows are severe.
    pub(super) severe: bool,
}

impl Wanted {
    /// What these models take where so much is explained.
    pub(super) fn of_models(models: &OfflineModels, explain: Explain) -> Self {
        let mut wanted = Self::none(matches!(explain, Explain::Share(_)));
        for model in [&models.alert_scorer, &models.alert_ranker, &models.cluster_scorer].into_iter().flatten() {
            wanted.reads.extend(model.builder.reads());
            wanted.needs = wanted.needs.and(model.needs_for(explain));
            // Earlier days are asked by name.
            wanted.reads.named |= model.builder.needs_history();
        }
        wanted.clusters = models.cluster_scorer.is_some();
        wanted
    }

    /// What `builders` take, and these columns; with blocks of clusters where `clusters` says so. Addresses keep their names.
    #[cfg(feature = "judging")]
    pub(crate) fn of_builders(builders: &[&FeatureBuilder], columns: &[(&str, &str)], clusters: bool) -> Self {
        let mut wanted = Self::none(false);
        for builder in builders {
            wanted.reads.extend(builder.reads());
            wanted.needs = wanted.needs.and(builder.columns());
        }
        wanted.needs = columns.iter().fold(wanted.needs, |needs, (table, column)| needs.with(table, column));
        wanted.reads.named = true;
        Self { clusters, ..wanted }
    }

    fn none(severe: bool) -> Self {
        let needs = Needs::keys_only().with("alerts", "alert_id").with("clusters", "cluster_id");
        Self { reads: Reads::default(), needs, clusters: false, severe }
    }
}
