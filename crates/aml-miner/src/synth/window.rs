//! The transfers of a window, indexed by account, and the edges they add up to.

use super::traffic::Transfer;

/// All transfers from one account to another within the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// Positions in [`Window::accounts`].
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) usd: f64,
    pub(super) count: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) asset: u8,
}

/// Lists of positions, one list an account, in one buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    /// Groups `0..keys.len()` by key, in ascending order within a group.
    fn group(groups: usize, keys: impl Iterator<Item = u32> + Clone) -> Self {
        let mut starts = vec![0; groups + 1];
        keys.clone().for_each(|key| starts[key as usize + 1] += 1);
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[groups]];
        for (position, key) in keys.enumerate() {
            items[next[key as usize]] = position as u32;
            next[key as usize] += 1;
        }
        Self { starts, items }
    }

    pub(super) fn of(&self, account: usize) -> &[u32] {
        &self.items[self.starts[account]..self.starts[account + 1]]
    }
}

/// The transfers of a window.
pub(super) struct Window {
    /// Accounts with at least one transfer, by ascending id.
    pub(super) accounts: Vec<u32>,
    /// By time.
    pub(super) transfers: Vec<Transfer>,
    pub(super) inward: Lists,
    pub(super) outward: Lists,
    /// By sender, then receiver.
    pub(super) edges: Vec<Edge>,
    pub(super) edges_in: Lists,
    pub(super) edges_out: Lists,
}

impl Window {
    /// Indexes `transfers`, whose ends are account ids below `population`.
    pub(super) fn new(mut transfers: Vec<Transfer>, population: usize) -> Self {
        transfers.sort_by_key(|transfer| (transfer.at, transfer.from, transfer.to));
        let mut slots = vec![u32::MAX; population];
        for transfer in &transfers {
            slots[transfer.from as usize] = 0;
            slots[transfer.to as usize] = 0;
        }
        let mut accounts = Vec::new();
        for (id, slot) in slots.iter_mut().enumerate() {
            if *slot == 0 {
                *slot = accounts.len() as u32;
                accounts.push(id as u32);
            }
        }
        for transfer in &mut transfers {
            transfer.from = slots[transfer.from as usize];
            transfer.to = slots[transfer.to as usize];
        }
        let count = accounts.len();
        let inward = Lists::group(count, transfers.iter().map(|transfer| transfer.to));
        let outward = Lists::group(count, transfers.iter().map(|transfer| transfer.from));
        let edges = edges(&transfers, &outward, count);
        let edges_in = Lists::group(count, edges.iter().map(|edge| edge.to));
        let edges_out = Lists::group(count, edges.iter().map(|edge| edge.from));
        Self { accounts, transfers, inward, outward, edges, edges_in, edges_out }
    }

    /// Transfers to `account`, by time.
    pub(super) fn received(&self, account: usize) -> impl Iterator<Item = &Transfer> + Clone {
        self.inward.of(account).iter().map(|&position| &self.transfers[position as usize])
    }

    /// Transfers from `account`, by time.
    pub(super) fn sent(&self, account: usize) -> impl Iterator<Item = &Transfer> + Clone {
        self.outward.of(account).iter().map(|&position| &self.transfers[position as usize])
    }

    /// Edges to `account`.
    pub(super) fn sources(&self, account: usize) -> impl ExactSizeIterator<Item = &Edge> + Clone {
        self.edges_in.of(account).iter().map(|&position| &self.edges[position as usize])
    }

    /// Edges from `account`.
    pub(super) fn targets(&self, account: usize) -> impl ExactSizeIterator<Item = &Edge> + Clone {
        self.edges_out.of(account).iter().map(|&position| &self.edges[position as usize])
    }

    /// Number of edges at `account`.
    pub(super) fn degree(&self, account: usize) -> usize {
        self.edges_in.of(account).len() + self.edges_out.of(account).len()
    }
}

fn edges(transfers: &[Transfer], outward: &Lists, accounts: usize) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    for from in 0..accounts {
        let mut sent: Vec<&Transfer> = outward.of(from).iter().map(|&at| &transfers[at as usize]).collect();
        sent.sort_by_key(|transfer| transfer.to);
        for transfer in sent {
            match edges.last_mut() {
                Some(edge) if edge.from == transfer.from && edge.to == transfer.to => {
                    edge.usd += transfer.usd;
                    edge.count += 1;
                    edge.last = transfer.at;
                }
                _ => edges.push(Edge {
                    from: transfer.from,
                    to: transfer.to,
                    usd: transfer.usd,
                    count: 1,
                    first: transfer.at,
                    last: transfer.at,
                    asset: transfer.asset,
                }),
            }
        }
    }
    edges
}
