//! The money flows of a day as numbers: who deals with whom, and who deals with the flagged.

use super::lists::{Lists, NONE, Pairs};

/// The ends of edges.
#[derive(Default)]
pub(super) struct Edges {
    from: Vec<u32>,
    to: Vec<u32>,
}

impl Edges {
    /// Adds an edge; one to oneself or without an end tells nothing.
    pub(super) fn add(&mut self, from: u32, to: u32) {
        if from != to && from != NONE && to != NONE {
            self.from.push(from);
            self.to.push(to);
        }
    }

    /// The other ends of the edges of each of `nodes` addresses.
    pub(super) fn others(self, nodes: usize) -> Others {
        let ends = || self.from.iter().zip(&self.to).flat_map(|(&from, &to)| [(from, to), (to, from)]);
        let mut starts = vec![0_u32; nodes + 1];
        ends().for_each(|(one, _)| starts[one as usize + 1] += 1);
        (0..nodes).for_each(|node| starts[node + 1] += starts[node]);
        let mut next = starts.clone();
        let mut others = vec![0; self.from.len() * 2];
        for (one, other) in ends() {
            others[next[one as usize] as usize] = other;
            next[one as usize] += 1;
        }
        Others { starts, others }
    }
}

/// For each address the other ends of its edges.
#[derive(Default)]
pub(super) struct Others {
    starts: Vec<u32>,
    others: Vec<u32>,
}

impl Others {
    /// The other ends of the edges of `address`, repeated where there are several edges.
    pub(super) fn of(&self, address: u32) -> &[u32] {
        let address = address as usize;
        match (self.starts.get(address), self.starts.get(address.wrapping_add(1))) {
            (Some(&start), Some(&end)) => &self.others[start as usize..end as usize],
            _ => &[],
        }
    }

    /// For each address the flagged ones that it deals with.
    pub(super) fn dealing_with(&self, flagged: &[u32]) -> Lists {
        let mut pairs = Pairs::default();
        for &one in flagged {
            self.of(one).iter().for_each(|&other| pairs.add(other, one));
        }
        pairs.lists()
    }
}
