//! From a table of nodes, as XGBoost and scikit-learn write them, to a tree.
//!
//! Every child must exist and be reached once; nodes that no way leads to are left out (XGBoost keeps those it has pruned).

use super::limits::{MAX_DEPTH, MAX_LEAF_VALUE, MAX_LEAVES, is_value};
use super::model::{Child, Node, Split, Tree};

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct FlatNode {
    /// Training rows that came here, or their weight.
    pub(super) count: f64,
    /// What happens here.
    pub(super) what: What,
}

/// What happens at a node.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The way ends with this value.
    Leaf(f64),
    /// It goes on.
    Split {
        /// Index of the feature.
        feature: usize,
        /// The question.
        split: Split,
        /// Rows of the table.
        children: [usize; 2],
    },
}

/// The tree whose root is the first row.
pub(super) fn tree(table: &[FlatNode], features: usize) -> Result<Tree, String> {
    let Reached { places, order, depth } = reach(table)?;
    let mut tree = Tree { nodes: Vec::new(), leaf_values: Vec::new(), leaf_counts: Vec::new(), depth };
    for row in order {
        let FlatNode { count, what } = &table[row];
        if !count.is_finite() || *count < 0.0 {
            return Err(format!("node {row} weighs {count}, which is no weight of training rows"));
        }
        match what {
            What::Leaf(value) if is_value(*value) => {
                tree.leaf_values.push(*value);
                tree.leaf_counts.push(*count);
            }
            What::Leaf(value) => {
                return Err(format!("leaf {row} has the value {value}, which is no number within {MAX_LEAF_VALUE:e}"));
            }
            What::Split { feature, split, children: [left, right] } => {
                let index = u32::try_from(*feature).ok().filter(|_| *feature < features);
                let feature = index.ok_or_else(|| format!("node {row} asks for feature {feature} of {features}"))?;
                let (left, right) = (places[*left], places[*right]);
                tree.nodes.push(Node { feature, split: split.clone(), left, right, count: *count });
            }
        }
    }
    Ok(tree)
}

/// What can be reached from the root.
struct Reached {
    /// By row; means nothing for rows that are not reached.
    places: Vec<Child>,
    /// The rows, in the order of their places.
    order: Vec<usize>,
    depth: u32,
}

fn reach(table: &[FlatNode]) -> Result<Reached, String> {
    if table.is_empty() {
        return Err("it has no nodes".into());
    }
    let mut reached = vec![false; table.len()];
    let mut found = Reached { places: vec![Child::Leaf(0); table.len()], order: Vec::new(), depth: 0 };
    let (mut nodes, mut leaves) = (0_u32, 0_u32);
    let mut open = vec![(0_usize, 0_u32)];
    while let Some((row, depth)) = open.pop() {
        let seen = reached.get_mut(row).ok_or_else(|| format!("node {row} of {} is asked for", table.len()))?;
        if std::mem::replace(seen, true) {
            return Err(format!("node {row} is reached twice"));
        }
        if depth > MAX_DEPTH {
            return Err(format!("it is deeper than {MAX_DEPTH} splits"));
        }
        found.order.push(row);
        found.depth = found.depth.max(depth);
        if let What::Split { children: [left, right], .. } = table[row].what {
            found.places[row] = Child::Node(nodes);
            nodes += 1;
            open.extend([(right, depth + 1), (left, depth + 1)]);
        } else {
            found.places[row] = Child::Leaf(leaves);
            leaves += 1;
        }
        if leaves as usize > MAX_LEAVES {
            return Err(format!("it has more than {MAX_LEAVES} leaves"));
        }
    }
    Ok(found)
}
