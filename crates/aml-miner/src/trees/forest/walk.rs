//! Trees of more than 64 leaves: from node to node, one row after the other.

use super::super::lightgbm::{Child, Tree};
use super::super::quantizer::{Codes, Test};

/// Marks a child that is a leaf; a tree has far fewer of either.
const LEAF: u32 = 1 << 31;

/// A tree as a table of nodes.
#[derive(Debug)]
pub(super) struct WalkTree {
    nodes: Vec<WalkNode>,
    leaf_values: Vec<f64>,
}

#[derive(Debug)]
struct WalkNode {
    column: u32,
    limit: i16,
    /// Left and right: a node, or a leaf with [`LEAF`] set.
    children: [u32; 2],
}

impl WalkTree {
    pub(super) fn new(tree: &Tree, tests: &[Test]) -> Self {
        let nodes = tree.nodes.iter().zip(tests).map(|(node, test)| WalkNode {
            column: test.column,
            limit: test.limit,
            children: [index(node.left), index(node.right)],
        });
        Self { nodes: nodes.collect(), leaf_values: tree.leaf_values.clone() }
    }

    /// Adds the tree's value to the score of the first rows of a block, as many as there are scores.
    pub(super) fn add(&self, codes: &Codes, scores: &mut [f64]) {
        for (row, score) in scores.iter_mut().enumerate() {
            let mut at = 0;
            while at & LEAF == 0 {
                let node = &self.nodes[at as usize];
                let right = codes[node.column as usize][row] > node.limit;
                at = node.children[usize::from(right)];
            }
            *score += self.leaf_values[(at & !LEAF) as usize];
        }
    }
}

fn index(child: Child) -> u32 {
    match child {
        Child::Node(node) => node,
        Child::Leaf(leaf) => leaf | LEAF,
    }
}
