//! A model as it was read, whatever library made it: every index in it points to something that exists.

use std::fmt;
use std::sync::Arc;

use super::objective::Objective;

/// A checked model: every index in it points to something that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Who made it.
    pub library: Library,
    /// What becomes of a value before it is compared.
    pub reading: Reading,
    /// How the trees' values become raw scores.
    pub sums: Sums,
    /// How raw scores become answers.
    pub objective: Objective,
    /// The objective as the file names it, with its settings; empty when it names none.
    pub objective_text: String,
    /// Raw scores of one row; tree `i` adds to score `i % outputs`.
    pub outputs: usize,
    /// Whether the answer is the mean over the iterations instead of their sum (LightGBM's random forest).
    pub average_output: bool,
    /// Values of one row.
    pub features: usize,
    /// Names of the features, in the order of a row; none when the file does not name them.
    pub feature_names: Vec<String>,
    /// What LightGBM noted of each feature's values: `[min:max]`, a list of categories, or `none`. Other files say nothing.
    pub feature_infos: Vec<String>,
    /// Code books that came as part of the model. LightGBM's stand behind its model and are read apart.
    pub code_books: Vec<CodeList>,
    /// Whether it splits by codes of categories, and the file does not say which value has which code.
    pub codes_unexplained: bool,
    /// The trees, in the order in which they are added up. A multiple of `outputs`.
    pub trees: Vec<Tree>,
}

impl Model {
    /// How far a raw score may be from the exact sum of its trees' values, beyond the rounding of doubles.
    #[must_use]
    pub fn rounding(&self) -> f64 {
        if !self.sums.single {
            return 0.0;
        }
        let (mut largest, mut off) = (self.sums.start.abs(), 0.0);
        for tree in &self.trees {
            largest += tree.leaf_values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
            off += largest * f64::from(f32::EPSILON);
        }
        off
    }
}

/// The values of one feature's categories, in the order of their codes.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeList {
    /// Place of the feature.
    pub feature: usize,
    /// The values.
    pub values: Vec<f64>,
}

/// The library that a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// LightGBM.
    LightGbm,
    /// XGBoost.
    XgBoost,
    /// CatBoost.
    CatBoost,
    /// scikit-learn.
    ScikitLearn,
}

impl Library {
    /// Its name, as its makers write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LightGbm => "LightGBM",
            Self::XgBoost => "XGBoost",
            Self::CatBoost => "CatBoost",
            Self::ScikitLearn => "scikit-learn",
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a value before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Within 1e-35 of zero it is zero: LightGBM.
    NearZero,
    /// The nearest 32-bit float: XGBoost, CatBoost, forests of scikit-learn.
    Single,
    /// It stays as it is: histogram boosting of scikit-learn.
    Double,
}

/// How the values of trees become a raw score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sums {
    /// What the first tree's value is added to.
    pub start: f64,
    /// Whether every sum is rounded to a 32-bit float.
    pub single: bool,
    /// What happens to the sum.
    pub after: After,
}

impl Sums {
    /// The plain sum of doubles.
    pub const PLAIN: Self = Self { start: 0.0, single: false, after: After::Nothing };
}

/// What happens to a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// It is multiplied, then something is added.
    ScaleAndBias {
        /// The factor.
        scale: f64,
        /// What is added.
        bias: f64,
    },
    /// It is divided by this.
    Divide(f64),
}

impl After {
    /// The raw score of a sum.
    #[must_use]
    pub fn of(self, sum: f64) -> f64 {
        match self {
            Self::Nothing => sum,
            Self::ScaleAndBias { scale, bias } => sum * scale + bias,
            Self::Divide(by) => sum / by,
        }
    }

    /// How much of a tree's value arrives in the raw score.
    pub(super) fn factor(self) -> f64 {
        match self {
            Self::Nothing => 1.0,
            Self::ScaleAndBias { scale, .. } => scale,
            Self::Divide(by) => 1.0 / by,
        }
    }
}

/// One tree. Node 0 is the root; a tree without nodes has one leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The splits.
    pub nodes: Vec<Node>,
    /// What each leaf adds to the sum, shrinkage included.
    pub leaf_values: Vec<f64>,
    /// Training rows of each leaf, or their weight; empty when the file does not say.
    pub leaf_counts: Vec<f64>,
    /// Splits above the deepest leaf.
    pub depth: u32,
}

/// One split.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Index of the feature.
    pub feature: u32,
    /// Which rows go left.
    pub split: Split,
    /// Where they go.
    pub left: Child,
    /// Where the others go.
    pub right: Child,
    /// Training rows that came here, or their weight; 0 when the file does not say.
    pub count: f64,
}

/// Where a split leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Child {
    /// To the node of this index.
    Node(u32),
    /// To the leaf of this index.
    Leaf(u32),
}

impl Child {
    /// The node, where it is one.
    pub(in crate::trees) fn node(self) -> Option<u32> {
        match self {
            Self::Node(node) => Some(node),
            Self::Leaf(_) => None,
        }
    }
}

/// The question a split asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Left when the value is not above `threshold`.
    Numerical {
        /// Never NaN; may be infinite.
        threshold: f64,
        /// What counts as missing, and where that goes.
        missing: Missing,
    },
    /// By the value, cut to an integer.
    Categorical(Categories),
}

/// Which categories go left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Categories {
    /// Those of one side: bit `c % 32` of word `c / 32`.
    pub set: Arc<[u32]>,
    /// Whether that side is the left one. All others go to the other side, those that cannot be categories too.
    pub members_left: bool,
    /// Where NaN goes.
    pub missing_left: bool,
}

/// What a numerical split takes for a missing value, and where it sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Nothing is missing; NaN counts as zero.
    None,
    /// Zero and NaN are missing.
    Zero {
        /// Whether they go left.
        left: bool,
    },
    /// NaN is missing.
    Nan {
        /// Whether it goes left.
        left: bool,
    },
}

impl Tree {
    /// The same tree with every leaf's value multiplied.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self { leaf_values: self.leaf_values.iter().map(|value| value * factor).collect(), ..self.clone() }
    }
}
