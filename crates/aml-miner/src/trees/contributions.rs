//! Exact TreeSHAP (path-dependent, as LightGBM's `predict_contrib`): what every feature adds to a row's raw score.
//!
//! A leaf's contributions depend on a row only through *which* of the features on its path let the row through. So
//! those of neighbouring leaves with short paths are tabulated once a model (`tables`, `group`): explaining a row is
//! looking up and adding. What has no table takes one walk over what is left of its tree (`walk`), whose time is its
//! splits times the points of a quadrature that is exact for any depth. The order of additions is fixed, so a row's
//! bits depend neither on its neighbours nor on threads.

mod group;
mod lanes;
mod masks;
mod mean;
mod paths;
mod plan;
mod quadrature;
mod shapley;
mod tables;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::forest::Forest;
use super::isa::Isa;
use super::model::{Model, Tree};
use super::quantizer::{BLOCK, Codes, Quantizer, Test};
use mean::expected_value;
use plan::Plan;
use quadrature::QuadratureRules;
use tables::{Candidate, Decided, Decisions, TreeTables};
use walk::{Room, Rows, Sums};

/// Bytes of all tables of one model: the shipped ones need up to 101 MiB, and three such models fit half a gigabyte
/// beside a large batch. What gets no table takes the walk, which a larger bound would spare little.
pub const MAX_TABLE_BYTES: usize = 128 << 20;
/// Splits times points that the walks of one row may take: some tenths of a second.
pub const MAX_STEPS: usize = 1 << 28;

/// Rows of one walk.
const LANES: usize = 16;
/// Rows up to which a walk takes a short form.
const FEW_LANES: usize = 2;
/// Blocks of rows that pass one tree while its tables are in the second-level cache: the more, the less often a large
/// model's tables come from memory.
const BLOCKS: usize = 32;

/// Explains the rows of one model.
#[derive(Debug)]
pub struct Explainer {
    isa: Isa,
    quantizer: Arc<Quantizer>,
    trees: Vec<Explained>,
    base_values: Vec<f64>,
}

/// One tree: what is tabulated, and what is not.
#[derive(Debug)]
struct Explained {
    tables: TreeTables,
    walk: Option<Plan>,
}

/// A model that cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The file has no row counts, or a split that no training row reached.
    #[error(
        "tree {tree} does not say how many training rows reached each split and leaf (`leaf_count`, `internal_count`)"
    )]
    NoCounts {
        /// The tree.
        tree: usize,
    },
    /// Its row counts grow on the way down.
    #[error("tree {tree} has numbers of training rows that cannot be (`leaf_count`, `internal_count`)")]
    WildCounts {
        /// The tree.
        tree: usize,
    },
    /// More than [`MAX_STEPS`].
    #[error("its trees are too many and too deep to be explained: train with a smaller `max_depth`")]
    TooLong,
}

impl Explainer {
    /// Prepares the explanation of a model, with tables of at most [`MAX_TABLE_BYTES`].
    ///
    /// # Errors
    /// When the model lacks what explanations need.
    pub fn new(model: &Model) -> Result<Self, ExplainError> {
        Self::with_table_bytes(model, MAX_TABLE_BYTES)
    }

    /// As [`Explainer::new`] with another bound on the tables; 0 leaves everything to the walk.
    ///
    /// # Errors
    /// When the model lacks what explanations need.
    pub fn with_table_bytes(model: &Model, bytes: usize) -> Result<Self, ExplainError> {
        let (quantizer, tests) = Quantizer::new(model);
        Self::of(Arc::new(quantizer), &tests, model, bytes)
    }

    /// As [`Explainer::with_table_bytes`] for the model that `forest` evaluates, so that both can share work.
    ///
    /// # Errors
    /// When the model lacks what explanations need.
    pub fn beside(forest: &Forest, model: &Model, bytes: usize) -> Result<Self, ExplainError> {
        let (_, tests) = Quantizer::new(model);
        Self::of(Arc::clone(&forest.quantizer), &tests, model, bytes)
    }

