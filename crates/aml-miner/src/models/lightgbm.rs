//! LightGBM's text model (`tree`, versions 3 and 4), read by a bounded parser.
//!
//! A model file is a stranger's input: nothing in it is trusted. Every number is range-checked, every array has the
//! length its tree declares, every child graph is a proper tree, and work and memory are linear in the file's size,
//! which is capped first. What comes out needs no further checks. [`parse`] is the only way to make a [`Model`].

mod error;
mod header;
mod lines;
mod objective;
mod topology;
mod tree;

pub use error::{ParseError, Problem};
pub use objective::Objective;

use std::sync::Arc;

use lines::Lines;

/// Bytes of a model file. Ten times the largest model that trained well here; a bigger file is a mistake or an attack.
pub const MAX_MODEL_BYTES: usize = 64 << 20;
/// Trees of a model: LightGBM's own tuning advice ends far below this.
pub const MAX_TREES: usize = 100_000;
/// Leaves of one tree: LightGBM's own limit of `num_leaves`.
pub const MAX_LEAVES: usize = 131_072;
/// Splits between the root and a leaf. The deepest useful tree is some tens deep; explanations cost its square.
pub const MAX_DEPTH: u32 = 1_024;
/// Classes of a multiclass model.
pub const MAX_CLASSES: usize = 1_000;
/// Features of a model: an index fits 16 bits.
pub const MAX_FEATURES: usize = 65_535;
/// 32-bit words of one categorical split: categories up to 2,097,151.
pub const MAX_CATEGORY_WORDS: usize = 65_536;

/// The largest absolute value of a leaf: no sum over [`MAX_TREES`] trees can overflow.
pub const MAX_LEAF_VALUE: f64 = 1e100;

/// A checked model: every index in it points to something that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// How raw scores become answers.
    pub objective: Objective,
    /// The objective as the file names it, with its settings; empty when it names none.
    pub objective_text: String,
    /// Raw scores of one row; tree `i` adds to score `i % outputs`.
    pub outputs: usize,
    /// Whether the answer is the mean over the iterations instead of their sum (random forest).
    pub average_output: bool,
    /// Names of the features, in the order of a row.
    pub feature_names: Vec<String>,
    /// What LightGBM noted of each feature's values: `[min:max]`, a list of categories, or `none`.
    pub feature_infos: Vec<String>,
    /// The trees, in the order in which they are added up. A multiple of `outputs`.
    pub trees: Vec<Tree>,
}

/// One tree. Node 0 is the root; a tree without nodes has one leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The splits.
    pub nodes: Vec<Node>,
    /// What each leaf adds to the raw score, shrinkage included.
    pub leaf_values: Vec<f64>,
    /// Training rows of each leaf; empty when the file does not say.
    pub leaf_counts: Vec<u32>,
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
    /// Training rows that came here; 0 when the file does not say.
    pub count: u32,
}

/// Where a split leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// To the node of this index.
    Node(u32),
    /// To the leaf of this index.
    Leaf(u32),
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
    /// Left when the value, cut to an integer, is in the set: bit `c % 32` of word `c / 32`.
    Categorical(Arc<[u32]>),
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

/// Reads a model.
///
/// # Errors
/// What is wrong and in which line. Time and memory are linear in `bytes`, whatever they hold.
pub fn parse(bytes: &[u8]) -> Result<Model, ParseError> {
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(Problem::TooLarge { bytes: bytes.len() }.at(0));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
        Problem::NotText.at(line)
    })?;
    let mut lines = Lines::new(text);
    let header = header::Header::read(&mut lines)?;
    let trees = tree::read_all(&mut lines, &header)?;
    Ok(Model {
        objective: header.objective,
        objective_text: header.objective_text,
        outputs: header.outputs,
        average_output: header.average_output,
        feature_names: header.feature_names,
        feature_infos: header.feature_infos,
        trees,
    })
}
