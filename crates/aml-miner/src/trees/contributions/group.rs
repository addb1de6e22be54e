//! One table: the contributions of a group of neighbouring leaves.
//!
//! A group is the leaves below some node. What it adds to each feature depends on the decisions at the splits within
//! the group, one bit each, and on whether the row passes each feature on the way to the group, one bit each.

use super::super::model::{Child, Tree};
use super::super::quantizer::BLOCK;
use super::masks::{MaskBuilder, MaskId, RowMask};
use super::paths::{Passage, Path, Turn};
use super::quadrature::QuadratureRules;
use super::shapley::Leaf;
use super::walk::Sums;

/// A table and what its index and columns mean.
#[derive(Debug)]
pub(super) struct Group {
    /// The mask behind each bit of the index.
    bits: Vec<MaskId>,
    features: Vec<u32>,
    /// One row of as many values as features for each index.
    table: Vec<f64>,
}

impl Group {
    /// Tabulates the leaves below `root`, which is reached by the path `above`.
    pub(super) fn new(
        tree: &Tree,
        root: Child,
        above: &Path,
        masks: &mut MaskBuilder,
        rules: &mut QuadratureRules,
    ) -> Self {
        let (leaves, splits) = gather(tree, root, above);
        let passages = leaves.iter().flat_map(|(_, path)| &path.0);
        let mut features: Vec<u32> = passages.map(|passage| passage.feature).collect();
        features.sort_unstable();
        features.dedup();
        let mut bits: Vec<MaskId> = above.0.iter().map(|passage| masks.all(&passage.turns)).collect();
        bits.extend(splits.iter().map(|&node| masks.one(Turn { node, left: true })));
        let mut group = Self { table: vec![0.0; features.len() << bits.len()], bits, features };
        for (value, path) in leaves {
            let leaf = Leaf { value, pass: path.passes() };
            let values = leaf.table(&rules.for_features(path.0.len()));
            group.tabulate(&values, &path, above, &splits);
        }
        group
    }

    /// Adds one leaf's contributions, given for every pattern of its features, to every row of the table.
    fn tabulate(&mut self, values: &[f64], path: &Path, above: &Path, splits: &[u32]) {
        let wanted: Vec<_> = path.0.iter().map(|passage| wanted_bits(passage, above, splits)).collect();
        let place = |passage: &Passage| self.features.partition_point(|feature| *feature < passage.feature);
        let places: Vec<usize> = path.0.iter().map(place).collect();
        for (index, row) in self.table.chunks_exact_mut(self.features.len()).enumerate() {
            let passed = wanted.iter().map(|(mask, set)| usize::from(index & mask == *set));
            let pattern = passed.enumerate().fold(0, |pattern, (bit, set)| pattern | set << bit);
            let values = &values[pattern * places.len()..][..places.len()];
            for (place, value) in places.iter().zip(values) {
                row[*place] += value;
            }
        }
    }

    /// Features of the group.
    pub(super) fn width(&self) -> usize {
        self.features.len()
    }

    /// Bytes of the table.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.table)
    }

    /// Adds the group's contributions to each of the first `rows` rows of a block, at most `LANES`.
    #[inline(always)]
    pub(super) fn add<const LANES: usize>(&self, masks: &[RowMask], rows: usize, sums: &mut [Sums]) {
        let mut indices = [0_u16; BLOCK];
        for (bit, mask) in self.bits.iter().enumerate() {
            let bit = 1 << bit;
            let mask = &masks[*mask as usize][..LANES];
            let indices = indices[..LANES].iter_mut();
            indices.zip(mask).for_each(|(index, mask)| *index |= mask & bit);
        }
        // The widths that occur get loops of their own, unrolled and free of unpredictable ends.
        match self.features.len() {
            1 => self.add_wide::<1>(&indices[..rows], sums),
            2 => self.add_wide::<2>(&indices[..rows], sums),
            3 => self.add_wide::<3>(&indices[..rows], sums),
            4 => self.add_wide::<4>(&indices[..rows], sums),
            5 => self.add_wide::<5>(&indices[..rows], sums),
            6 => self.add_wide::<6>(&indices[..rows], sums),
            7 => self.add_wide::<7>(&indices[..rows], sums),
            8 => self.add_wide::<8>(&indices[..rows], sums),
            9 => self.add_wide::<9>(&indices[..rows], sums),
            10 => self.add_wide::<10>(&indices[..rows], sums),
            11 => self.add_wide::<11>(&indices[..rows], sums),
            12 => self.add_wide::<12>(&indices[..rows], sums),
            width => unreachable!("{width} features, but a feature takes a bit at least"),
        }
    }

    fn add_wide<const WIDTH: usize>(&self, indices: &[u16], sums: &mut [Sums]) {
        let table = self.table.as_chunks::<WIDTH>().0;
        let features = std::array::from_fn(|i| self.features[i] as usize);
        let columns: [&mut Sums; WIDTH] =
            sums.get_disjoint_mut(features).expect("features are sorted, without repetition");
        for (row, index) in indices.iter().enumerate().take(BLOCK) {
            let values = &table[usize::from(*index)];
            for (column, value) in values.iter().enumerate() {
                columns[column][row] += value;
            }
        }
    }
}

/// The leaves below a place, each with its path from the root of the tree, and the splits among them.
fn gather(tree: &Tree, root: Child, above: &Path) -> (Vec<(f64, Path)>, Vec<u32>) {
    let (mut leaves, mut splits) = (Vec::new(), Vec::new());
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
    (leaves, splits)
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
