//! One tree, cut into groups of leaves that share a table, and leaves that are explained directly.
//!
//! Small groups of deep leaves and large groups of shallow ones take equally many bits; fewer groups are fewer
//! additions a row.

use std::sync::Arc;

use super::group::Group;
use super::masks::{MaskBuilder, MaskId, Masks, RowMask};
use super::paths::Path;
use super::shapley::{Leaf, Quadrature, Rules};
use super::{MAX_DIRECT_STEPS, MAX_PATH_SPLITS};
use crate::models::lightgbm::{Child, Tree};
use crate::models::trees::{BLOCK, Codes, FEW, Test};

/// Bits of a group of several leaves. One more makes tables of a typical model a fifth larger and a row a sixth faster
/// to add up, but slower to find: the tables no longer stay in the second-level cache.
const GROUP_BITS: usize = 10;
/// Bits of a single leaf: beyond it, a leaf is explained directly.
const LEAF_BITS: usize = 12;

/// What a model may still use, and what its trees share.
pub(super) struct Budget {
    table_bytes: usize,
    path_splits: usize,
    direct_steps: usize,
    rules: Rules,
}

impl Budget {
    pub(super) fn new(table_bytes: usize) -> Self {
        let (path_splits, direct_steps) = (MAX_PATH_SPLITS, MAX_DIRECT_STEPS);
        Self { table_bytes, path_splits, direct_steps, rules: Rules::default() }
    }
}

/// One tree, ready to explain rows.
#[derive(Debug)]
pub(super) struct TreeTables {
    masks: Masks,
    groups: Vec<Group>,
    /// Leaves without a table.
    direct: Vec<Direct>,
}

#[derive(Debug)]
struct Direct {
    leaf: Leaf,
    /// Each feature of the leaf's path, and the mask of the rows that pass it.
    passages: Vec<(u32, MaskId)>,
    rule: Arc<Quadrature>,
}

/// Room for the decisions of one block of rows, reused from tree to tree.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    masks: Vec<RowMask>,
    passes: Vec<bool>,
    values: Vec<f64>,
}

/// What one feature adds to each row of a block.
pub(super) type Sums = [f64; BLOCK];

impl TreeTables {
    /// Tabulates a tree; `None` when it takes more than the budget.
    pub(super) fn new(tree: &Tree, tests: &[Test], budget: &mut Budget) -> Option<Self> {
        let mut masks = MaskBuilder::new(tests);
        let (mut groups, mut direct) = (Vec::new(), Vec::new());
        let shape = Shape::of(tree);
        budget.path_splits = budget.path_splits.checked_sub(shape.path_splits)?;
        let mut open = Vec::new();
        if !tree.nodes.is_empty() {
            open.push((Child::Node(0), Path::default()));
        }
        while let Some((child, path)) = open.pop() {
            let (splits, limit) = match child {
                Child::Node(node) => (shape.below[node as usize], GROUP_BITS),
                Child::Leaf(_) => (0, LEAF_BITS),
            };
            let bits = path.0.len() + splits;
            // A feature of the group takes a bit at least, so this is no less than its table's size.
            let fits = bits <= limit && (bits << bits) * size_of::<f64>() <= budget.table_bytes;
            match child {
                _ if fits => {
                    let group = Group::new(tree, child, &path, &mut masks, &mut budget.rules);
                    budget.table_bytes -= group.bytes();
                    groups.push(group);
                }
                Child::Leaf(leaf) => {
                    let value = tree.leaf_values[leaf as usize];
                    let leaf = Direct::new(value, &path, &mut masks, &mut budget.rules);
                    budget.direct_steps = budget.direct_steps.checked_sub(leaf.steps())?;
                    direct.push(leaf);
                }
                Child::Node(node) => {
                    let split = &tree.nodes[node as usize];
                    open.push((split.right, path.then(tree, node, false)));
                    open.push((split.left, path.then(tree, node, true)));
                }
            }
        }
        Some(Self { masks: masks.finish(), groups, direct })
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(Group::bytes).sum()
    }

    /// Adds the tree's contributions to the sums of each feature, for a block of so many rows.
    pub(super) fn add(&self, codes: &Codes, rows: usize, sums: &mut [Sums], scratch: &mut Scratch) {
        if rows <= FEW {
            self.add_lanes::<FEW>(codes, rows, sums, scratch);
        } else {
            self.add_lanes::<BLOCK>(codes, rows, sums, scratch);
        }
        for direct in &self.direct {
            (0..rows).for_each(|row| direct.add(row, sums, scratch));
        }
    }

    fn add_lanes<const LANES: usize>(&self, codes: &Codes, rows: usize, sums: &mut [Sums], scratch: &mut Scratch) {
        self.masks.fill::<LANES>(codes, &mut scratch.masks);
        for group in &self.groups {
            group.add::<LANES>(&scratch.masks, rows, sums);
        }
    }
}

/// How a tree's splits are spread.
struct Shape {
    /// Splits in the subtree of each node, itself included.
    below: Vec<usize>,
    /// Splits on the paths to all leaves.
    path_splits: usize,
}

impl Shape {
    fn of(tree: &Tree) -> Self {
        let mut shape = Self { below: vec![1; tree.nodes.len()], path_splits: 0 };
        let mut order = Vec::from_iter((!tree.nodes.is_empty()).then_some((0_u32, 1)));
        let mut next = 0;
        while let Some(&(node, depth)) = order.get(next) {
            for child in [tree.nodes[node as usize].left, tree.nodes[node as usize].right] {
                match child {
                    Child::Node(node) => order.push((node, depth + 1)),
                    Child::Leaf(_) => shape.path_splits += depth,
                }
            }
            next += 1;
        }
        for &(node, _) in order.iter().rev() {
            for child in [tree.nodes[node as usize].left, tree.nodes[node as usize].right] {
                if let Child::Node(child) = child {
                    shape.below[node as usize] += shape.below[child as usize];
                }
            }
        }
        shape
    }
}

impl Direct {
    fn new(value: f64, path: &Path, masks: &mut MaskBuilder, rules: &mut Rules) -> Self {
        let passages = path.0.iter().map(|passage| (passage.feature, masks.all(&passage.turns)));
        let rule = rules.for_features(path.0.len());
        Self { passages: passages.collect(), leaf: Leaf { value, pass: path.passes() }, rule }
    }

    /// Multiplications a row, about.
    fn steps(&self) -> usize {
        self.passages.len() * self.rule.points()
    }

    /// Adds the leaf's contributions to the sums of one row.
    fn add(&self, row: usize, sums: &mut [Sums], scratch: &mut Scratch) {
        let passes = self.passages.iter().map(|(_, mask)| scratch.masks[*mask as usize][row] != 0);
        scratch.passes.clear();
        scratch.passes.extend(passes);
        self.leaf.values(&self.rule, &scratch.passes, &mut scratch.values);
        for ((feature, _), value) in self.passages.iter().zip(&scratch.values) {
            sums[*feature as usize][row] += value;
        }
    }
}
