//! Whether child indices form a proper tree: every node and leaf is reached from the root, exactly once.

use super::super::limits::MAX_DEPTH;
use super::super::model::{Child, Node};

/// The depth of the deepest leaf below node 0, or what is wrong with the graph.
///
/// Walks with a stack of its own, so a hostile depth costs memory that is already bounded.
pub(super) fn depth(nodes: &[Node]) -> Result<u32, String> {
    let mut reached_nodes = vec![false; nodes.len()];
    let mut reached_leaves = vec![false; nodes.len() + 1];
    let mut open = vec![(0_usize, 1_u32)];
    let mut deepest = 0;
    reached_nodes[0] = true;
    while let Some((index, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(format!("deeper than {MAX_DEPTH} splits"));
        }
        deepest = deepest.max(depth);
        for child in [nodes[index].left, nodes[index].right] {
            let (seen, kind, child) = match child {
                Child::Node(node) => (&mut reached_nodes, "node", node as usize),
                Child::Leaf(leaf) => (&mut reached_leaves, "leaf", leaf as usize),
            };
            if std::mem::replace(&mut seen[child], true) {
                return Err(format!("{kind} {child} is reached twice"));
            }
            if kind == "node" {
                open.push((child, depth + 1));
            }
        }
    }
    match reached_nodes.iter().position(|reached| !reached) {
        Some(node) => Err(format!("node {node} is never reached")),
        // As many leaves as nodes and one more, each reached once at most: all are reached.
        None => Ok(deepest),
    }
}
