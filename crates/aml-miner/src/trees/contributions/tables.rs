//! Which groups of leaves get a table: those that save most for their bytes, over all trees of a model.
//!
//! Small groups of deep leaves and large groups of shallow ones take equally many bits; fewer groups are fewer
//! additions a row. What gets no table is left to the walk.

use std::collections::BTreeSet;

use super::super::isa::{Isa, Kernel};
use super::super::model::{Child, Tree};
use super::super::quantizer::{BLOCK, Codes, FEW, Test};
use super::group::Group;
use super::masks::{MaskBuilder, Masks, RowMask};
use super::paths::Path;
use super::quadrature::QuadratureRules;
use super::walk::Sums;

/// Bits of a group of several leaves. One more makes tables of a typical model a fifth larger and a row a sixth faster
/// to add up, but slower to find: the tables no longer stay in the second-level cache.
const GROUP_BITS: usize = 10;
/// Bits of a single leaf: beyond it, a table costs more time than the walk.
const LEAF_BITS: usize = 12;

/// Splits above a group: a longer way is left to the walk.
const MAX_ABOVE: usize = 64;

/// A group that could have a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) tree: usize,
    pub(super) root: Child,
    bytes: usize,
    /// Splits times points that the walk would take for it.
    steps: usize,
}

/// The tables of one tree.
#[derive(Debug)]
pub(super) struct TreeTables {
    masks: Masks,
    groups: Vec<Group>,
}

/// Room for the decisions of one block of rows, reused from tree to tree.
pub(super) type Decisions = Vec<RowMask>;

impl Candidate {
    /// Appends the largest groups of a tree that a table can hold.
    pub(super) fn of(tree: &Tree, index: usize, all: &mut Vec<Self>) {
        let below = splits_below(tree);
        descend(tree, |root, path| {
            let (splits, limit) = match root {
                Child::Node(node) => (below[node as usize], GROUP_BITS),
                Child::Leaf(_) => (0, LEAF_BITS),
            };
            let bits = path.0.len() + splits;
            if bits > limit {
                return true;
            }
            // A feature of the group takes a bit at least, so this is no less than its table's size.
            let bytes = (bits << bits) * size_of::<f64>();
            all.push(Self { tree: index, root, bytes, steps: (splits + 1) * QuadratureRules::points(bits) });
            false
        });
    }

    /// Those that save most for their bytes, as far as `bytes` go, in the order of the trees.
    pub(super) fn choose(mut all: Vec<Self>, mut bytes: usize) -> Vec<Self> {
        all.sort_by(|a, b| (b.steps * a.bytes).cmp(&(a.steps * b.bytes)).then(b.bytes.cmp(&a.bytes)));
        all.retain(|candidate| {
            let fits = candidate.bytes <= bytes;
            bytes -= if fits { candidate.bytes } else { 0 };
            fits
        });
        all.sort_by_key(|candidate| candidate.tree);
        all
    }
}

impl TreeTables {
    /// The tables of the groups of one tree that begin with these nodes and leaves.
    pub(super) fn new(tree: &Tree, tests: &[Test], roots: &BTreeSet<Child>, rules: &mut QuadratureRules) -> Self {
        let mut masks = MaskBuilder::new(tests);
        let mut groups = Vec::with_capacity(roots.len());
        if !roots.is_empty() {
            descend(tree, |root, path| {
                if !roots.contains(&root) {
                    return true;
                }
                groups.push(Group::new(tree, root, path, &mut masks, rules));
                false
            });
        }
        Self { masks: masks.finish(), groups }
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(Group::bytes).sum()
    }

    /// Additions of one row.
    pub(super) fn additions(&self) -> usize {
        self.groups.iter().map(Group::width).sum()
    }

    /// Adds what the tables say to the sums of each feature.
    pub(super) fn add(&self, isa: Isa, block: Decided<'_>, decisions: &mut Decisions) {
        if self.groups.is_empty() {
            return;
        }
        if block.rows <= FEW {
            isa.run(Look::<FEW> { tables: self, block, decisions });
        } else {
            isa.run(Look::<BLOCK> { tables: self, block, decisions });
        }
    }
}

/// A block of so many rows, and where their contributions go.
pub(super) struct Decided<'a> {
    pub(super) codes: &'a Codes,
    pub(super) rows: usize,
    pub(super) sums: &'a mut [Sums],
}

/// Looks the rows of a block up, `LANES` places of it.
struct Look<'a, const LANES: usize> {
    tables: &'a TreeTables,
    block: Decided<'a>,
    decisions: &'a mut Decisions,
}

impl<const LANES: usize> Kernel for Look<'_, LANES> {
    #[inline(always)]
    fn run(self) {
        let Decided { codes, rows, sums } = self.block;
        self.tables.masks.fill::<LANES>(codes, self.decisions);
        for group in &self.tables.groups {
            group.add::<LANES>(self.decisions, rows, sums);
        }
    }
}

/// Shows the nodes and leaves of a tree from above, each with the way to it; below it only when it was asked to, and
/// as far down as a table can begin.
fn descend(tree: &Tree, mut deeper: impl FnMut(Child, &Path) -> bool) {
    let mut open = Vec::from_iter((!tree.nodes.is_empty()).then(|| (Child::Node(0), Path::default(), 0)));
    while let Some((child, path, above)) = open.pop() {
        let further = deeper(child, &path) && path.0.len() <= LEAF_BITS && above < MAX_ABOVE;
        if let (true, Child::Node(node)) = (further, child) {
            let split = &tree.nodes[node as usize];
            open.push((split.right, path.then(tree, node, false), above + 1));
            open.push((split.left, path.then(tree, node, true), above + 1));
        }
    }
}

/// Splits in the subtree of each node, itself included.
fn splits_below(tree: &Tree) -> Vec<usize> {
    let mut below = vec![1; tree.nodes.len()];
    let mut order = Vec::from_iter((!tree.nodes.is_empty()).then_some(0_u32));
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        let node = &tree.nodes[node as usize];
        order.extend([node.left, node.right].into_iter().filter_map(Child::node));
        next += 1;
    }
    for &node in order.iter().rev() {
        for child in [tree.nodes[node as usize].left, tree.nodes[node as usize].right] {
            if let Child::Node(child) = child {
                below[node as usize] += below[child as usize];
            }
        }
    }
    below
}
