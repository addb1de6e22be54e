//! CatBoost's models of numbers with symmetric trees, as `.cbm` and as JSON.
//!
//! CatBoost rounds a value to a 32-bit float and asks whether it is greater than a border; the answers to a tree's questions are the
//! bits of a leaf's number, the first question the lowest. Values are added in doubles, one tree after the other, then scaled. Here
//! such a tree is one whose splits of a level all ask the same, from the last question down.

mod binary;
mod document;
mod flatbuffer;
mod loss;

use super::limits::{MAX_ALL_LEAVES, MAX_FEATURES, MAX_TREES, is_value};
use super::model::{After, Child, Library, Missing, Model, Node, Reading, Split, Sums, Tree};

/// Questions of a tree: CatBoost's own limit.
const MAX_QUESTIONS: usize = 16;

/// A model as either form gives it.
struct Parts {
    /// Names by place; empty ones where there are none.
    names: Vec<String>,
    /// By place: whether a missing value is greater than every border.
    missing_above: Vec<bool>,
    trees: Vec<SymmetricTree>,
    scale: f64,
    bias: f64,
    /// What was optimised; empty when the file does not say.
    loss: String,
}

/// One symmetric tree.
struct SymmetricTree {
    questions: Vec<Question>,
    values: Vec<f64>,
    /// Empty when the file does not say.
    weights: Vec<f64>,
}

/// Whether a feature is greater than a border.
#[derive(Clone, Copy)]
struct Question {
    feature: usize,
    border: f32,
}

/// Reads a `.cbm` file.
pub(super) fn from_binary(bytes: &[u8]) -> Result<Model, String> {
    model(binary::read(bytes)?)
}

/// Reads a model that was saved with `format="json"`. Its numbers are those of the model in memory, to the bit; CatBoost's own
/// reader of JSON rounds them.
pub(super) fn from_json(bytes: &[u8]) -> Result<Model, String> {
    let document: document::Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    model(document.parts()?)
}

fn model(parts: Parts) -> Result<Model, String> {
    let features = parts.names.len();
    if !(1..=MAX_FEATURES).contains(&features) {
        return Err(format!("it has {features} features, a model has 1 to {MAX_FEATURES}"));
    }
    if parts.trees.len() > MAX_TREES {
        return Err(format!("it has {} trees, a model has at most {MAX_TREES}", parts.trees.len()));
    }
    if !is_value(parts.scale) || !is_value(parts.bias) {
        return Err(format!("its scale is {}, its bias {}", parts.scale, parts.bias));
    }
    let leaves: usize = parts.trees.iter().map(|tree| tree.values.len()).sum();
    if leaves > MAX_ALL_LEAVES {
        return Err(format!("its trees have {leaves} leaves, a model has at most {MAX_ALL_LEAVES}"));
    }
    let one = |(index, tree): (usize, &SymmetricTree)| {
        tree.grown(&parts.missing_above).map_err(|what| format!("tree {index}: {what}"))
    };
    let trees = parts.trees.iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(Model {
        library: Library::CatBoost,
        reading: Reading::Single,
        sums: Sums { start: 0.0, single: false, after: After::ScaleAndBias { scale: parts.scale, bias: parts.bias } },
        objective: loss::objective(&parts.loss)?,
        objective_text: parts.loss,
        outputs: 1,
        average_output: false,
        features,
        feature_names: if named(&parts.names) { parts.names } else { Vec::new() },
        feature_infos: Vec::new(),
        code_books: Vec::new(),
        codes_unexplained: false,
        trees,
    })
}

/// Features that were given no names are named by their places, or not at all.
fn named(names: &[String]) -> bool {
    names.iter().enumerate().any(|(place, name)| !name.is_empty() && *name != place.to_string())
}

impl SymmetricTree {
    /// The tree, level by level.
    fn grown(&self, missing_above: &[bool]) -> Result<Tree, String> {
        let (questions, leaves) = (self.questions.len(), self.values.len());
        if questions > MAX_QUESTIONS || leaves != 1 << questions {
            return Err(format!(
                "{leaves} leaves and {questions} questions: one score per row and symmetric trees are wanted"
            ));
        }
        if !self.weights.is_empty() && self.weights.len() != leaves {
            return Err(format!("{leaves} leaves and {} weights", self.weights.len()));
        }
        if let Some(value) = self.values.iter().find(|value| !is_value(**value)) {
            return Err(format!("a leaf has the value {value}"));
        }
        if let Some(weight) = self.weights.iter().find(|weight| !weight.is_finite() || **weight < 0.0) {
            return Err(format!("a leaf weighs {weight}"));
        }
        // As in a heap: node `i` is over `2 i + 1` and `2 i + 2`, and the leaves follow the nodes.
        let counts = self.counts();
        let child = |place: usize| {
            let index = |place| u32::try_from(place).map_err(|_| "too many leaves".to_owned());
            if place < leaves - 1 {
                index(place).map(Child::Node)
            } else {
                index(place - (leaves - 1)).map(Child::Leaf)
            }
        };
        let mut nodes = Vec::with_capacity(leaves - 1);
        for place in 0..leaves - 1 {
            let level = (place + 1).ilog2() as usize;
            let Question { feature, border } = self.questions[questions - 1 - level];
            let missing_left = !missing_above.get(feature).ok_or("it asks for a feature that is not there")?;
            nodes.push(Node {
                feature: u32::try_from(feature).map_err(|_| "it asks for a feature that is not there")?,
                split: Split::Numerical { threshold: f64::from(border), missing: Missing::Nan { left: missing_left } },
                left: child(2 * place + 1)?,
                right: child(2 * place + 2)?,
                count: counts.get(place).copied().unwrap_or(0.0),
            });
        }
        Ok(Tree {
            nodes,
            leaf_values: self.values.clone(),
            leaf_counts: self.weights.clone(),
            depth: u32::try_from(questions).map_err(|_| "too many questions")?,
        })
    }

    /// The weight of each node: that of its leaves.
    fn counts(&self) -> Vec<f64> {
        let leaves = self.weights.len();
        let mut counts = vec![0.0; leaves.saturating_sub(1)];
        counts.extend(&self.weights);
        for place in (0..leaves.saturating_sub(1)).rev() {
            counts[place] = counts[2 * place + 1] + counts[2 * place + 2];
        }
        counts
    }
}