    fn of(quantizer: Arc<Quantizer>, tests: &[Vec<Test>], model: &Model, bytes: usize) -> Result<Self, ExplainError> {
        let factor = model.sums.after.factor();
        let whole = |tree| weighted(tree, factor);
        let mut base_values = vec![model.sums.after.of(model.sums.start); model.outputs];
        let mut candidates = Vec::new();
        for (index, tree) in model.trees.iter().enumerate() {
            let expected = expected_value(&whole(tree), model.library).ok_or(ExplainError::NoCounts { tree: index })?;
            base_values[index % model.outputs] += expected;
            Candidate::of(tree, index, &mut candidates);
        }
        let chosen = Candidate::choose(candidates, bytes);
        let (mut rest, mut rules, mut steps) = (&chosen[..], QuadratureRules::default(), 0_usize);
        let mut trees = Vec::with_capacity(model.trees.len());
        for (index, (read, tests)) in model.trees.iter().zip(tests).enumerate() {
            let (own, tree);
            (own, rest) = rest.split_at(rest.partition_point(|candidate| candidate.tree == index));
            tree = whole(read);
            let roots: BTreeSet<_> = own.iter().map(|candidate| candidate.root).collect();
            let walk = Plan::new(&tree, tests, &roots, &mut rules);
            let walk = walk.map_err(|_| ExplainError::WildCounts { tree: index })?;
            steps = steps.saturating_add(walk.as_ref().map_or(0, Plan::steps));
            if steps > MAX_STEPS {
                return Err(ExplainError::TooLong);
            }
            trees.push(Explained { tables: TreeTables::new(&tree, tests, &roots, &mut rules), walk });
        }
        Ok(Self { isa: Isa::best(), quantizer, trees, base_values })
    }

    /// The same, compiled for another set of instructions: the same bits at another speed.
    #[must_use]
    pub fn compiled_for(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// The expected raw score over the training data, one an output.
    #[must_use]
    pub fn base_values(&self) -> &[f64] {
        &self.base_values
    }

    /// Bytes of the tables.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.trees.iter().map(|tree| tree.tables.bytes()).sum()
    }

    /// What one row takes: additions from tables, and splits times points of walks. One to two nanoseconds
    /// each in a batch; a row alone takes some ten times that.
    #[must_use]
    pub fn steps(&self) -> usize {
        let steps = |tree: &Explained| tree.tables.additions() + tree.walk.as_ref().map_or(0, Plan::steps);
        self.trees.iter().map(steps).sum()
    }

    /// Writes each row's contributions: for every output, one number per feature.
    ///
    /// # Panics
    /// When `rows` is not whole rows, or `contributions` has not one place per row, output and feature.
    pub fn contributions_into(&self, rows: &[f64], contributions: &mut [f64]) {
        self.explain(rows, contributions, |_, _| {});
    }

    /// Writes each row's raw scores, as `forest` gives them, and contributions; the rows are turned into codes once.
    ///
    /// # Panics
    /// When `forest` is not the one that this was made [beside](Explainer::beside), or as the two alone.
    pub fn raw_and_contributions_into(
        &self,
        forest: &Forest,
        rows: &[f64],
        raw: &mut [f64],
        contributions: &mut [f64],
    ) {
        assert!(Arc::ptr_eq(&self.quantizer, &forest.quantizer), "the forest that it was made beside");
        let outputs = self.base_values.len();
        assert_eq!(rows.len() / self.quantizer.features() * outputs, raw.len(), "one place per row and output");
        self.explain(rows, contributions, |codes, rows| {
            forest.raw_of_block(codes, &mut raw[rows.start * outputs..rows.end * outputs]);
        });
    }

