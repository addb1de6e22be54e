//! Whom the clusters of a day name, and how the clusters are cut into blocks.

use super::lists::{Lists, NONE, Numbers, Pairs, index};
use crate::wire::Table;

/// The alerts and addresses that clusters name.
#[derive(Default)]
pub(super) struct Members {
    /// Named alerts as numbers.
    named: Numbers,
    /// For each named alert the first cluster that names it.
    first: Vec<u32>,
    /// For each named alert its row, where the day has it.
    row: Vec<u32>,
    /// For each cluster where its alerts end in `alerts`.
    ends: Vec<usize>,
    alerts: Vec<u32>,
    /// For each cluster the block to which it belongs.
    pub(super) block: Vec<u32>,
    /// For each named alert the blocks of clusters that name it.
    blocks: Lists,
    /// Addresses of blocks.
    involved: Pairs,
    /// What the last block names.
    filled: usize,
}

impl Members {
    /// Adds the next clusters; a block of them names some `rows` alerts and addresses.
    pub(super) fn add(&mut self, clusters: &Table, rows: usize, addresses: &mut Numbers) {
        let (alerts, involved) = (clusters.text_lists("related_alert_ids"), clusters.text_lists("addresses_involved"));
        for row in 0..clusters.rows() {
            let names = 1 + alerts.map_or(0, |lists| lists.count(row)) + involved.map_or(0, |lists| lists.count(row));
            let last = self.block.last().copied();
            self.filled += names;
            let block = match last {
                Some(last) if self.filled <= rows => last,
                Some(last) => last + 1,
                None => 0,
            };
            if last != Some(block) {
                self.filled = names;
            }
            let cluster = index(self.block.len());
            self.block.push(block);
            for id in alerts.into_iter().flat_map(|lists| lists.get(row)) {
                let named = self.named.number(id);
                if named == NONE {
                    continue;
                }
                if named as usize == self.first.len() {
                    self.first.push(cluster);
                    self.row.push(NONE);
                }
                self.alerts.push(named);
            }
            self.ends.push(self.alerts.len());
            for address in involved.into_iter().flat_map(|lists| lists.get(row)) {
                let address = addresses.number(address);
                if address != NONE {
                    self.involved.add(address, block);
                }
            }
        }
    }

    /// All clusters were added: the addresses that each block of them names.
    pub(super) fn close(&mut self) -> Lists {
        let mut pairs = Pairs::default();
        for cluster in 0..self.block.len() {
            self.of(cluster).iter().for_each(|&named| pairs.add(named, self.block[cluster]));
        }
        self.blocks = pairs.lists();
        std::mem::take(&mut self.involved).lists()
    }

    /// How many blocks of clusters there are.
    pub(super) fn count(&self) -> usize {
        self.block.last().map_or(0, |last| *last as usize + 1)
    }

    /// The blocks of clusters that name the alert `id`, which stands in `row`.
    pub(super) fn found(&mut self, id: &str, row: usize) -> &[u32] {
        let named = self.named.known(id);
        if named == NONE {
            return &[];
        }
        self.row[named as usize] = index(row);
        self.blocks.of(named)
    }

    /// For each alert that `cluster` is the first to name: its row, and the blocks of clusters that name it.
    pub(super) fn firsts(&self, cluster: usize) -> impl Iterator<Item = (u32, &[u32])> {
        let first = move |named: &&u32| self.first[**named as usize] == index(cluster);
        self.of(cluster).iter().filter(first).map(|&named| (self.row[named as usize], self.blocks.of(named)))
    }

    fn of(&self, cluster: usize) -> &[u32] {
        let start = cluster.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.alerts[start..self.ends[cluster]]
    }
}
