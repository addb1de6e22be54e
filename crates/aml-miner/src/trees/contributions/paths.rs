//! Which features a row must pass on its way to a leaf, and how likely an unknown row passes them.

use super::super::model::{Child, Node, Tree};

/// A split on a path, and the side the path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) node: u32,
    pub(super) left: bool,
}

/// One distinct feature of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passage {
    pub(super) feature: u32,
    /// The share of training rows that pass, over all its splits on the path.
    pub(super) pass: f64,
    /// The splits on it: a row passes when it takes every one of these turns.
    pub(super) turns: Vec<Turn>,
}

/// The passages from the root to some place, in the order in which their features first come up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Path(pub(super) Vec<Passage>);

impl Path {
    /// This path, one split further.
    pub(super) fn then(&self, tree: &Tree, node: u32, left: bool) -> Self {
        let split = &tree.nodes[node as usize];
        let child = if left { split.left } else { split.right };
        let share = share(tree, split, child);
        let turn = Turn { node, left };
        let mut path = self.clone();
        match path.0.iter_mut().find(|passage| passage.feature == split.feature) {
            Some(passage) => {
                passage.pass *= share;
                passage.turns.push(turn);
            }
            None => {
                path.0.push(Passage { feature: split.feature, pass: share, turns: vec![turn] });
            }
        }
        path
    }

    /// How likely an unknown row passes each of its features.
    pub(super) fn passes(&self) -> Vec<f64> {
        self.0.iter().map(|passage| passage.pass).collect()
    }
}

/// Training rows of a node or leaf, or their weight.
pub(super) fn count(tree: &Tree, child: Child) -> f64 {
    match child {
        Child::Node(node) => tree.nodes[node as usize].count,
        Child::Leaf(leaf) => tree.leaf_counts[leaf as usize],
    }
}

/// The share of a split's training rows that go to one of its sides. Where none came, an unknown row goes either way alike.
pub(super) fn share(tree: &Tree, split: &Node, child: Child) -> f64 {
    if split.count > 0.0 { count(tree, child) / split.count } else { 0.5 }
}
