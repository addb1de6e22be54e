//! One tree as the walk goes through it: its splits with the shares of training rows, and the steps in order.
//!
//! What has a table is pruned: in the walk it is a leaf of value 0, and a split that leads to nothing else is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::model::{Child, Tree};
use super::super::quantizer::Test;
use super::paths::{count, share};
use super::quadrature::{Point, QuadratureRules};

/// Stands for "no such slot".
pub(super) const NONE: u32 = u32::MAX;

/// One tree, ready to explain rows.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) splits: Vec<Split>,
    pub(super) steps: Vec<Step>,
    /// Splits above the deepest leaf.
    pub(super) depth: usize,
    /// Exact for every path of the tree.
    pub(super) rule: Arc<[Point]>,
    /// Whether the rows of some split's sides do not add up to its own.
    pub(super) loose: bool,
}

/// One split.
///
/// A row *passes* a feature down to some place when it takes every turn at the feature's splits above. A slot is twice
/// the level of a split, plus one for its right side.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) test: Test,
    pub(super) feature: u32,
    /// Splits above it.
    pub(super) level: u32,
    /// Where the rows that pass the same feature above are known; [`NONE`] at the feature's first split.
    pub(super) earlier: u32,
    /// Where its result goes; [`NONE`] for the root.
    pub(super) out: u32,
    /// How likely an unknown row passes the feature above.
    pub(super) whole: f64,
    /// The same below, left and right.
    pub(super) passes: [f64; 2],
    /// The share of its training rows that go left and right.
    pub(super) shares: [f64; 2],
    pub(super) sides: [Side; 2],
}

/// Where a split leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    /// To a leaf of this value.
    Leaf(f64),
    /// To another split.
    Split,
}

/// What the walk does at a split.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Comes from above.
    Down(u32),
    /// Goes on to the right, where there is another split.
    Turn(u32),
    /// Leaves it: both sides are done.
    Up(u32),
}

/// Numbers of training rows that are so far off that shares leave the range of numbers.
#[derive(Debug)]
pub(super) struct WildCounts;

/// A place on the way down.
struct Open {
    node: u32,
    level: u32,
    out: u32,
    stage: Stage,
}

/// What is next at a place.
enum Stage {
    Down,
    Turn,
    Up,
}

/// How the row stands to one feature at some place.
#[derive(Clone, Copy)]
struct Passage {
    /// How likely an unknown row passes.
    pass: f64,
    slot: u32,
}

impl Plan {
    /// The plan of a tree without what is `tabled`; `None` where nothing is left.
    pub(super) fn new(
        tree: &Tree,
        tests: &[Test],
        tabled: &BTreeSet<Child>,
        rules: &mut QuadratureRules,
    ) -> Result<Option<Self>, WildCounts> {
        let alive = alive(tree, tabled);
        if alive.first() != Some(&true) {
            return Ok(None);
        }
        let (splits, steps) = (Vec::new(), Vec::new());
        let mut maker = Maker { tree, tests, tabled, alive, passages: Passages::default(), splits, steps };
        let distinct = maker.walk();
        let Maker { splits, steps, .. } = maker;
        if splits.iter().any(|split| !split.passes.iter().all(|pass| pass.is_finite())) {
            return Err(WildCounts);
        }
        let loose = tree.nodes.iter().any(|node| {
            let below = [node.left, node.right].map(|child| count(tree, child));
            (below[0] + below[1]).total_cmp(&node.count).is_ne()
        });
        Ok(Some(Self { splits, steps, depth: tree.depth as usize, rule: rules.for_features(distinct), loose }))
    }

    /// Splits times points: of a walk for one row.
    pub(super) fn steps(&self) -> usize {
        self.splits.len() * self.rule.len()
    }
}

/// The distinct features on the way to a place, few enough to search; the last entry of a feature counts.
#[derive(Default)]
struct Passages(BTreeMap<u32, Vec<Passage>>);

impl Passages {
    fn get(&self, feature: u32) -> Option<Passage> {
        self.0.get(&feature)?.last().copied()
    }

    fn push(&mut self, feature: u32, passage: Passage) {
        self.0.entry(feature).or_default().push(passage);
    }

    fn pop(&mut self, feature: u32) {
        if let Some(stack) = self.0.get_mut(&feature) {
            stack.pop();
            if stack.is_empty() {
                self.0.remove(&feature);
            }
        }
    }