    /// Writes contributions, and shows the codes of each block of rows on the way.
    fn explain(&self, rows: &[f64], contributions: &mut [f64], mut coded: impl FnMut(&Codes, Range<usize>)) {
        let features = self.quantizer.features();
        let outputs = self.base_values.len();
        assert!(rows.len().is_multiple_of(features), "whole rows");
        assert_eq!(rows.len() * outputs, contributions.len(), "one place per row, output and feature");
        let blocks = rows.len().div_ceil(features * BLOCK).min(BLOCKS);
        let mut blocks: Vec<Block> = (0..blocks).map(|_| Block::new(self)).collect();
        let mut scratch = Scratch::new(self.isa);
        let groups = rows.chunks(BLOCKS * BLOCK * features);
        let results = contributions.chunks_mut(BLOCKS * BLOCK * features * outputs);
        let mut first = 0;
        for (rows, results) in groups.zip(results) {
            let blocks = &mut blocks[..rows.len().div_ceil(BLOCK * features)];
            for (rows, block) in rows.chunks(BLOCK * features).zip(&mut *blocks) {
                block.start(self, rows);
                coded(&block.codes, first..first + block.rows);
                first += block.rows;
            }
            for (index, tree) in self.trees.iter().enumerate() {
                let from = index % outputs * features;
                blocks.iter_mut().for_each(|block| block.add(tree, from..from + features, &mut scratch));
            }
            for (results, block) in results.chunks_mut(BLOCK * features * outputs).zip(blocks) {
                block.finish(results);
            }
        }
    }
}

/// A tree whose leaves have the values that arrive in the raw score.
fn weighted(tree: &Tree, factor: f64) -> Cow<'_, Tree> {
    if factor.total_cmp(&1.0).is_eq() { Cow::Borrowed(tree) } else { Cow::Owned(tree.scaled(factor)) }
}

/// Room that is reused from tree to tree.
struct Scratch {
    isa: Isa,
    decisions: Decisions,
    many: Room<LANES>,
    few: Room<FEW_LANES>,
}

impl Scratch {
    fn new(isa: Isa) -> Self {
        Self { isa, decisions: Decisions::default(), many: Room::default(), few: Room::default() }
    }
}

/// A block of rows on its way through the trees.
struct Block {
    rows: usize,
    codes: Codes,
    /// One entry an output and feature: neighbouring rows share cache lines here, not in the results.
    sums: Vec<Sums>,
}

impl Block {
    fn new(explainer: &Explainer) -> Self {
        let columns = explainer.quantizer.features() * explainer.base_values.len();
        Self { rows: 0, codes: explainer.quantizer.codes(), sums: vec![[0.0; BLOCK]; columns] }
    }

    fn start(&mut self, explainer: &Explainer, rows: &[f64]) {
        self.rows = rows.len() / explainer.quantizer.features();
        self.sums.fill([0.0; BLOCK]);
        explainer.quantizer.encode(explainer.isa, rows, &mut self.codes);
    }

    /// Adds a tree's contributions, which go to these columns.
    fn add(&mut self, tree: &Explained, columns: Range<usize>, scratch: &mut Scratch) {
        let sums = &mut self.sums[columns];
        let isa = scratch.isa;
        let block = Decided { codes: &self.codes, rows: self.rows, sums: &mut *sums };
        tree.tables.add(isa, block, &mut scratch.decisions);
        let Some(plan) = &tree.walk else { return };
        for first in (0..self.rows).step_by(LANES) {
            let rows = Rows { codes: &self.codes, first };
            if self.rows - first <= FEW_LANES {
                scratch.few.add(isa, plan, rows, sums);
            } else {
                scratch.many.add(isa, plan, rows, sums);
            }
        }
    }

    fn finish(&self, results: &mut [f64]) {
        for (row, results) in results.chunks_exact_mut(self.sums.len()).enumerate() {
            results.iter_mut().zip(&self.sums).for_each(|(result, sums)| *result = sums[row]);
        }
    }
}
