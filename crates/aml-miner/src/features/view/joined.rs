//! The rows that a matrix is built for, joined to the batch's other tables once.
//!
//! Joins keep the first row of a table that matches: of an address that is listed twice, and of the clusters that
//! name an alert. Ids come from outside, so the maps use a keyed hash; nothing iterates over them.

use std::collections::HashMap;

use super::addresses::Addresses;
use super::dealings::Dealings;
use super::flow_figures;
use super::flow_graph::Graph;
use super::spreads::{Comparisons, Spreads};
use crate::features::expressions::FlowStats;
use crate::features::vocabulary::{NONE, Part, Reads, Rows, index};
use crate::table::keyed_hash::Keyed;
use crate::wire::{Batch, TextColumn};

/// What the money flows say about the rows of a view.
#[derive(Debug)]
pub(crate) struct Flows {
    of_row: Vec<u32>,
    stats: Vec<FlowStats>,
}

impl Flows {
    /// The figures of the address of row `row`.
    pub(crate) fn of(&self, row: usize) -> Option<&FlowStats> {
        self.stats.get(self.of_row[row] as usize)
    }
}

/// Rows of one table of a batch (its alerts, its clusters, or addresses) with the rows of other tables that belong to
/// them.
#[derive(Debug)]
pub(crate) struct JoinedRows<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) rows: usize,
    pub(crate) alert: Rows,
    pub(crate) address: Rows,
    pub(crate) cluster: Rows,
    pub(crate) flows: Option<Flows>,
    pub(crate) dealings: Option<Box<Dealings<'a>>>,
    pub(crate) spreads: Spreads,
}

impl<'a> JoinedRows<'a> {
    /// One row per alert, with the joins that `reads` asks for, compared with the day where the batch is a part of one.
    pub(crate) fn of_alerts(batch: &'a Batch, reads: &Reads, day: Option<&Comparisons>) -> Self {
        let mut view = Self::bare(batch, batch.alerts.rows());
        view.alert = Rows::Same;
        if reads.has(Part::Addresses) || reads.flows || reads.dealings {
            let mut addresses = Addresses::default();
            let ids = match batch.alerts.texts("address") {
                Some(names) => names.iter().map(|name| addresses.id(name)).collect(),
                None => vec![NONE; view.rows],
            };
            view.join_addresses(&addresses, ids, reads);
        }
        if reads.has(Part::Clusters) {
            view.cluster = Rows::Joined(clusters_of_alerts(batch));
        }
        if reads.relative {
            view.spreads = Spreads::of(&batch.alerts, day);
        }
        view
    }

    /// One row per address.
    pub(crate) fn of_addresses(batch: &'a Batch, addresses: &Addresses<'a>, reads: &Reads) -> Self {
        let mut view = Self::bare(batch, addresses.names().len());
        let ids = (0..addresses.names().len()).map(index).collect();
        view.join_addresses(addresses, ids, reads);
        view
    }

    /// One row per row of `features`, without joins.
    pub(super) fn of_features(batch: &'a Batch) -> Self {
        let mut view = Self::bare(batch, batch.features.rows());
        view.address = Rows::Same;
        view
    }

    /// One row per cluster, without joins.
    pub(crate) fn of_clusters(batch: &'a Batch) -> Self {
        let mut view = Self::bare(batch, batch.clusters.rows());
        view.cluster = Rows::Same;
        view
    }

    /// The row of `part` for row `row` of the view.
    pub(crate) fn row_in(&self, part: Part, row: usize) -> Option<usize> {
        self.rows_in(part).of(row)
    }

    /// How the rows of `part` stand for those of the view.
    pub(crate) fn rows_in(&self, part: Part) -> &Rows {
        match part {
            Part::Alerts => &self.alert,
            Part::Addresses => &self.address,
            Part::Clusters => &self.cluster,
            Part::Flows => &Rows::Apart,
        }
    }

    fn bare(batch: &'a Batch, rows: usize) -> Self {
        Self {
            batch,
            rows,
            alert: Rows::Apart,
            address: Rows::Apart,
            cluster: Rows::Apart,
            flows: None,
            dealings: None,
            spreads: Spreads::default(),
        }
    }

    fn join_addresses(&mut self, addresses: &Addresses<'a>, ids: Vec<u32>, reads: &Reads) {
        if reads.has(Part::Addresses) {
            let rows = addresses.feature_rows(self.batch);
            let row_of = |&id: &u32| if id == NONE { NONE } else { rows[id as usize] };
            self.address = Rows::Joined(ids.iter().map(row_of).collect());
        }
        if !(reads.flows || reads.dealings) || self.batch.money_flows.rows() == 0 {
            return;
        }
        let graph = Graph::new(self.batch);
        if reads.dealings {
            self.dealings = Some(Box::new(Dealings::new(self.batch, &graph, addresses.names(), ids.clone())));
        }
        if reads.flows {
            self.flows = Some(Flows { stats: flow_figures::stats(&graph, addresses.names()), of_row: ids });
        }
    }
}

/// For each alert the first cluster that names it.
fn clusters_of_alerts(batch: &Batch) -> Vec<u32> {
    let mut found = vec![NONE; batch.alerts.rows()];
    let (Some(ids), Some(members)) = (batch.alerts.texts("alert_id"), batch.clusters.text_lists("related_alert_ids"))
    else {
        return found;
    };
    let rows = rows_of_ids(ids);
    for cluster in 0..members.len() {
        for id in members.get(cluster) {
            if let Some(&row) = rows.get(id)
                && found[row as usize] == NONE
            {
                found[row as usize] = index(cluster);
            }
        }
    }
    found
}

/// The row of each id.
pub(crate) fn rows_of_ids(ids: &TextColumn) -> HashMap<&str, u32, Keyed> {
    ids.iter().enumerate().map(|(row, id)| (id, index(row))).collect()
}
