//! Trees of more than 64 leaves: from node to node, several rows side by side.

use super::super::model::{Child, Tree};
use super::super::quantizer::{BLOCK, Codes, Test};

/// Rows on their way at once: while one waits for its next node, the others go on.
const LANES: usize = 16;

/// A tree as a table of nodes; leaves are nodes that lead to themselves.
#[derive(Debug)]
pub(super) struct WalkTree {
    nodes: Vec<WalkNode>,
    /// By node; only those of leaves mean anything.
    values: Vec<f64>,
}

#[derive(Debug)]
struct WalkNode {
    column: u32,
    limit: i16,
    /// Left and right.
    children: [u32; 2],
}

impl WalkTree {
    pub(super) fn new(tree: &Tree, tests: &[Test]) -> Self {
        let inner = tree.nodes.len();
        let place = |child: Child| match child {
            Child::Node(node) => node,
            Child::Leaf(leaf) => index(inner) + leaf,
        };
        let splits = tree.nodes.iter().zip(tests).map(|(node, test)| WalkNode {
            column: test.column,
            limit: test.limit,
            children: [place(node.left), place(node.right)],
        });
        let leaves = (inner..inner + tree.leaf_values.len()).map(|leaf| WalkNode {
            column: 0,
            limit: 0,
            children: [index(leaf); 2],
        });
        let mut values = vec![0.0; inner];
        values.extend(&tree.leaf_values);
        Self { nodes: splits.chain(leaves).collect(), values }
    }

    /// Adds the tree's value to the score of the first rows of a block, as many as there are scores.
    pub(super) fn add(&self, codes: &Codes, scores: &mut [f64]) {
        for (first, scores) in (0..BLOCK).step_by(LANES).zip(scores.chunks_mut(LANES)) {
            let mut places = [0_u32; LANES];
            let places = &mut places[..scores.len()];
            loop {
                let mut moved = 0;
                for (lane, at) in places.iter_mut().enumerate() {
                    let node = &self.nodes[*at as usize];
                    let right = codes[node.column as usize][(first + lane) % BLOCK] > node.limit;
                    let next = node.children[usize::from(right)];
                    moved |= next ^ *at;
                    *at = next;
                }
                if moved == 0 {
                    break;
                }
            }
            scores.iter_mut().zip(places).for_each(|(score, leaf)| *score += self.values[*leaf as usize]);
        }
    }
}

fn index(node: usize) -> u32 {
    u32::try_from(node).expect("a tree has at most MAX_LEAVES leaves")
}
