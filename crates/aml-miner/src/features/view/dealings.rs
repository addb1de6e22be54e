//! Whom the addresses of a view deal with, and what the batch's `features` say of those.

use super::flow_graph::Graph;
use super::joined::JoinedRows;
use crate::features::expressions::Counterparties;
use crate::features::vocabulary::{NONE, index};
use crate::wire::Batch;

/// Counterparties by address, as rows of `features`.
#[derive(Debug)]
pub(crate) struct Dealings<'a> {
    /// The address of each row of the view.
    of_row: Vec<u32>,
    senders: Lists,
    recipients: Lists,
    /// One row per row of `features`.
    pub(crate) features: JoinedRows<'a>,
}

/// Lists of rows, one for each address, in one buffer.
#[derive(Debug, Default)]
struct Lists {
    ends: Vec<usize>,
    rows: Vec<u32>,
}

impl Lists {
    fn of(&self, address: usize) -> &[u32] {
        let start = address.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[address]]
    }
}

impl<'a> Dealings<'a> {
    /// The counterparties of `names` in `graph`; `of_row` is the address of each row of the view, and `features` has one row per
    /// row of `features`.
    pub(super) fn new(graph: &Graph<'a>, names: &[&str], of_row: Vec<u32>, features: JoinedRows<'a>) -> Self {
        let rows = graph.feature_rows(features.batch);
        let (mut senders, mut recipients) = (Lists::default(), Lists::default());
        for name in names {
            let node = graph.node(name);
            for (lists, side) in
                [(&mut senders, Counterparties::Senders), (&mut recipients, Counterparties::Recipients)]
            {
                let found = node.map(|node| graph.dealt_with(node, side)).unwrap_or_default();
                lists.rows.extend(found.into_iter().map(|other| rows[other as usize]).filter(|&row| row != NONE));
                lists.ends.push(lists.rows.len());
            }
        }
        Self { of_row, senders, recipients, features }
    }

    /// The number of addresses.
    pub(crate) fn addresses(&self) -> usize {
        self.senders.ends.len()
    }

    /// The address of row `row` of the view.
    pub(crate) fn address(&self, row: usize) -> Option<usize> {
        (self.of_row[row] != NONE).then_some(self.of_row[row] as usize)
    }

    /// Rows of `features` of the counterparties of an address.
    pub(crate) fn of(&self, side: Counterparties, address: usize) -> &[u32] {
        match side {
            Counterparties::Senders => self.senders.of(address),
            Counterparties::Recipients => self.recipients.of(address),
        }
    }
}

impl Graph<'_> {
    /// The distinct counterparties of a node in one direction, exchanges left out, in ascending order.
    fn dealt_with(&self, node: u32, side: Counterparties) -> Vec<u32> {
        let (edges, others) = match side {
            Counterparties::Senders => (self.incoming.of(node), &self.from),
            Counterparties::Recipients => (self.outgoing.of(node), &self.to),
        };
        let is_exchange = |other: u32| self.exchange.as_ref().is_some_and(|exchange| exchange[other as usize]);
        let mut found: Vec<u32> =
            edges.iter().map(|&row| others[row as usize]).filter(|&other| !is_exchange(other)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// For each node the first row of `features` that has its address.
    fn feature_rows(&self, batch: &Batch) -> Vec<u32> {
        let mut rows = vec![NONE; self.nodes()];
        let addresses = batch.features.texts("address").into_iter().flat_map(|texts| texts.iter());
        for (row, address) in addresses.enumerate() {
            if let Some(node) = self.node(address)
                && rows[node as usize] == NONE
            {
                rows[node as usize] = index(row);
            }
        }
        rows
    }
}
