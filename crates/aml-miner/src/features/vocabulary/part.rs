//! The tables of a batch, as the columns of a feature name them.

use crate::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS, TableSpec};
use crate::wire::{Batch, Table};

/// A table of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The alerts.
    Alerts,
    /// The addresses and their features.
    Addresses,
    /// The clusters.
    Clusters,
    /// The edges between addresses.
    Flows,
}

impl Part {
    /// The columns of this table.
    #[must_use]
    pub fn spec(self) -> &'static TableSpec {
        match self {
            Self::Alerts => &ALERTS,
            Self::Addresses => &FEATURES,
            Self::Clusters => &CLUSTERS,
            Self::Flows => &MONEY_FLOWS,
        }
    }

    /// This table in `batch`.
    #[must_use]
    pub fn of(self, batch: &Batch) -> &Table {
        match self {
            Self::Alerts => &batch.alerts,
            Self::Addresses => &batch.features,
            Self::Clusters => &batch.clusters,
            Self::Flows => &batch.money_flows,
        }
    }

    /// Whether a table without rows says "there are none" rather than "not given".
    pub(crate) fn may_be_empty(self) -> bool {
        matches!(self, Self::Alerts | Self::Clusters)
    }
}
