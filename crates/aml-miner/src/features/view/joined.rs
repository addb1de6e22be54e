//! The rows that a matrix is built for, joined to the batch's other tables once.
//!
//! Joins keep the first row of a table that matches: of an address that is listed twice, and of the clusters that
//! name an alert. Ids come from outside, so the maps use a keyed hash; nothing iterates over them.

use std::collections::HashMap;

use super::addresses::Addresses;
use super::dealings::Dealings;
use super::flow_figures;
use super::flow_graph::Graph;
use super::spreads::Spreads;
use crate::features::expressions::FlowStats;
use crate::features::vocabulary::{NONE, Part, Reads, Rows, index};
use crate::history::{History, Known};
use crate::table::keyed_hash::Keyed;
use crate::wire::{Batch, Table, TextColumn};

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
    /// What earlier days say of the address of each row, where they are asked.
    pub(crate) pasts: Option<Vec<Option<Known<'a>>>>,
    pub(crate) spreads: Spreads,
}

impl<'a> JoinedRows<'a> {
    /// One row per alert, with the joins that `reads` asks for.
    pub(crate) fn of_alerts(batch: &'a Batch, reads: &Reads, history: Option<&'a History>) -> Self {
        let mut view = Self::bare(batch, batch.alerts.rows());
        view.alert = Rows::Same;
        if reads.has(Part::Addresses) || reads.flows || reads.dealings {
            let mut addresses = Addresses::default();
            let ids = match batch.alerts.texts("address") {
                Some(names) => names.iter().map(|name| addresses.id(name)).collect(),
                None => vec![NONE; view.rows],
            };
            view.join_addresses(&addresses, ids, reads, history);
        }
        if let Some(history) = history.filter(|_| reads.history) {
            view.pasts = Some(pasts(history, &batch.alerts));
        }
        if reads.has(Part::Clusters) {
            view.cluster = Rows::Joined(clusters_of_alerts(batch));
        }
        if reads.relative {
            view.spreads = Spreads::of(&batch.alerts);
        }
        view
    }

    /// One row per address.
    pub(crate) fn of_addresses(
        batch: &'a Batch,
        addresses: &Addresses<'a>,
        reads: &Reads,
        history: Option<&'a History>,
    ) -> Self {
        let mut view = Self::bare(batch, addresses.names().len());
        let ids = (0..addresses.names().len()).map(index).collect();
        view.join_addresses(addresses, ids, reads, history);
        if let Some(history) = history.filter(|_| reads.history) {
            let days = batch.features.numbers("processing_date");
            let past = |(row, name): (usize, &&str)| history.past(name, day(*days?.get(view.address.of(row)?)?)?);
            view.pasts = Some(addresses.names().iter().enumerate().map(past).collect());
        }
        view
    }

    /// One row per row of `features`, without joins to other tables.
    pub(super) fn of_features(batch: &'a Batch, history: Option<&'a History>) -> Self {
        let mut view = Self::bare(batch, batch.features.rows());
        view.address = Rows::Same;
        view.pasts = history.map(|history| pasts(history, &batch.features));
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
            pasts: None,
            spreads: Spreads::default(),
        }
    }

    fn join_addresses(
        &mut self,
        addresses: &Addresses<'a>,
        ids: Vec<u32>,
        reads: &Reads,
        history: Option<&'a History>,
    ) {
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
            let features = JoinedRows::of_features(self.batch, history.filter(|_| reads.history));
            self.dealings = Some(Box::new(Dealings::new(&graph, addresses.names(), ids.clone(), features)));
        }
        if reads.flows {
            self.flows = Some(Flows { stats: flow_figures::stats(&graph, addresses.names()), of_row: ids });
        }
    }
}

/// What `history` says of the address of each row of a table, on the day that the row is of.
fn pasts<'a>(history: &'a History, table: &Table) -> Vec<Option<Known<'a>>> {
    let (Some(names), Some(days)) = (table.texts("address"), table.numbers("processing_date")) else {
        return vec![None; table.rows()];
    };
    names.iter().zip(days).map(|(name, &value)| history.past(name, day(value)?)).collect()
}

/// A day as the tables hold it, in days since 1970-01-01; `None` where it is missing.
fn day(value: f64) -> Option<i32> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "days of a table are whole numbers within the bounds of the format"
    )]
    (!value.is_nan()).then_some(value as i32)
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
