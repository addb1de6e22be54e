//! Tables of contributions: one for each group of neighbouring leaves.
//!
//! A group is the leaves below some node. What it adds to each feature depends on the decisions at the splits within
//! the group, one bit each, and on whether the row passes each feature on the way to the group, one bit each. Small
//! groups of deep leaves and large groups of shallow ones take equally many bits; fewer groups are fewer additions.

use std::sync::Arc;

use super::paths::{Passage, Path, Turn};
use super::shapley::{Leaf, Quadrature, Rules};
use super::{MAX_DIRECT_STEPS, MAX_PATH_SPLITS};
use crate::models::lightgbm::{Child, Tree};
use crate::models::trees::{BLOCK, Codes, Test};

/// Bits of a group of several leaves.
pub(super) const GROUP_BITS: usize = 10;
/// Bits of a single leaf: beyond it, a leaf is explained directly.
pub(super) const LEAF_BITS: usize = 12;

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
    tests: Vec<Test>,
    groups: Vec<Group>,
    /// Leaves without a table.
    direct: Vec<Direct>,
}

#[derive(Debug)]
struct Group {
    /// What each bit of the index means: all of these turns taken.
    bits: Vec<Vec<Turn>>,
    features: Vec<u32>,
    /// One row of as many values as features for each index.
    table: Vec<f64>,
}

#[derive(Debug)]
struct Direct {
    leaf: Leaf,
    path: Path,
    rule: Arc<Quadrature>,
}

/// Room for the decisions of one block of rows, reused from tree to tree.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// All ones where a row goes left, one entry a split.
    lefts: Vec<[u16; BLOCK]>,
    /// Where each row looks, one entry a group.
    indices: Vec<[u16; BLOCK]>,
    passes: Vec<bool>,
    values: Vec<f64>,
}

impl TreeTables {
    /// Tabulates a tree; `None` when its paths are longer than the budget.
    pub(super) fn new(tree: &Tree, tests: &[Test], budget: &mut Budget) -> Option<Self> {
        let mut tables = Self { tests: tests.to_vec(), groups: Vec::new(), direct: Vec::new() };
        if tree.nodes.is_empty() {
            return Some(tables);
        }
        let shape = Shape::of(tree);
        budget.path_splits = budget.path_splits.checked_sub(shape.path_splits)?;
        let mut open = vec![(Child::Node(0), Path::default())];
        while let Some((child, path)) = open.pop() {
            let splits = match child {
                Child::Node(node) => shape.below[node as usize],
                Child::Leaf(_) => 0,
            };
            let bits = path.0.len() + splits;
            let limit = if splits == 0 { LEAF_BITS } else { GROUP_BITS };
            let fits = bits <= limit && (bits << bits) * size_of::<f64>() <= budget.table_bytes;
            match child {
                _ if fits => {
                    let group = Group::new(tree, child, &path, &mut budget.rules);
                    budget.table_bytes -= size_of_val(&*group.table).min(budget.table_bytes);
                    tables.groups.push(group);
                }
                Child::Leaf(leaf) => {
                    let direct = Direct::new(tree.leaf_values[leaf as usize], path, &mut budget.rules);
                    budget.direct_steps = budget.direct_steps.checked_sub(direct.steps())?;
                    tables.direct.push(direct);
                }
                Child::Node(node) => {
                    let split = &tree.nodes[node as usize];
                    open.push((split.right, path.then(tree, node, false)));
                    open.push((split.left, path.then(tree, node, true)));
                }
            }
        }
        Some(tables)
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(|group| size_of_val(&*group.table)).sum()
    }

    /// Adds the tree's contributions to each row of a block.
    pub(super) fn add<'a>(&self, codes: &Codes, rows: impl Iterator<Item = &'a mut [f64]>, scratch: &mut Scratch) {
        scratch.lefts.clear();
        scratch.lefts.extend(self.tests.iter().map(|test| lefts(*test, codes)));
        scratch.indices.clear();
        scratch.indices.extend(self.groups.iter().map(|group| group.indices(&scratch.lefts)));
        for (place, row) in rows.enumerate() {
            for (group, indices) in self.groups.iter().zip(&scratch.indices) {
                group.add(indices[place], row);
            }
            for direct in &self.direct {
                direct.add(place, row, scratch);
            }
        }
    }
}

/// All ones for every row that goes left at a split.
fn lefts(test: Test, codes: &Codes) -> [u16; BLOCK] {
    let mut lefts = [0; BLOCK];
    for (left, code) in lefts.iter_mut().zip(&codes[test.column as usize]) {
        *left = u16::from(*code > test.limit).wrapping_sub(1);
    }
    lefts
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
        let mut order = vec![(0_u32, 1_usize)];
        let mut path_splits = 0;
        let mut next = 0;
        while let Some(&(node, depth)) = order.get(next) {
            for child in [tree.nodes[node as usize].left, tree.nodes[node as usize].right] {
                match child {
                    Child::Node(node) => order.push((node, depth + 1)),
                    Child::Leaf(_) => path_splits += depth,
                }
            }
            next += 1;
        }
        let mut below = vec![1; tree.nodes.len()];
        for &(node, _) in order.iter().rev() {
            for child in [tree.nodes[node as usize].left, tree.nodes[node as usize].right] {
                if let Child::Node(child) = child {
                    below[node as usize] += below[child as usize];
                }
            }
        }
        Self { below, path_splits }
    }
}

