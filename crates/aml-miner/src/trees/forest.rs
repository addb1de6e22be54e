//! Evaluation of a model's trees: immutable, shared between threads, raw scores bit-equal to those of the library that made it.
//!
//! Rows are taken in blocks. A block is first turned into small integers by the model's own thresholds
//! (`Quantizer`), once for all trees; then a split is one integer comparison for a whole block of rows. Trees of up
//! to 64 leaves are evaluated without branches (`masks`), larger ones node by node (`walk`). Each row's sum runs
//! over the trees in their order, so its bits do not depend on the other rows.

mod masks;
mod walk;

use std::sync::Arc;

use super::isa::{Isa, Kernel};
use super::model::{Model, Sums, Tree};
use super::objective::Objective;
use super::quantizer::{BLOCK, Codes, FEW, Quantizer, Test};
use masks::MaskTree;
use walk::WalkTree;

/// A model's trees, compiled.
#[derive(Debug)]
pub struct Forest {
    isa: Isa,
    pub(super) quantizer: Arc<Quantizer>,
    trees: Vec<Compiled>,
    outputs: usize,
    sums: Sums,
    /// What to divide the sums by before the objective's conversion: 1, or the iterations of a random forest.
    divisor: f64,
    objective: Objective,
}

/// A tree in the form that evaluates it fastest.
#[derive(Debug)]
enum Compiled {
    Small(MaskTree),
    Large(WalkTree),
}

impl Compiled {
    fn new(tree: &Tree, tests: &[Test]) -> Self {
        if tree.leaf_values.len() <= masks::MAX_LEAVES {
            Self::Small(MaskTree::new(tree, tests))
        } else {
            Self::Large(WalkTree::new(tree, tests))
        }
    }

    /// Adds the tree's value to the score of the first `rows` rows of a block (and to some others).
    #[inline(always)]
    fn add(&self, codes: &Codes, rows: usize, scores: &mut [f64; BLOCK]) {
        match self {
            Self::Small(tree) if rows <= FEW => tree.add::<FEW>(codes, scores),
            Self::Small(tree) => tree.add::<BLOCK>(codes, scores),
            Self::Large(tree) => tree.add(codes, &mut scores[..rows]),
        }
    }
}

impl Forest {
    /// Compiles a model.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let (quantizer, tests) = Quantizer::new(model);
        let trees = model.trees.iter().zip(&tests).map(|(tree, tests)| Compiled::new(tree, tests));
        let iterations = model.trees.len() / model.outputs;
        Self {
            isa: Isa::best(),
            quantizer: Arc::new(quantizer),
            trees: trees.collect(),
            outputs: model.outputs,
            sums: model.sums,
            divisor: if model.average_output { iterations as f64 } else { 1.0 },
            objective: model.objective,
        }
    }

    /// The same, compiled for another set of instructions: the same bits at another speed.
    #[must_use]
    pub fn compiled_for(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// Values of one row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.quantizer.features()
    }

    /// Scores of one row: 1, or the number of classes.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Writes the raw scores of every row, row by row: the sums of the trees' values as the library makes them.
    ///
    /// # Panics
    /// When `rows` is not as many whole rows as `raw` has places for.
    pub fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
        let features = self.features();
        assert_eq!(rows.len() / features * self.outputs, raw.len(), "one place per row and output");
        assert!(rows.len().is_multiple_of(features), "whole rows");
        let mut codes = self.quantizer.codes();
        let blocks = rows.chunks(BLOCK * features).zip(raw.chunks_mut(BLOCK * self.outputs));
        for (rows, raw) in blocks {
            self.quantizer.encode(self.isa, rows, &mut codes);
            self.raw_of_block(&codes, raw);
        }
    }

    /// Writes the raw scores of the rows with these codes.
    pub(super) fn raw_of_block(&self, codes: &Codes, raw: &mut [f64]) {
        self.isa.run(Raw { forest: self, codes, raw });
    }

    /// Writes the answers of every row as the model's objective defines them.
    ///
    /// # Panics
    /// When `rows` is not as many whole rows as `answers` has places for.
    pub fn predict_into(&self, rows: &[f64], answers: &mut [f64]) {
        self.raw_into(rows, answers);
        self.convert(answers);
    }

    /// Turns raw scores into answers as the model's objective defines them.
    ///
    /// # Panics
    /// When there are not whole rows of them.
    pub fn convert(&self, scores: &mut [f64]) {
        assert!(scores.len().is_multiple_of(self.outputs), "whole rows");
        for row in scores.chunks_mut(self.outputs) {
            row.iter_mut().for_each(|score| *score /= self.divisor);
            self.objective.convert(row);
        }
    }
}

/// The raw scores of one block of rows.
struct Raw<'a> {
    forest: &'a Forest,
    codes: &'a Codes,
    raw: &'a mut [f64],
}

impl Kernel for Raw<'_> {
    #[inline(always)]
    fn run(self) {
        let Forest { trees, outputs, sums, .. } = self.forest;
        for output in 0..*outputs {
            let mut scores = [sums.start; BLOCK];
            for tree in trees.iter().skip(output).step_by(*outputs) {
                tree.add(self.codes, self.raw.len() / outputs, &mut scores);
                if sums.single {
                    // The sum of two 32-bit floats, rounded once from 64 bits, is their 32-bit sum.
                    scores.iter_mut().for_each(|score| *score = nearest_single(*score));
                }
            }
            let places = self.raw.iter_mut().skip(output).step_by(*outputs);
            places.zip(scores).for_each(|(place, score)| *place = sums.after.of(score));
        }
    }
}

/// The 32-bit float that is nearest.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
pub(super) fn nearest_single(x: f64) -> f64 {
    f64::from(x as f32)
}
