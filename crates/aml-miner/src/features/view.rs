//! The rows that a matrix is built for, joined to the batch's other tables once.
//!
//! Joins keep the first row of a table that matches: of an address that is listed twice, and of the clusters that
//! name an alert. Ids come from outside, so the maps use the standard library's keyed hash; nothing iterates over them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::features::flow::{self, FlowStats};
use crate::features::needs::{Needs, Part};
use crate::features::relative::Relatives;
use crate::wire::{Batch, TextColumn};

/// "No such row" in a join.
pub(crate) const NONE: u32 = u32::MAX;

/// A row number as joins hold it; tables are shorter than 2^32 rows, which the builder checks.
pub(crate) fn index(row: usize) -> u32 {
    u32::try_from(row).expect("a table has fewer than 2^32 rows")
}

/// Where the rows of a table stand for the rows of a view.
#[derive(Debug, Default)]
pub(crate) enum Rows {
    /// The table does not take part.
    #[default]
    Apart,
    /// Row by row.
    Same,
    /// By a join; [`NONE`] where there is no row.
    Joined(Vec<u32>),
}

impl Rows {
    /// The table's row for row `row` of the view.
    fn of(&self, row: usize) -> Option<usize> {
        match self {
            Self::Apart => None,
            Self::Same => Some(row),
            Self::Joined(rows) => Some(rows[row]).filter(|&joined| joined != NONE).map(|joined| joined as usize),
        }
    }
}

/// Distinct addresses in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Addresses<'a> {
    ids: HashMap<&'a str, u32>,
    names: Vec<&'a str>,
}

impl<'a> Addresses<'a> {
    /// The id of `name`, given out when it is new; [`NONE`] for an empty name.
    pub(crate) fn id(&mut self, name: &'a str) -> u32 {
        if name.is_empty() {
            return NONE;
        }
        match self.ids.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = index(self.names.len());
                self.names.push(name);
                *new.insert(id)
            }
        }
    }

    /// The addresses, by id.
    pub(crate) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// For each id the first row of `features` that has the address.
    pub(crate) fn feature_rows(&self, batch: &Batch) -> Vec<u32> {
        let mut rows = vec![NONE; self.names.len()];
        let Some(addresses) = batch.features.texts("address") else {
            return rows;
        };
        for (row, address) in addresses.iter().enumerate() {
            if let Some(&id) = self.ids.get(address) {
                let found = &mut rows[id as usize];
                if *found == NONE {
                    *found = index(row);
                }
            }
        }
        rows
    }
}

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

/// The alerts of a batch (or, within this crate, its clusters or addresses) with the rows that belong to them.
#[derive(Debug)]
pub struct AlertsView<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) rows: usize,
    pub(crate) alert: Rows,
    pub(crate) address: Rows,
    pub(crate) cluster: Rows,
    pub(crate) flows: Option<Flows>,
    pub(crate) relatives: Relatives,
}

impl<'a> AlertsView<'a> {
    /// One row an alert, with the joins that `needs` asks for.
    pub(crate) fn of_alerts(batch: &'a Batch, needs: &Needs) -> Self {
        let mut view = Self::bare(batch, batch.alerts.rows());
        view.alert = Rows::Same;
        if needs.reads(Part::Addresses) || needs.flows {
            let mut addresses = Addresses::default();
            let ids = match batch.alerts.texts("address") {
                Some(names) => names.iter().map(|name| addresses.id(name)).collect(),
                None => vec![NONE; view.rows],
            };
            view.join_addresses(&addresses, ids, needs);
        }
        if needs.reads(Part::Clusters) {
            view.cluster = Rows::Joined(clusters_of_alerts(batch));
        }
        if needs.relative {
            view.relatives = Relatives::of(&batch.alerts);
        }
        view
    }

    /// One row an address.
    pub(crate) fn of_addresses(batch: &'a Batch, addresses: &Addresses<'a>, needs: &Needs) -> Self {
        let mut view = Self::bare(batch, addresses.names().len());
        let ids = (0..addresses.names().len()).map(index).collect();
        view.join_addresses(addresses, ids, needs);
        view
    }

    /// One row a cluster, without joins.
    pub(crate) fn of_clusters(batch: &'a Batch) -> Self {
        let mut view = Self::bare(batch, batch.clusters.rows());
        view.cluster = Rows::Same;
        view
    }

    /// The batch.
    #[must_use]
    pub fn batch(&self) -> &'a Batch {
        self.batch
    }

    /// Number of alerts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The row of the batch's `features` that holds the address of alert `row`.
    #[must_use]
    pub fn address_row(&self, row: usize) -> Option<usize> {
        self.address.of(row)
    }

    /// The row of the batch's `clusters` that alert `row` belongs to: the first that names it.
    #[must_use]
    pub fn cluster_row(&self, row: usize) -> Option<usize> {
        self.cluster.of(row)
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
            relatives: Relatives::default(),
        }
    }

    fn join_addresses(&mut self, addresses: &Addresses<'a>, ids: Vec<u32>, needs: &Needs) {
        if needs.reads(Part::Addresses) {
            let rows = addresses.feature_rows(self.batch);
            let row_of = |&id: &u32| if id == NONE { NONE } else { rows[id as usize] };
            self.address = Rows::Joined(ids.iter().map(row_of).collect());
        }
        if needs.flows && self.batch.money_flows.rows() > 0 {
            self.flows = Some(Flows { stats: flow::stats(self.batch, addresses.names()), of_row: ids });
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
pub(crate) fn rows_of_ids(ids: &TextColumn) -> HashMap<&str, u32> {
    ids.iter().enumerate().map(|(row, id)| (id, index(row))).collect()
}
