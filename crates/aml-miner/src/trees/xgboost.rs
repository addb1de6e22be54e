//! XGBoost's models (`save_model`, JSON and UBJSON, of XGBoost 1.x to 3.x), with boosters `gbtree` and `dart`.
//!
//! XGBoost works in 32-bit floats: a value is rounded to one, goes left when it is less than the threshold, and is missing when it
//! is NaN; the margin starts with the base score, and the leaves are added one tree after the other. So a threshold here is the
//! float below XGBoost's, and every sum is rounded.

mod categories;
mod document;
mod objective;
mod ubjson;

use serde::Deserialize as _;

use super::flat::{self, FlatNode, What};
use super::json;
use super::limits::{MAX_ALL_LEAVES, MAX_FEATURES};
use super::model::{After, Library, Missing, Model, Reading, Split, Sums, Tree};
use categories::{Room, code_books};
use document::{Document, ModelPart, TreePart};
use objective::{Answer, answer};

/// Reads a model that was saved as JSON.
pub(super) fn from_json(bytes: &[u8]) -> Result<Model, String> {
    let bytes = json::without_wild_numbers(bytes);
    model(serde_json::from_slice(&bytes).map_err(|error| error.to_string())?)
}

/// Reads a model that was saved as UBJSON.
pub(super) fn from_ubjson(bytes: &[u8]) -> Result<Model, String> {
    let mut reader = ubjson::Reader::new(bytes);
    let document = Document::deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.finish().map_err(|error| error.to_string())?;
    model(document)
}

fn model(document: Document) -> Result<Model, String> {
    let learner = document.learner;
    let features = learner.learner_model_param.features()?;
    let (part, weights) = learner.gradient_booster.parts()?;
    learner.learner_model_param.check_outputs(&part)?;
    check_rounds(learner.attributes.best_iteration.as_deref(), &part)?;
    let Answer { objective, start } = answer(&learner.objective.name, learner.learner_model_param.base_score()?)?;
    let names = learner.feature_names.0;
    if !names.is_empty() && names.len() != features {
        return Err(format!("it has {features} features and {} names", names.len()));
    }
    let code_books = code_books(part.cats.as_ref(), features)?;
    let trees = trees(&part, weights.as_deref(), features)?;
    let coded = |feature: u32| code_books.iter().any(|book| book.feature == feature as usize);
    let nodes = trees.iter().flat_map(|tree| &tree.nodes);
    let unexplained = nodes.filter(|node| matches!(node.split, Split::Categorical(_))).any(|node| !coded(node.feature));
    Ok(Model {
        library: Library::XgBoost,
        reading: Reading::Single,
        sums: Sums { start: f64::from(start), single: true, after: After::Nothing },
        objective,
        objective_text: learner.objective.name,
        outputs: 1,
        average_output: false,
        features,
        feature_names: names,
        feature_infos: Vec::new(),
        code_books,
        codes_unexplained: unexplained,
        trees,
    })
}

/// A model that was stopped early holds rounds that its scikit-learn wrapper leaves out and its booster does not: which are meant
/// cannot be told.
fn check_rounds(best: Option<&str>, part: &ModelPart) -> Result<(), String> {
    let Some(best) = best else { return Ok(()) };
    let best: usize = best.parse().map_err(|_| "`best_iteration` is not a number".to_owned())?;
    let parallel = part.gbtree_model_param.parallel_trees()?;
    let rounds = part.trees.0.len() / parallel;
    if best + 1 < rounds {
        return Err(format!(
            "it was stopped early: round {best} was the best of {rounds}, and the file holds all. Save the best ones \
             (`booster[: booster.best_iteration + 1].save_model(...)`), or say that all count \
             (`booster.set_attr(best_iteration=None)`)"
        ));
    }
    Ok(())
}

fn trees(part: &ModelPart, weights: Option<&[f32]>, features: usize) -> Result<Vec<Tree>, String> {
    if features > MAX_FEATURES {
        return Err(format!("it has {features} features, a model has at most {MAX_FEATURES}"));
    }
    let (mut room, mut leaves) = (Room::default(), 0);
    let mut trees = Vec::with_capacity(part.trees.0.len());
    for (index, tree) in part.trees.0.iter().enumerate() {
        let weight = match weights {
            None => None,
            Some(weights) => Some(*weights.get(index).ok_or("`weight_drop` has fewer weights than there are trees")?),
        };
        let told = |what| format!("tree {index}: {what}");
        if tree.id.is_some_and(|id| usize::try_from(id) != Ok(index)) {
            return Err(told("it stands in the place of another".to_owned()));
        }
        let tree = one(tree, weight, features, &mut room).map_err(told)?;
        leaves += tree.leaf_values.len();
        if leaves > MAX_ALL_LEAVES {
            return Err(format!("its trees have more than {MAX_ALL_LEAVES} leaves"));
        }
        trees.push(tree);
    }
    Ok(trees)
}

fn one(part: &TreePart, weight: Option<f32>, features: usize, room: &mut Room) -> Result<Tree, String> {
    let count = part.check_lengths()?;
    let mut sets = room.sets(part)?;
    let child = |index: i32| usize::try_from(index).map_err(|_| "a split has one child only".to_owned());
    let mut table = Vec::with_capacity(count);
    for row in 0..count {
        let (left, right) = (part.left_children.0[row], part.right_children.0[row]);
        let (condition, default) = (number(part.split_conditions.0[row]), part.default_left.0[row].0);
        let what = if left == -1 {
            // As the library does it: a tree's own sum starts with zero, and the product is rounded before it is added.
            What::Leaf(f64::from(weight.map_or(condition, |weight| (0.0 + condition) * weight)))
        } else {
            let split = match sets.remove(&row) {
                Some(set) => Split::Categorical(categories::split(set, default)),
                None if part.is_categorical(row) => return Err(format!("node {row} has no categories")),
                None => numerical(condition, default)?,
            };
            let feature = usize::try_from(part.split_indices.0[row]).unwrap_or(usize::MAX);
            What::Split { feature, split, children: [child(left)?, child(right)?] }
        };
        table.push(FlatNode { count: f64::from(number(part.sum_hessian.0[row])), what });
    }
    flat::tree(&table, features)
}

/// A float; NaN for what is no number.
fn number(written: Option<f32>) -> f32 {
    written.unwrap_or(f32::NAN)
}

/// Less than a threshold is at most the float below it.
fn numerical(condition: f32, left: bool) -> Result<Split, String> {
    if condition.is_nan() || condition == f32::NEG_INFINITY {
        return Err(format!("a threshold is {condition}"));
    }
    Ok(Split::Numerical { threshold: f64::from(condition.next_down()), missing: Missing::Nan { left } })
}
