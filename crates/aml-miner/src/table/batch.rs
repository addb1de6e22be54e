//! One day's alerts with what is known about their addresses, clusters and money flows.

use crate::table::Table;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS};

/// The four tables that a request body or a batch directory holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// One row is an alert.
    pub alerts: Table,
    /// One row is an address.
    pub features: Table,
    /// One row is a group of related alerts.
    pub clusters: Table,
    /// One row is a directed edge between two addresses.
    pub money_flows: Table,
}

impl Batch {
    /// A batch without rows.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            alerts: Table::empty(&ALERTS),
            features: Table::empty(&FEATURES),
            clusters: Table::empty(&CLUSTERS),
            money_flows: Table::empty(&MONEY_FLOWS),
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::empty()
    }
}
