//! Trees of up to 64 leaves, without branches (after QuickScorer): a split that sends a row right rules out the leaves
//! to its left, one bit a leaf; the first leaf that remains is the row's.
//!
//! The bits are kept in planes of 16, as wide as a code: so the inner loop is nothing but comparisons and masks of
//! equal width over neighbouring rows, which compilers turn into vector instructions.

use super::super::model::{Child, Tree};
use super::super::quantizer::{BLOCK, Codes, Test};

/// Leaves of the largest tree there are masks for.
pub(super) const MAX_LEAVES: usize = 64;
/// Bits of one plane.
const PLANE: usize = 16;
/// Planes of the largest tree.
const PLANES: usize = MAX_LEAVES / PLANE;

/// A tree as masks.
#[derive(Debug)]
pub(super) struct MaskTree {
    /// Those of the first plane, then those of the next.
    steps: Vec<Step>,
    /// Where the steps of each plane end.
    ends: Vec<usize>,
    /// Values of the leaves from left to right, padded so that an index needs no check.
    values: Box<[f64; MAX_LEAVES]>,
}

/// What one split means for one plane.
#[derive(Clone, Copy, Debug)]
struct Step {
    column: u32,
    limit: i16,
    /// What remains of the plane when a row goes right.
    right: u16,
}

impl MaskTree {
    /// Compiles a tree of at most [`MAX_LEAVES`] leaves.
    pub(super) fn new(tree: &Tree, tests: &[Test]) -> Self {
        let mut values = Box::new([0.0; MAX_LEAVES]);
        let mut steps = Vec::new();
        let mut first_leaf = vec![0; tests.len()];
        let mut leaves = 0;
        // In order: a node comes up again between its two sides, when the leaves on its left are counted.
        let root = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        let mut open = vec![(root, false)];
        while let Some((child, left_done)) = open.pop() {
            match child {
                Child::Leaf(leaf) => {
                    values[leaves] = tree.leaf_values[leaf as usize];
                    leaves += 1;
                }
                Child::Node(node) if left_done => {
                    let node = node as usize;
                    steps.extend(Step::all(tests[node], first_leaf[node], leaves));
                    open.push((tree.nodes[node].right, false));
                }
                Child::Node(node) => {
                    first_leaf[node as usize] = leaves;
                    open.push((child, true));
                    open.push((tree.nodes[node as usize].left, false));
                }
            }
        }
        steps.sort_by_key(|(plane, _)| *plane);
        let ends = (1..=leaves.div_ceil(PLANE)).map(|end| steps.partition_point(|(plane, _)| *plane < end)).collect();
        Self { steps: steps.into_iter().map(|(_, step)| step).collect(), ends, values }
    }

    /// Adds the tree's value to the score of each of the first `LANES` rows of a block.
    #[inline(always)]
    pub(super) fn add<const LANES: usize>(&self, codes: &Codes, scores: &mut [f64; BLOCK]) {
        match self.ends.len() {
            1 => self.add_planes::<LANES, 1>(codes, scores),
            2 => self.add_planes::<LANES, 2>(codes, scores),
            3 => self.add_planes::<LANES, 3>(codes, scores),
            _ => self.add_planes::<LANES, PLANES>(codes, scores),
        }
    }

    #[inline(always)]
    fn add_planes<const LANES: usize, const COUNT: usize>(&self, codes: &Codes, scores: &mut [f64; BLOCK]) {
        let mut planes = [[u16::MAX; LANES]; COUNT];
        let mut from = 0;
        for (plane, &end) in planes.iter_mut().zip(&self.ends) {
            let mut bits = *plane;
            for step in &self.steps[from..end] {
                let codes = &codes[step.column as usize];
                let Step { limit, right, .. } = *step;
                for (bits, code) in bits.iter_mut().zip(codes) {
                    *bits &= right | u16::from(*code > limit).wrapping_sub(1);
                }
            }
            *plane = bits;
            from = end;
        }
        let mut leaves = [0_u32; LANES];
        for (row, leaf) in leaves.iter_mut().enumerate() {
            *leaf = first_bit(&planes, row);
        }
        for (score, leaf) in scores.iter_mut().zip(leaves) {
            *score += self.values[leaf as usize % MAX_LEAVES];
        }
    }
}

/// The first bit of a row that is set, from the first plane on.
#[inline(always)]
fn first_bit<const LANES: usize, const COUNT: usize>(planes: &[[u16; LANES]; COUNT], row: usize) -> u32 {
    if COUNT <= 2 {
        let bits = planes.iter().rev().fold(0, |bits: u32, plane| bits << PLANE | u32::from(plane[row]));
        bits.trailing_zeros()
    } else {
        let bits = planes.iter().rev().fold(0, |bits: u64, plane| bits << PLANE | u64::from(plane[row]));
        bits.trailing_zeros()
    }
}

impl Step {
    /// The planes and steps of a split with the leaves `first..end` on its left.
    fn all(test: Test, first: usize, end: usize) -> impl Iterator<Item = (usize, Self)> {
        let mask = !(((1_u64 << (end - first)) - 1) << first);
        let plane = move |plane: usize| {
            #[expect(clippy::cast_possible_truncation, reason = "the 16 bits of one plane")]
            let right = (mask >> (plane * PLANE)) as u16;
            (plane, Self { column: test.column, limit: test.limit, right })
        };
        (0..PLANES).map(plane).filter(|(_, step)| step.right != u16::MAX)
    }
}
