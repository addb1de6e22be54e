//! A model as it was read: every index in it points to something that exists.

use std::sync::Arc;

use super::objective::Objective;

/// A checked model: every index in it points to something that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// How raw scores become answers.
    pub objective: Objective,
    /// The objective as the file names it, with its settings; empty when it names none.
    pub objective_text: String,
    /// Raw scores of one row; tree `i` adds to score `i % outputs`.
    pub outputs: usize,
    /// Whether the answer is the mean over the iterations instead of their sum (random forest).
    pub average_output: bool,
    /// Names of the features, in the order of a row.
    pub feature_names: Vec<String>,
    /// What LightGBM noted of each feature's values: `[min:max]`, a list of categories, or `none`.
    pub feature_infos: Vec<String>,
    /// The trees, in the order in which they are added up. A multiple of `outputs`.
    pub trees: Vec<Tree>,
}

/// One tree. Node 0 is the root; a tree without nodes has one leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The splits.
    pub nodes: Vec<Node>,
    /// What each leaf adds to the raw score, shrinkage included.
    pub leaf_values: Vec<f64>,
    /// Training rows of each leaf; empty when the file does not say.
    pub leaf_counts: Vec<u32>,
    /// Splits above the deepest leaf.
    pub depth: u32,
}

/// One split.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Index of the feature.
    pub feature: u32,
    /// Which rows go left.
    pub split: Split,
    /// Where they go.
    pub left: Child,
    /// Where the others go.
    pub right: Child,
    /// Training rows that came here; 0 when the file does not say.
    pub count: u32,
}

/// Where a split leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Child {
    /// To the node of this index.
    Node(u32),
    /// To the leaf of this index.
    Leaf(u32),
}

impl Child {
    /// The node, where it is one.
    pub(in crate::trees) fn node(self) -> Option<u32> {
        match self {
            Self::Node(node) => Some(node),
            Self::Leaf(_) => None,
        }
    }
}

/// The question a split asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Left when the value is not above `threshold`.
    Numerical {
        /// Never NaN; may be infinite.
        threshold: f64,
        /// What counts as missing, and where that goes.
        missing: Missing,
    },
    /// Left when the value, cut to an integer, is in the set: bit `c % 32` of word `c / 32`.
    Categorical(Arc<[u32]>),
}

/// What a numerical split takes for a missing value, and where it sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Nothing is missing; NaN counts as zero.
    None,
    /// Zero and NaN are missing.
    Zero {
        /// Whether they go left.
        left: bool,
    },
    /// NaN is missing.
    Nan {
        /// Whether it goes left.
        left: bool,
    },
}
