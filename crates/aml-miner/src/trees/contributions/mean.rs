//! The mean value of a tree over its training rows: where the explanation of every row starts.

use super::super::model::{Child, Library, Tree};
use super::paths::share;

/// The mean value of a tree, summed in the order of `library`; `None` where counts are missing.
pub(super) fn expected_value(tree: &Tree, library: Library) -> Option<f64> {
    match library {
        Library::LightGbm => by_leaves(tree),
        _ => by_shares(tree),
    }
}

/// Leaf by leaf: LightGBM's order.
fn by_leaves(tree: &Tree) -> Option<f64> {
    let Some(root) = tree.nodes.first() else { return Some(tree.leaf_values[0]) };
    if tree.leaf_counts.is_empty() || tree.nodes.iter().any(|node| node.count <= 0.0) {
        return None;
    }
    let leaves = tree.leaf_counts.iter().zip(&tree.leaf_values);
    Some(leaves.map(|(count, value)| count / root.count * value).sum())
}

/// From the leaves up, by the shares of each split: what an unknown row gets, also where weights do not add up.
fn by_shares(tree: &Tree) -> Option<f64> {
    if tree.nodes.is_empty() {
        return Some(tree.leaf_values[0]);
    }
    if tree.leaf_counts.is_empty() {
        return None;
    }
    let mut means = vec![0.0; tree.nodes.len()];
    for node in from_below(tree) {
        let split = &tree.nodes[node];
        means[node] = [split.left, split.right]
            .map(|child| {
                let value = match child {
                    Child::Node(node) => means[node as usize],
                    Child::Leaf(leaf) => tree.leaf_values[leaf as usize],
                };
                share(tree, split, child) * value
            })
            .iter()
            .sum();
    }
    Some(means[0])
}

/// The splits, each after those below it.
fn from_below(tree: &Tree) -> impl Iterator<Item = usize> {
    let mut order = vec![0_usize];
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        let node = &tree.nodes[node];
        order.extend([node.left, node.right].into_iter().filter_map(Child::node).map(|node| node as usize));
        next += 1;
    }
    order.into_iter().rev()
}
