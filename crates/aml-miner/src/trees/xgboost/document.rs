//! What of XGBoost's file is read, as it stands there.

use serde::Deserialize;

use super::super::json::{Capped, Flag};
use super::super::limits::{MAX_CODES, MAX_FEATURES, MAX_LEAVES, MAX_MODEL_BYTES, MAX_TREES};

/// Nodes of a tree, those that were pruned included.
const MAX_NODES: usize = 4 * MAX_LEAVES;

/// A list with an entry per node.
type Nodes<T> = Capped<T, MAX_NODES>;

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) learner: Learner,
}

#[derive(Debug, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) feature_names: Capped<String, MAX_FEATURES>,
    pub(super) gradient_booster: Booster,
    pub(super) learner_model_param: LearnerParameters,
    pub(super) objective: ObjectivePart,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Attributes {
    pub(super) best_iteration: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ObjectivePart {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LearnerParameters {
    base_score: String,
    #[serde(default)]
    num_class: String,
    num_feature: String,
    #[serde(default)]
    num_target: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Booster {
    name: String,
    model: Option<ModelPart>,
    gbtree: Option<Inner>,
    weight_drop: Option<Capped<f32, MAX_TREES>>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    model: ModelPart,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelPart {
    #[serde(default)]
    pub(super) gbtree_model_param: GbtreeParameters,
    pub(super) tree_info: Capped<i32, MAX_TREES>,
    pub(super) trees: Capped<TreePart, MAX_TREES>,
    pub(super) cats: Option<Cats>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct GbtreeParameters {
    #[serde(default)]
    num_parallel_tree: String,
}

/// Code books of categories, since XGBoost 3.1.
#[derive(Debug, Deserialize)]
pub(super) struct Cats {
    #[serde(default)]
    pub(super) enc: Capped<Encoding, MAX_FEATURES>,
}

/// One feature's values in the order of their codes; texts are written as bytes, with offsets.
#[derive(Debug, Deserialize)]
pub(super) struct Encoding {
    pub(super) offsets: Option<Capped<i64, MAX_CODES>>,
    #[serde(default)]
    pub(super) values: Capped<f64, MAX_CODES>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreePart {
    pub(super) id: Option<i64>,
    pub(super) tree_param: TreeParameters,
    pub(super) left_children: Nodes<i32>,
    pub(super) right_children: Nodes<i32>,
    pub(super) split_indices: Nodes<i64>,
    /// `None` for what is no number: XGBoost leaves it open where a split asks for categories.
    pub(super) split_conditions: Nodes<Option<f32>>,
    pub(super) default_left: Nodes<Flag>,
    pub(super) sum_hessian: Nodes<Option<f32>>,
    #[serde(default)]
    split_type: Nodes<Flag>,
    #[serde(default)]
    pub(super) categories: Capped<i64, MAX_MODEL_BYTES>,
    #[serde(default)]
    pub(super) categories_nodes: Nodes<i64>,
    #[serde(default)]
    pub(super) categories_segments: Nodes<i64>,
    #[serde(default)]
    pub(super) categories_sizes: Nodes<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeParameters {
    #[serde(default)]
    size_leaf_vector: String,
}

impl Booster {
    /// The trees, and the weights of a `dart` booster.
    pub(super) fn parts(self) -> Result<(ModelPart, Option<Vec<f32>>), String> {
        match (self.name.as_str(), self.model, self.gbtree) {
            ("gbtree", Some(model), _) => Ok((model, None)),
            ("dart", _, Some(Inner { model })) => {
                Ok((model, Some(self.weight_drop.ok_or("`weight_drop` is missing")?.0)))
            }
            ("gbtree" | "dart", ..) => Err("its booster has no trees".into()),
            (name, ..) => {
                let name: String = name.chars().take(40).collect();
                Err(format!("its booster is `{name}`: only `gbtree` and `dart` are made of trees"))
            }
        }
    }
}

impl GbtreeParameters {
    pub(super) fn parallel_trees(&self) -> Result<usize, String> {
        match self.num_parallel_tree.as_str() {
            "" | "0" => Ok(1),
            text => text.parse().map_err(|_| "`num_parallel_tree` is not a number".into()),
        }
    }
}

impl LearnerParameters {
    pub(super) fn features(&self) -> Result<usize, String> {
        match self.num_feature.parse() {
            Ok(features) if (1..=MAX_FEATURES).contains(&features) => Ok(features),
            _ => Err(format!("`num_feature` is not a number from 1 to {MAX_FEATURES}")),
        }
    }

    /// One score per row: what an alert and a cluster get.
    pub(super) fn check_outputs(&self, part: &ModelPart) -> Result<(), String> {
        let Self { num_class, num_target, .. } = self;
        let one = |text: &str| matches!(text, "" | "0" | "1");
        let grouped = part.tree_info.0.iter().any(|group| *group != 0);
        let vectors = part.trees.0.iter().any(|tree| !one(&tree.tree_param.size_leaf_vector));
        if !one(num_class) || !one(num_target) || grouped || vectors {
            return Err("it gives several scores per row (classes or targets): one is wanted".into());
        }
        if part.tree_info.0.len() != part.trees.0.len() {
            return Err("`tree_info` has not an entry per tree".into());
        }
        Ok(())
    }

    /// Before the objective's transformation. Since 3.1 it is written as a list.
    pub(super) fn base_score(&self) -> Result<f32, String> {
        let text = self.base_score.trim();
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        match text.trim().parse::<f32>() {
            Ok(score) if score.is_finite() => Ok(score),
            _ => Err("`base_score` is not one number".into()),
        }
    }
}

impl TreePart {
    /// The number of nodes, which every list must have.
    pub(super) fn check_lengths(&self) -> Result<usize, String> {
        let count = self.left_children.0.len();
        let lists = [
            ("right_children", self.right_children.0.len()),
            ("split_indices", self.split_indices.0.len()),
            ("split_conditions", self.split_conditions.0.len()),
            ("default_left", self.default_left.0.len()),
            ("sum_hessian", self.sum_hessian.0.len()),
        ];
        match lists.into_iter().find(|(_, length)| *length != count) {
            Some((name, length)) => Err(format!("`{name}` has {length} entries for {count} nodes")),
            None => Ok(count),
        }
    }

    pub(super) fn is_categorical(&self, row: usize) -> bool {
        self.split_type.0.get(row).is_some_and(|flag| flag.0)
    }
}