    fn distinct(&self) -> usize {
        self.0.len()
    }
}

struct Maker<'a> {
    tree: &'a Tree,
    tests: &'a [Test],
    tabled: &'a BTreeSet<Child>,
    /// Nodes that lead to something without a table.
    alive: Vec<bool>,
    passages: Passages,
    splits: Vec<Split>,
    steps: Vec<Step>,
}

impl Maker<'_> {
    /// Goes through the tree; the most distinct features on the way to a leaf.
    fn walk(&mut self) -> usize {
        let mut most = 0;
        let mut numbers = vec![0; self.tree.nodes.len()];
        let mut open = vec![Open { node: 0, level: 0, out: NONE, stage: Stage::Down }];
        while let Some(at) = open.pop() {
            let node = &self.tree.nodes[at.node as usize];
            let (feature, level) = (node.feature, at.level);
            match at.stage {
                Stage::Down => {
                    numbers[at.node as usize] = self.split(&at);
                    let number = numbers[at.node as usize];
                    self.steps.push(Step::Down(number));
                    self.enter(number, 0);
                    most = most.max(self.passages.distinct());
                    open.push(Open { stage: Stage::Turn, ..at });
                    open.extend(self.below(node.left, level, 0));
                }
                Stage::Turn => {
                    let number = numbers[at.node as usize];
                    self.passages.pop(feature);
                    self.enter(number, 1);
                    open.push(Open { stage: Stage::Up, ..at });
                    if let Some(right) = self.below(node.right, level, 1) {
                        self.steps.push(Step::Turn(number));
                        open.push(right);
                    }
                }
                Stage::Up => {
                    self.passages.pop(feature);
                    self.steps.push(Step::Up(numbers[at.node as usize]));
                }
            }
        }
        most
    }

    fn enter(&mut self, number: u32, side: u32) {
        let split = &self.splits[number as usize];
        let passage = Passage { pass: split.passes[side as usize], slot: slot(split.level, side) };
        self.passages.push(split.feature, passage);
    }

    fn split(&mut self, at: &Open) -> u32 {
        let node = &self.tree.nodes[at.node as usize];
        let earlier = self.passages.get(node.feature);
        let whole = earlier.map_or(1.0, |passage| passage.pass);
        let shares = [node.left, node.right].map(|child| share(self.tree, node, child));
        let number = index(self.splits.len());
        self.splits.push(Split {
            test: self.tests[at.node as usize],
            feature: node.feature,
            level: at.level,
            earlier: earlier.map_or(NONE, |passage| passage.slot),
            out: at.out,
            whole,
            passes: shares.map(|share| whole * share),
            shares,
            sides: [node.left, node.right].map(|child| match child {
                Child::Node(node) if self.alive[node as usize] => Side::Split,
                Child::Leaf(leaf) if !self.tabled.contains(&child) => Side::Leaf(self.tree.leaf_values[leaf as usize]),
                _ => Side::Leaf(0.0),
            }),
        });
        number
    }

    fn below(&self, child: Child, level: u32, side: u32) -> Option<Open> {
        let node = child.node().filter(|node| self.alive[*node as usize])?;
        Some(Open { node, level: level + 1, out: slot(level, side), stage: Stage::Down })
    }
}

/// Which nodes lead to something that has no table.
fn alive(tree: &Tree, tabled: &BTreeSet<Child>) -> Vec<bool> {
    let mut alive = vec![false; tree.nodes.len()];
    let mut open = Vec::from_iter((!alive.is_empty()).then_some((0_u32, false)));
    while let Some((node, sides_done)) = open.pop() {
        let sides = [tree.nodes[node as usize].left, tree.nodes[node as usize].right];
        if tabled.contains(&Child::Node(node)) {
            continue;
        }
        if sides_done {
            alive[node as usize] = sides.iter().any(|side| match side {
                Child::Node(node) => alive[*node as usize],
                leaf => !tabled.contains(leaf),
            });
        } else {
            open.push((node, true));
            open.extend(sides.into_iter().filter_map(Child::node).map(|node| (node, false)));
        }
    }
    alive
}

fn slot(level: u32, side: u32) -> u32 {
    2 * level + side
}

fn index(split: usize) -> u32 {
    u32::try_from(split).expect("a tree has at most MAX_LEAVES leaves")
}
