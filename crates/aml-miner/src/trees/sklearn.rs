//! Trees of scikit-learn, as `scripts/export_sklearn.py` writes them from the fitted estimator's own arrays.
//!
//! The form is ours (`aml_sklearn` is its version): every number as Python's shortest text of the double, `null` for a threshold
//! above every number. Histogram boosting compares doubles; forests round a value to a 32-bit float first and divide the sum of
//! their trees by the number of trees.

use serde::Deserialize;

use super::flat::{self, FlatNode, What};
use super::json::{Capped, Flag};
use super::limits::{MAX_ALL_CATEGORY_WORDS, MAX_ALL_LEAVES, MAX_CODES, MAX_FEATURES, MAX_LEAVES, MAX_TREES, is_value};
use super::model::{After, Categories, CodeList, Library, Missing, Model, Reading, Split, Sums, Tree};
use super::objective::Objective;

/// The key that tells the form; its value is the version.
pub(super) const MARK: &str = "aml_sklearn";
/// The version that is read.
const VERSION: u32 = 1;

type Nodes<T> = Capped<T, { 2 * MAX_LEAVES }>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    aml_sklearn: u32,
    #[serde(rename = "sklearn_version")]
    _sklearn_version: String,
    estimator: String,
    features: usize,
    feature_names: Option<Capped<String, MAX_FEATURES>>,
    /// Whether values are rounded to 32-bit floats.
    single: bool,
    answer: AnswerPart,
    baseline: f64,
    /// The number of trees that the sum is divided by; boosting has none.
    divide_by: Option<f64>,
    code_books: Capped<Book, MAX_FEATURES>,
    trees: Capped<TreePart, MAX_TREES>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerPart {
    Sigmoid,
    Share,
    Raw,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    feature: usize,
    values: Capped<f64, MAX_CODES>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreePart {
    /// -1 at a leaf.
    left: Nodes<i64>,
    right: Nodes<i64>,
    feature: Nodes<i64>,
    threshold: Nodes<Option<f64>>,
    missing_left: Nodes<Flag>,
    value: Nodes<f64>,
    count: Nodes<f64>,
    /// Splits by categories.
    categories: Nodes<CategoryPart>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryPart {
    node: usize,
    members: Capped<u8, 256>,
    members_left: Flag,
}

/// Reads a model.
pub(super) fn from_json(bytes: &[u8]) -> Result<Model, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.aml_sklearn != VERSION {
        return Err(format!("its form has version {}, this program reads {VERSION}", document.aml_sklearn));
    }
    let features = document.features;
    if !(1..=MAX_FEATURES).contains(&features) {
        return Err(format!("it has {features} features, a model has 1 to {MAX_FEATURES}"));
    }
    let names = document.feature_names.unwrap_or_default().0;
    if !names.is_empty() && names.len() != features {
        return Err(format!("it has {features} features and {} names", names.len()));
    }
    let (objective, objective_text) = answer(document.answer, &document.estimator);
    Ok(Model {
        library: Library::ScikitLearn,
        reading: if document.single { Reading::Single } else { Reading::Double },
        sums: sums(document.baseline, document.divide_by)?,
        objective,
        objective_text,
        outputs: 1,
        average_output: false,
        features,
        feature_names: names,
        feature_infos: Vec::new(),
        code_books: code_books(document.code_books.0, features)?,
        codes_unexplained: false,
        trees: trees(&document.trees.0, features)?,
    })
}

fn answer(answer: AnswerPart, estimator: &str) -> (Objective, String) {
    let estimator: String = estimator.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    let (objective, what) = match answer {
        AnswerPart::Sigmoid => (Objective::Sigmoid { slope: 1.0 }, "sigmoid"),
        AnswerPart::Share => (Objective::Share, "share"),
        AnswerPart::Raw => (Objective::Raw, "raw"),
    };
    (objective, format!("{estimator} {what}"))
}

fn sums(baseline: f64, divide_by: Option<f64>) -> Result<Sums, String> {
    if !is_value(baseline) {
        return Err(format!("its baseline is {baseline}"));
    }
    let after = match divide_by {
        None => After::Nothing,
        Some(by) if by >= 1.0 && by <= MAX_TREES as f64 => After::Divide(by),
        Some(by) => return Err(format!("its sums are divided by {by}")),
    };
    Ok(Sums { start: baseline, single: false, after })
}

fn code_books(books: Vec<Book>, features: usize) -> Result<Vec<CodeList>, String> {
    let mut all = 0;
    let mut read = Vec::new();
    for Book { feature, values: Capped(values) } in books {
        all += values.len();
        if feature >= features || all > MAX_CODES {
            return Err(format!("a code book of feature {feature} with {} values", values.len()));
        }
        read.push(CodeList { feature, values });
    }
    Ok(read)
}

fn trees(parts: &[TreePart], features: usize) -> Result<Vec<Tree>, String> {
    let (mut leaves, mut words) = (0, 0);
    let mut trees = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let tree = one(part, features).map_err(|what| format!("tree {index}: {what}"))?;
        leaves += tree.leaf_values.len();
        words += 8 * part.categories.0.len();
        if leaves > MAX_ALL_LEAVES || words > MAX_ALL_CATEGORY_WORDS {
            return Err("its trees have too many leaves, or splits by categories".into());
        }
        trees.push(tree);
    }
    Ok(trees)
}

fn one(part: &TreePart, features: usize) -> Result<Tree, String> {
    let count = part.left.0.len();
    let lengths = [&part.right.0, &part.feature.0].map(Vec::len).into_iter();
    let lengths = lengths.chain([part.value.0.len(), part.count.0.len()]);
    if lengths.chain([part.threshold.0.len(), part.missing_left.0.len()]).any(|length| length != count) {
        return Err("its lists differ in length".into());
    }
    let mut splits = numerical(part)?;
    for CategoryPart { node, members, members_left } in &part.categories.0 {
        let mut set = [0_u32; 8];
        members.0.iter().for_each(|member| set[usize::from(*member / 32)] |= 1 << (member % 32));
        let missing_left = part.missing_left.0.get(*node).ok_or("a split by categories is not among its nodes")?.0;
        let split = Categories { set: set.as_slice().into(), members_left: members_left.0, missing_left };
        splits[*node] = Some(Split::Categorical(split));
    }
    let place = |index: i64| usize::try_from(index).map_err(|_| "a split has one child only".to_owned());
    let node = |(row, split): (usize, Option<Split>)| {
        let what = match split.filter(|_| part.left.0[row] != -1) {
            None => What::Leaf(part.value.0[row]),
            Some(split) => {
                let children = [place(part.left.0[row])?, place(part.right.0[row])?];
                What::Split { feature: place(part.feature.0[row])?, split, children }
            }
        };
        Ok(FlatNode { count: part.count.0[row], what })
    };
    let table = splits.into_iter().enumerate().map(node).collect::<Result<Vec<_>, String>>()?;
    flat::tree(&table, features)
}

/// The question of each node, should it split by a number.
fn numerical(part: &TreePart) -> Result<Vec<Option<Split>>, String> {
    let question = |(threshold, missing_left): (&Option<f64>, &Flag)| {
        let threshold = threshold.unwrap_or(f64::INFINITY);
        if threshold.is_nan() {
            return Err("a threshold is no number".to_owned());
        }
        Ok(Some(Split::Numerical { threshold, missing: Missing::Nan { left: missing_left.0 } }))
    };
    part.threshold.0.iter().zip(&part.missing_left.0).map(question).collect()
}