impl Group {
    fn new(tree: &Tree, root: Child, above: &Path, rules: &mut Rules) -> Self {
        let mut leaves = Vec::new();
        let mut splits = Vec::new();
        let mut open = vec![(root, above.clone())];
        while let Some((child, path)) = open.pop() {
            match child {
                Child::Leaf(leaf) => leaves.push((tree.leaf_values[leaf as usize], path)),
                Child::Node(node) => {
                    splits.push(node);
                    let split = &tree.nodes[node as usize];
                    open.push((split.right, path.then(tree, node, false)));
                    open.push((split.left, path.then(tree, node, true)));
                }
            }
        }
        let mut features: Vec<u32> =
            leaves.iter().flat_map(|(_, path)| path.0.iter().map(|passage| passage.feature)).collect();
        features.sort_unstable();
        features.dedup();
        let above_bits = above.0.iter().map(|passage| passage.turns.clone());
        let split_bits = splits.iter().map(|&node| vec![Turn { node, left: true }]);
        let bits: Vec<_> = above_bits.chain(split_bits).collect();
        let mut group = Self { table: vec![0.0; features.len() << bits.len()], bits, features };
        for (value, path) in leaves {
            let rule = rules.for_features(path.0.len());
            let leaf = Leaf { value, pass: path.passes() };
            group.tabulate(&leaf.table(&rule), &path, above, &splits);
        }
        group
    }

    /// Adds one leaf's contributions, given for every pattern of its features, to every row of the table.
    fn tabulate(&mut self, values: &[f64], path: &Path, above: &Path, splits: &[u32]) {
        let wanted: Vec<_> = path.0.iter().map(|passage| wanted_bits(passage, above, splits)).collect();
        let places: Vec<_> =
            path.0.iter().map(|passage| self.features.partition_point(|feature| *feature < passage.feature)).collect();
        for (index, row) in self.table.chunks_exact_mut(self.features.len()).enumerate() {
            let pattern = wanted
                .iter()
                .enumerate()
                .fold(0, |pattern, (bit, (mask, set))| pattern | usize::from(index & mask == *set) << bit);
            let values = &values[pattern * places.len()..][..places.len()];
            for (place, value) in places.iter().zip(values) {
                row[*place] += value;
            }
        }
    }

    fn indices(&self, lefts: &[[u16; BLOCK]]) -> [u16; BLOCK] {
        let mut indices = [0; BLOCK];
        for (bit, turns) in self.bits.iter().enumerate() {
            let mut all = [1 << bit; BLOCK];
            for turn in turns {
                let flip = if turn.left { 0 } else { u16::MAX };
                for (all, left) in all.iter_mut().zip(&lefts[turn.node as usize]) {
                    *all &= left ^ flip;
                }
            }
            indices.iter_mut().zip(all).for_each(|(index, bit)| *index |= bit);
        }
        indices
    }

    fn add(&self, index: u16, row: &mut [f64]) {
        let width = self.features.len();
        let values = &self.table[usize::from(index) * width..][..width];
        for (feature, value) in self.features.iter().zip(values) {
            row[*feature as usize] += value;
        }
    }
}

/// Which bits of a group's index decide whether a row passes a feature, and how they must be set.
fn wanted_bits(passage: &Passage, above: &Path, splits: &[u32]) -> (usize, usize) {
    let (mut mask, mut set) = (0, 0);
    if let Some(bit) = above.0.iter().position(|known| known.feature == passage.feature) {
        mask |= 1 << bit;
        set |= 1 << bit;
    }
    for turn in &passage.turns {
        if let Some(place) = splits.iter().position(|node| *node == turn.node) {
            let bit = 1 << (above.0.len() + place);
            mask |= bit;
            set |= if turn.left { bit } else { 0 };
        }
    }
    (mask, set)
}

impl Direct {
    fn new(value: f64, path: Path, rules: &mut Rules) -> Self {
        let rule = rules.for_features(path.0.len());
        Self { leaf: Leaf { value, pass: path.passes() }, path, rule }
    }

    /// Multiplications a row, about.
    fn steps(&self) -> usize {
        self.path.0.len() * self.rule.points()
    }

    fn add(&self, place: usize, row: &mut [f64], scratch: &mut Scratch) {
        let lefts = &scratch.lefts;
        let taken = |turn: &Turn| (lefts[turn.node as usize][place] != 0) == turn.left;
        scratch.passes.clear();
        scratch.passes.extend(self.path.0.iter().map(|passage| passage.turns.iter().all(taken)));
        self.leaf.values(&self.rule, &scratch.passes, &mut scratch.values);
        for (passage, value) in self.path.0.iter().zip(&scratch.values) {
            row[passage.feature as usize] += value;
        }
    }
}
