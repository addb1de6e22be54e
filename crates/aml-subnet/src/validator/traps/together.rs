//! Alerts that belong together: whoever shares a cluster, directly or through others.
//!
//! A trap whose cluster has lost its other members is told by that alone. So where the task is the same for all, everything
//! that belongs together is issued together: the members beside the traps are companions, which nobody is judged by.

use std::collections::HashMap;

use aml_miner::wire::Batch;

/// Companies of more alerts are left out: they would be a large part of a task.
pub(super) const MOST: usize = 32;

/// The companies of a batch's alerts.
#[derive(Clone, Debug)]
pub(super) struct Companies {
    /// By row of the alerts.
    of: Vec<usize>,
    /// Rows, ascending.
    members: Vec<Vec<usize>>,
}

impl Companies {
    /// Those of `batch`; an alert without a cluster is a company of its own.
    pub(super) fn of(batch: &Batch) -> Self {
        let rows = batch.alerts.rows();
        let ids = batch.alerts.texts("alert_id").into_iter().flat_map(|column| column.iter().zip(0..));
        let row_of: HashMap<&str, usize> = ids.collect();
        let mut root: Vec<usize> = (0..rows).collect();
        if let Some(lists) = batch.clusters.text_lists("related_alert_ids") {
            for cluster in 0..lists.len() {
                let mut there = lists.get(cluster).filter_map(|id| row_of.get(id).copied());
                let Some(first) = there.next() else { continue };
                for other in there {
                    let (a, b) = (end(&mut root, first), end(&mut root, other));
                    // The smaller row, so that the order of clusters does not matter.
                    root[a.max(b)] = a.min(b);
                }
            }
        }
        let mut number: HashMap<usize, usize> = HashMap::new();
        let (mut of, mut members) = (Vec::with_capacity(rows), Vec::<Vec<usize>>::new());
        for row in 0..rows {
            let company = *number.entry(end(&mut root, row)).or_insert(members.len());
            if company == members.len() {
                members.push(Vec::new());
            }
            members[company].push(row);
            of.push(company);
        }
        Self { of, members }
    }

    /// The rows of an alert's company, its own among them.
    pub(super) fn with(&self, row: usize) -> &[usize] {
        self.of.get(row).map_or(&[], |&company| &self.members[company])
    }
}

/// The root of a row; the way there gets shorter.
fn end(root: &mut [usize], mut row: usize) -> usize {
    while root[row] != row {
        root[row] = root[root[row]];
        row = root[row];
    }
    row
}

#[cfg(test)]
mod tests {
    use aml_miner::wire::spec::{ALERTS, CLUSTERS};
    use aml_miner::wire::{Batch, Column, Table, TextColumn, TextLists};

    use super::Companies;

    #[test]
    fn who_shares_a_cluster_belongs_together() {
        let mut alerts = Table::new(&ALERTS, 6, vec![None; ALERTS.columns.len()], Vec::new());
        let ids = ["a", "b", "c", "d", "e", "f"].into_iter().collect::<TextColumn>();
        alerts.set_column(ALERTS.position("alert_id").unwrap(), Some(Column::Texts(ids)));
        let mut clusters = Table::new(&CLUSTERS, 3, vec![None; CLUSTERS.columns.len()], Vec::new());
        let mut members = TextLists::default();
        for list in [vec!["e", "b"], vec!["c", "gone"], vec!["a", "e"]] {
            list.into_iter().for_each(|id| members.push_item(id));
            members.end_row();
        }
        clusters.set_column(CLUSTERS.position("related_alert_ids").unwrap(), Some(Column::TextLists(members)));
        let companies = Companies::of(&Batch { alerts, clusters, ..Batch::empty() });
        let of = |row| companies.with(row).to_vec();
        assert_eq!((of(0), of(1), of(4)), (vec![0, 1, 4], vec![0, 1, 4], vec![0, 1, 4]));
        assert_eq!((of(2), of(3), of(5)), (vec![2], vec![3], vec![5]));
        assert!(companies.with(6).is_empty());
    }
}
