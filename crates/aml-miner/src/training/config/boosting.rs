//! Boosting's parameters: what one model's section of the configuration may say.

use serde::{Deserialize, Serialize};

use super::section::{Section, any, not_negative, share};
#[cfg(feature = "training")]
use crate::training::lightgbm::Parameters;

/// How the rarer class is weighted in training. Probabilities are calibrated afterwards, without weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Every row counts the same.
    None,
    /// Positive rows weigh the square root of negatives over positives.
    Sqrt,
    /// Positive rows weigh negatives over positives: both classes count the same.
    Balanced,
}

/// Parameters of one model. The defaults are those of `config/model_config.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boosting {
    /// Largest number of leaves of a tree.
    pub num_leaves: u32,
    /// Largest depth of a tree; 0 is no limit.
    pub max_depth: u32,
    /// Shrinkage of every tree.
    pub learning_rate: f64,
    /// Share of the features that a tree may use.
    pub feature_fraction: f64,
    /// Share of the rows that a tree is grown on.
    pub bagging_fraction: f64,
    /// Rounds between two draws of rows; 0 is never.
    pub bagging_freq: u32,
    /// Fewest rows of a leaf.
    pub min_data_in_leaf: u32,
    /// Smallest sum of hessians of a leaf.
    pub min_sum_hessian_in_leaf: f64,
    /// Smallest gain of a split.
    pub min_gain_to_split: f64,
    /// L1 regularisation.
    pub lambda_l1: f64,
    /// L2 regularisation.
    pub lambda_l2: f64,
    /// Most bins of a feature.
    pub max_bin: u32,
    /// Most rounds.
    pub rounds: u32,
    /// Rounds without a better validation before boosting ends; 0 is never.
    pub early_stopping: u32,
    /// Weight of the rarer class (not of the ranker).
    pub class_weight: ClassWeight,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            num_leaves: 31,
            max_depth: 0,
            learning_rate: 0.05,
            feature_fraction: 0.8,
            bagging_fraction: 0.8,
            bagging_freq: 5,
            min_data_in_leaf: 20,
            min_sum_hessian_in_leaf: 0.001,
            min_gain_to_split: 0.0,
            lambda_l1: 0.0,
            lambda_l2: 0.0,
            max_bin: 255,
            rounds: 500,
            early_stopping: 50,
            class_weight: ClassWeight::None,
        }
    }
}

impl Boosting {
    /// This, changed by what `section` says.
    pub(super) fn read(mut self, mut section: Section<'_>) -> Self {
        let leaves = |&value: &u32| between(value, 2, 4096, "must be from 2 to 4096");
        section.read("num_leaves", &mut self.num_leaves, leaves);
        section.read("max_depth", &mut self.max_depth, |&v| between(v, 0, 64, "must be from 0 (no limit) to 64"));
        section.read("learning_rate", &mut self.learning_rate, share);
        section.read("feature_fraction", &mut self.feature_fraction, share);
        section.read("bagging_fraction", &mut self.bagging_fraction, share);
        section.read("bagging_freq", &mut self.bagging_freq, |&v| between(v, 0, 1000, "must be from 0 to 1000"));
        let rows = |&value: &u32| between(value, 1, 1_000_000, "must be from 1 to 1000000");
        section.read("min_data_in_leaf", &mut self.min_data_in_leaf, rows);
        section.read("min_sum_hessian_in_leaf", &mut self.min_sum_hessian_in_leaf, not_negative);
        section.read("min_gain_to_split", &mut self.min_gain_to_split, not_negative);
        section.read("lambda_l1", &mut self.lambda_l1, not_negative);
        section.read("lambda_l2", &mut self.lambda_l2, not_negative);
        section.read("max_bin", &mut self.max_bin, |&v| between(v, 2, 65_535, "must be from 2 to 65535"));
        section.read("rounds", &mut self.rounds, |&v| between(v, 1, 20_000, "must be from 1 to 20000"));
        section.read("early_stopping", &mut self.early_stopping, any);
        section.read("class_weight", &mut self.class_weight, any);
        section.finish();
        self
    }
}

#[cfg(feature = "training")]
impl Boosting {
    /// These parameters in LightGBM's words, for `objective`. The same rows, parameters and seed give the same model
    /// whatever the number of threads.
    #[must_use]
    pub fn parameters(&self, objective: &str, seed: u64, threads: usize) -> Parameters {
        let mut all = Parameters::default();
        all.set("objective", objective).set("metric", "none").set("verbosity", -1);
        // LightGBM's seeds are 31 bits wide.
        all.set("seed", seed & 0x7fff_ffff).set("num_threads", threads.max(1));
        all.set("deterministic", true).set("force_row_wise", true);
        all.set("num_leaves", self.num_leaves).set("learning_rate", self.learning_rate);
        all.set("max_depth", if self.max_depth == 0 { -1 } else { i64::from(self.max_depth) });
        all.set("feature_fraction", self.feature_fraction);
        all.set("bagging_fraction", self.bagging_fraction).set("bagging_freq", self.bagging_freq);
        all.set("min_data_in_leaf", self.min_data_in_leaf);
        all.set("min_sum_hessian_in_leaf", self.min_sum_hessian_in_leaf);
        all.set("min_gain_to_split", self.min_gain_to_split);
        all.set("lambda_l1", self.lambda_l1).set("lambda_l2", self.lambda_l2).set("max_bin", self.max_bin);
        all
    }
}

fn between(value: u32, low: u32, high: u32, must: &'static str) -> Result<(), &'static str> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(must) }
}
