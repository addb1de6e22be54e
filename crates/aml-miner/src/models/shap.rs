//! Exact TreeSHAP (path-dependent, as LightGBM's `predict_contrib`): what every feature adds to a row's raw score.
//!
//! A leaf's contributions depend on a row only through *which* of the features on its path let the row through. So they
//! are tabulated once a model: neighbouring leaves share a table (`group`), whose index is a few bits of the row's
//! split decisions, and explaining a row is looking up and adding. Tables are filled, and paths too long for a table
//! explained directly, by one closed form (`shapley`) that is exact for any depth. The order of additions is fixed,
//! so a row's bits depend neither on its neighbours nor on threads.

mod group;
mod masks;
mod paths;
mod shapley;
mod tables;

use super::lightgbm::Model;
use super::trees::{BLOCK, Codes, Quantizer};
use tables::{Budget, Scratch, Sums, TreeTables};

/// Bytes of all tables of one model. Three such models fit a gigabyte beside a large batch; the shipped ones need
/// about a quarter of this.
pub const MAX_TABLE_BYTES: usize = 256 << 20;
/// Splits on the paths to all leaves of a model, added up: all of them are kept.
pub const MAX_PATH_SPLITS: usize = 16 << 20;
/// Multiplications for the paths of one row that are explained directly: some tenths of a second.
pub const MAX_DIRECT_STEPS: usize = 1 << 28;

/// Blocks of rows that pass one tree while its tables are in the second-level cache: the more, the less often a large
/// model's tables come from memory.
const BLOCKS: usize = 32;

/// Explains the rows of one model.
#[derive(Debug)]
pub struct Explainer {
    quantizer: Quantizer,
    trees: Vec<TreeTables>,
    base_values: Vec<f64>,
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
    /// More than [`MAX_PATH_SPLITS`] or [`MAX_DIRECT_STEPS`].
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

    /// As [`Explainer::new`] with another bound on the tables; 0 explains every path directly.
    ///
    /// # Errors
    /// When the model lacks what explanations need.
    pub fn with_table_bytes(model: &Model, bytes: usize) -> Result<Self, ExplainError> {
        let (quantizer, tests) = Quantizer::new(model);
        let mut budget = Budget::new(bytes);
        let mut trees = Vec::with_capacity(model.trees.len());
        let mut base_values = vec![0.0; model.outputs];
        for (index, (tree, tests)) in model.trees.iter().zip(&tests).enumerate() {
            let expected = paths::expected_value(tree);
            base_values[index % model.outputs] += expected.ok_or(ExplainError::NoCounts { tree: index })?;
            trees.push(TreeTables::new(tree, tests, &mut budget).ok_or(ExplainError::TooLong)?);
        }
        Ok(Self { quantizer, trees, base_values })
    }

    /// The expected raw score over the training data, one an output.
    #[must_use]
    pub fn base_values(&self) -> &[f64] {
        &self.base_values
    }

    /// Bytes of the tables.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.trees.iter().map(TreeTables::bytes).sum()
    }

    /// Writes each row's contributions: for every output, one number a feature.
    ///
    /// # Panics
    /// When `rows` is not whole rows, or `contributions` has not one place a row, output and feature.
    pub fn contributions_into(&self, rows: &[f64], contributions: &mut [f64]) {
        let features = self.quantizer.features();
        let outputs = self.base_values.len();
        assert!(rows.len().is_multiple_of(features), "whole rows");
        assert_eq!(rows.len() * outputs, contributions.len(), "one place a row, output and feature");
        let blocks = rows.len().div_ceil(features * BLOCK).min(BLOCKS);
        let mut blocks: Vec<Block> = (0..blocks).map(|_| Block::new(self)).collect();
        let mut scratch = Scratch::default();
        let groups = rows.chunks(BLOCKS * BLOCK * features);
        let results = contributions.chunks_mut(BLOCKS * BLOCK * features * outputs);
        for (rows, results) in groups.zip(results) {
            let blocks = &mut blocks[..rows.len().div_ceil(BLOCK * features)];
            for (rows, block) in rows.chunks(BLOCK * features).zip(&mut *blocks) {
                block.start(self, rows);
            }
            for (index, tree) in self.trees.iter().enumerate() {
                let from = index % outputs * features;
                for block in &mut *blocks {
                    let sums = &mut block.sums[from..from + features];
                    tree.add(&block.codes, block.rows, sums, &mut scratch);
                }
            }
            for (results, block) in results.chunks_mut(BLOCK * features * outputs).zip(blocks) {
                block.finish(results);
            }
        }
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
        explainer.quantizer.encode(rows, &mut self.codes);
    }

    fn finish(&self, results: &mut [f64]) {
        for (row, results) in results.chunks_exact_mut(self.sums.len()).enumerate() {
            results.iter_mut().zip(&self.sums).for_each(|(result, sums)| *result = sums[row]);
        }
    }
}
