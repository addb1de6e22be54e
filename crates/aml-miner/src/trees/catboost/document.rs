//! CatBoost's JSON: what of it is read, as it stands there.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::json::Capped;
use super::super::limits::{MAX_ALL_LEAVES, MAX_FEATURES, MAX_TREES};
use super::{MAX_QUESTIONS, Parts, Question, SymmetricTree};

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    features_info: FeaturesInfo,
    model_info: Option<ModelInfo>,
    oblivious_trees: Option<Capped<TreePart, MAX_TREES>>,
    scale_and_bias: Option<(f64, Biases)>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Biases {
    One(f64),
    List(Capped<f64, 1_000>),
}

#[derive(Debug, Deserialize)]
struct FeaturesInfo {
    #[serde(default)]
    float_features: Capped<FloatFeature, MAX_FEATURES>,
    categorical_features: Option<Capped<IgnoredAny, MAX_FEATURES>>,
    ctrs: Option<Capped<IgnoredAny, MAX_FEATURES>>,
    text_features: Option<Capped<IgnoredAny, MAX_FEATURES>>,
    embedding_features: Option<Capped<IgnoredAny, MAX_FEATURES>>,
}

#[derive(Debug, Deserialize)]
struct FloatFeature {
    feature_index: usize,
    flat_feature_index: usize,
    #[serde(default)]
    has_nans: bool,
    #[serde(default)]
    nan_value_treatment: String,
    #[serde(default)]
    feature_id: String,
    #[serde(default)]
    feature_name: String,
}

#[derive(Debug, Deserialize)]
struct ModelInfo {
    params: Option<Parameters>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    loss_function: Option<Loss>,
}

#[derive(Debug, Deserialize)]
struct Loss {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct TreePart {
    leaf_values: Capped<f64, MAX_ALL_LEAVES>,
    #[serde(default)]
    leaf_weights: Capped<f64, MAX_ALL_LEAVES>,
    splits: Option<Capped<SplitPart, MAX_QUESTIONS>>,
}

#[derive(Debug, Deserialize)]
struct SplitPart {
    border: Option<f32>,
    float_feature_index: Option<usize>,
    split_type: String,
}

/// The loss in CatBoost's parameters, which a `.cbm` file holds as JSON.
pub(super) fn loss_of(parameters: &str) -> String {
    let parameters = serde_json::from_str::<Parameters>(parameters).ok();
    parameters.and_then(|parameters| parameters.loss_function).map_or_else(String::new, |loss| loss.kind)
}

impl Document {
    pub(super) fn parts(self) -> Result<Parts, String> {
        self.features_info.check()?;
        let floats = self.features_info.float_features.0;
        let count = floats.len();
        let (mut names, mut missing_above) = (vec![String::new(); count], vec![false; count]);
        let mut places = vec![None; count];
        for feature in floats {
            let place = feature.flat_feature_index;
            let index = places.get_mut(feature.feature_index).filter(|_| place < count);
            *index.ok_or("`float_features` is not in the order of a row")? = Some(place);
            missing_above[place] = feature.has_nans && feature.nan_value_treatment == "AsTrue";
            names[place] = if feature.feature_name.is_empty() { feature.feature_id } else { feature.feature_name };
        }
        let trees = self.oblivious_trees.ok_or("its trees are not symmetric (grow_policy): those are wanted")?;
        let (scale, bias) = match self.scale_and_bias {
            None => (1.0, 0.0),
            Some((scale, Biases::One(bias))) => (scale, bias),
            Some((scale, Biases::List(Capped(biases)))) => match biases[..] {
                [] => (scale, 0.0),
                [bias] => (scale, bias),
                _ => return Err("it gives several scores per row: one is wanted".into()),
            },
        };
        let loss = self.model_info.and_then(|info| info.params).and_then(|parameters| parameters.loss_function);
        Ok(Parts {
            names,
            missing_above,
            trees: trees.0.into_iter().map(|tree| tree.read(&places)).collect::<Result<_, _>>()?,
            scale,
            bias,
            loss: loss.map_or_else(String::new, |loss| loss.kind),
        })
    }
}

impl FeaturesInfo {
    fn check(&self) -> Result<(), String> {
        let there =
            |list: &Option<Capped<IgnoredAny, MAX_FEATURES>>| list.as_ref().is_some_and(|list| !list.0.is_empty());
        if there(&self.categorical_features) || there(&self.ctrs) {
            return Err(
                "it has categorical features, whose hashes and statistics are not read here: train on numbers".into()
            );
        }
        if there(&self.text_features) || there(&self.embedding_features) {
            return Err("it has text or embedding features: train on numbers".into());
        }
        Ok(())
    }
}

impl TreePart {
    fn read(self, places: &[Option<usize>]) -> Result<SymmetricTree, String> {
        let question = |split: SplitPart| match (split.split_type.as_str(), split.float_feature_index, split.border) {
            ("FloatFeature", Some(index), Some(border)) if border.is_finite() => {
                let feature = places.get(index).copied().flatten();
                let feature = feature.ok_or("a split asks for a feature that `float_features` does not list")?;
                Ok(Question { feature, border })
            }
            ("FloatFeature", ..) => Err("a split has no border".to_owned()),
            (other, ..) => {
                let other: String = other.chars().take(40).collect();
                Err(format!("a split of type `{other}`: only those of numbers are read"))
            }
        };
        let splits = self.splits.unwrap_or_default().0;
        Ok(SymmetricTree {
            questions: splits.into_iter().map(question).collect::<Result<_, _>>()?,
            values: self.leaf_values.0,
            weights: self.leaf_weights.0,
        })
    }
}
