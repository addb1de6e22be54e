//! The split decisions of a block of rows, as masks: all ones for a row that takes every turn of a list.
//!
//! A tree's groups and paths ask for the same lists over and over, each one turn longer than another: every mask is
//! made once per block.

use std::collections::BTreeMap;

use super::super::quantizer::{BLOCK, Codes, Test};
use super::paths::Turn;

/// The place of a mask.
pub(super) type MaskId = u32;
/// One entry per row.
pub(super) type RowMask = [u16; BLOCK];

/// Recipes for the masks of one tree.
#[derive(Debug)]
pub(super) struct Masks {
    /// The first masks: rows that go left, one a split.
    tests: Vec<Test>,
    /// The others, each made from those before it.
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// Rows that go right at a split.
    Right(u32),
    /// Rows in both.
    Both(MaskId, MaskId),
}

impl Masks {
    /// Writes the masks of the first `LANES` rows of a block.
    #[inline(always)]
    pub(super) fn fill<const LANES: usize>(&self, codes: &Codes, masks: &mut Vec<RowMask>) {
        let count = self.tests.len() + self.steps.len();
        if masks.len() < count {
            masks.resize(count, [0; BLOCK]);
        }
        for (mask, test) in masks.iter_mut().zip(&self.tests) {
            let codes = &codes[test.column as usize][..LANES];
            for (mask, code) in mask[..LANES].iter_mut().zip(codes) {
                *mask = u16::from(*code > test.limit).wrapping_sub(1);
            }
        }
        for (step, place) in self.steps.iter().zip(self.tests.len()..) {
            let (known, open) = masks.split_at_mut(place);
            let made = &mut open[0][..LANES];
            match *step {
                Step::Right(left) => {
                    let left = &known[left as usize][..LANES];
                    made.iter_mut().zip(left).for_each(|(made, left)| *made = !left);
                }
                Step::Both(a, b) => {
                    let (a, b) = (&known[a as usize][..LANES], &known[b as usize][..LANES]);
                    made.iter_mut().zip(a.iter().zip(b)).for_each(|(made, (a, b))| *made = a & b);
                }
            }
        }
    }
}

/// Collects the masks that one tree needs.
pub(super) struct MaskBuilder {
    masks: Masks,
    rights: BTreeMap<u32, MaskId>,
    both: BTreeMap<(MaskId, MaskId), MaskId>,
}

impl MaskBuilder {
    pub(super) fn new(tests: &[Test]) -> Self {
        let masks = Masks { tests: tests.to_vec(), steps: Vec::new() };
        Self { masks, rights: BTreeMap::new(), both: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> Masks {
        self.masks
    }

    /// The mask of the rows that take all of these turns; at least one.
    pub(super) fn all(&mut self, turns: &[Turn]) -> MaskId {
        let first = self.one(turns[0]);
        turns[1..].iter().fold(first, |mask, turn| {
            let turn = self.one(*turn);
            if let Some(known) = self.both.get(&(mask, turn)) {
                return *known;
            }
            let made = self.push(Step::Both(mask, turn));
            self.both.insert((mask, turn), made);
            made
        })
    }

    /// The mask of the rows that take one turn.
    pub(super) fn one(&mut self, turn: Turn) -> MaskId {
        if turn.left {
            return turn.node;
        }
        if let Some(known) = self.rights.get(&turn.node) {
            return *known;
        }
        let made = self.push(Step::Right(turn.node));
        self.rights.insert(turn.node, made);
        made
    }

    fn push(&mut self, step: Step) -> MaskId {
        let place = self.masks.tests.len() + self.masks.steps.len();
        self.masks.steps.push(step);
        MaskId::try_from(place).expect("fewer masks than MAX_PATH_SPLITS and the splits themselves")
    }
}
