//! The money flows as a graph: addresses as numbers, edges grouped by either end.

use std::collections::HashMap;

use crate::features::vocabulary::{NONE, index};
use crate::table::keyed_hash::Keyed;
use crate::wire::{Batch, TextColumn};

/// Rows of the money flows, grouped by one of their ends.
pub(super) struct Grouped {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Grouped {
    /// Groups the edges by `ends`; an edge to oneself or without an end is left out.
    fn new(nodes: usize, ends: &[u32], others: &[u32]) -> Self {
        let is_edge = |&row: &usize| ends[row] != NONE && others[row] != NONE && ends[row] != others[row];
        let mut starts = vec![0_u32; nodes + 1];
        for row in (0..ends.len()).filter(is_edge) {
            starts[ends[row] as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut rows = vec![0_u32; starts[nodes] as usize];
        for row in (0..ends.len()).filter(is_edge) {
            let place = &mut next[ends[row] as usize];
            rows[*place as usize] = index(row);
            *place += 1;
        }
        Self { starts, rows }
    }

    /// The rows of the edges at `node`.
    pub(super) fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.rows[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}

/// The money flows of a batch.
pub(super) struct Graph<'a> {
    nodes: HashMap<&'a str, u32, Keyed>,
    /// Sender of each edge.
    pub(super) from: Vec<u32>,
    /// Recipient of each edge.
    pub(super) to: Vec<u32>,
    /// Edges by sender.
    pub(super) outgoing: Grouped,
    /// Edges by recipient.
    pub(super) incoming: Grouped,
    /// USD of each edge.
    pub(super) amounts: Option<&'a [f64]>,
    /// Transactions of each edge.
    pub(super) counts: Option<&'a [f64]>,
    /// First time of each edge, ms.
    pub(super) first_seen: Option<&'a [f64]>,
    /// Last time of each edge, ms.
    pub(super) last_seen: Option<&'a [f64]>,
    /// Whether each node is flagged.
    pub(super) flagged: Option<Vec<bool>>,
    /// Whether each node is an exchange.
    pub(super) exchange: Option<Vec<bool>>,
    /// Number of flagged counterparties of each node.
    pub(super) flagged_links: Vec<u32>,
}

impl<'a> Graph<'a> {
    /// The graph of the batch's money flows.
    pub(super) fn new(batch: &'a Batch) -> Self {
        let flows = &batch.money_flows;
        let mut nodes = HashMap::default();
        let from = number(flows.texts("from_address"), flows.rows(), &mut nodes);
        let to = number(flows.texts("to_address"), flows.rows(), &mut nodes);
        let mut graph = Self {
            outgoing: Grouped::new(nodes.len(), &from, &to),
            incoming: Grouped::new(nodes.len(), &to, &from),
            amounts: flows.numbers("amount_usd"),
            counts: flows.numbers("tx_count"),
            first_seen: flows.numbers("first_seen"),
            last_seen: flows.numbers("last_seen"),
            flagged: flag(batch, "is_mixer_like", &nodes),
            exchange: flag(batch, "is_exchange_like", &nodes),
            flagged_links: Vec::new(),
            nodes,
            from,
            to,
        };
        graph.flagged_links = graph.flagged_links();
        graph
    }

    /// How many addresses there are.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The number of an address; `None` where no edge names it.
    pub(super) fn node(&self, address: &str) -> Option<u32> {
        self.nodes.get(address).copied()
    }

    /// The distinct counterparties of `node` in ascending order, into `found`.
    pub(super) fn counterparties(&self, node: u32, found: &mut Vec<u32>) {
        found.clear();
        found.extend(self.outgoing.of(node).iter().map(|&row| self.to[row as usize]));
        found.extend(self.incoming.of(node).iter().map(|&row| self.from[row as usize]));
        found.sort_unstable();
        found.dedup();
    }

    fn flagged_links(&self) -> Vec<u32> {
        let mut links = vec![0; self.nodes.len()];
        let mut found = Vec::new();
        let flagged = self.flagged.iter().flatten().enumerate().filter(|(_, flagged)| **flagged);
        for (node, _) in flagged {
            self.counterparties(index(node), &mut found);
            found.iter().for_each(|&other| links[other as usize] += 1);
        }
        links
    }
}

fn number<'a>(names: Option<&'a TextColumn>, rows: usize, nodes: &mut HashMap<&'a str, u32, Keyed>) -> Vec<u32> {
    let Some(names) = names else {
        return vec![NONE; rows];
    };
    let id = |name: &'a str| {
        if name.is_empty() {
            return NONE;
        }
        let next = index(nodes.len());
        *nodes.entry(name).or_insert(next)
    };
    names.iter().map(id).collect()
}

/// Whether each node has the flag `column` in the batch's features; `None` where the column is lacking.
fn flag(batch: &Batch, column: &str, nodes: &HashMap<&str, u32, Keyed>) -> Option<Vec<bool>> {
    let (addresses, flags) = (batch.features.texts("address")?, batch.features.numbers(column)?);
    let mut of_node = vec![false; nodes.len()];
    for (address, _) in addresses.iter().zip(flags).filter(|(_, flag)| **flag > 0.0) {
        if let Some(&node) = nodes.get(address) {
            of_node[node as usize] = true;
        }
    }
    Some(of_node)
}
