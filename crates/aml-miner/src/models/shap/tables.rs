//! Tables of contributions: one for each group of neighbouring leaves.
//!
//! A group is the leaves below some node. What it adds to each feature depends on the decisions at the splits within
//! the group, one bit each, and on whether the row passes each feature on the way to the group, one bit each. Small
//! groups of deep leaves and large groups of shallow ones take equally many bits; fewer groups are fewer additions.

use super::paths::{Passage, Path, Turn};
use super::shapley::{Leaf, Quadrature};
use crate::models::lightgbm::{Child, Tree};
use crate::models::trees::{BLOCK, Codes, Test};

/// Bits of a group of several leaves.
pub(super) const GROUP_BITS: usize = 10;
/// Bits of a single leaf: beyond it, a leaf is explained directly.
pub(super) const LEAF_BITS: usize = 12;

/// What a model may still use.
pub(super) struct Budget {
    pub(super) table_bytes: usize,
    pub(super) path_splits: usize,
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
    rule: Quadrature,
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
        let sizes = subtree_splits(tree);
        let mut open = vec![(Child::Node(0), Path::default())];
        while let Some((child, path)) = open.pop() {
            let splits = match child {
                Child::Node(node) => sizes[node as usize],
                Child::Leaf(_) => 0,
            };
            let bits = path.0.len() + splits;
            let limit = if splits == 0 { LEAF_BITS } else { GROUP_BITS };
            let fits = bits <= limit && (bits << bits) * size_of::<f64>() <= budget.table_bytes;
            match child {
                _ if fits => {
                    let group = Group::new(tree, child, &path);
                    budget.table_bytes -= size_of_val(&*group.table).min(budget.table_bytes);
                    tables.groups.push(group);
                }
                Child::Leaf(leaf) => {
                    budget.path_splits = budget.path_splits.checked_sub(path.splits())?;
                    tables.direct.push(Direct::new(tree.leaf_values[leaf as usize], path));
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

/// The number of splits in the subtree of each node.
fn subtree_splits(tree: &Tree) -> Vec<usize> {
    let mut order = vec![0_u32];
    let mut next = 0;
    let below = |node: u32| {
        let node = &tree.nodes[node as usize];
        [node.left, node.right].into_iter().filter_map(|child| match child {
            Child::Node(node) => Some(node),
            Child::Leaf(_) => None,
        })
    };
    while let Some(&node) = order.get(next) {
        order.extend(below(node));
        next += 1;
    }
    let mut sizes = vec![1; tree.nodes.len()];
    for &node in order.iter().rev() {
        sizes[node as usize] += below(node).map(|child| sizes[child as usize]).sum::<usize>();
    }
    sizes
}

impl Group {
    fn new(tree: &Tree, root: Child, above: &Path) -> Self {
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
            group.tabulate(value, &path, above, &splits);
        }
        group
    }

    /// Adds one leaf's contributions to every row of the table.
    fn tabulate(&mut self, value: f64, path: &Path, above: &Path, splits: &[u32]) {
        let wanted: Vec<_> = path.0.iter().map(|passage| wanted_bits(passage, above, splits)).collect();
        let places: Vec<_> =
            path.0.iter().map(|passage| self.features.partition_point(|feature| *feature < passage.feature)).collect();
        let leaf = Leaf { value, pass: path.0.iter().map(|passage| passage.pass).collect() };
        let values = leaf.table(&Quadrature::for_features(leaf.pass.len()));
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
    fn new(value: f64, path: Path) -> Self {
        let pass: Vec<f64> = path.0.iter().map(|passage| passage.pass).collect();
        let rule = Quadrature::for_features(pass.len());
        Self { leaf: Leaf { value, pass }, path, rule }
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
