//! XGBoost's arithmetic, on a thousand random models that no library made: whatever a file may say, not only what training writes.
//!
//! The oracle walks the file's own lists in 32-bit floats, with `<`, default directions and one rounded sum.

use std::collections::BTreeMap;

use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::read;
use serde_json::{Value, json};

use super::dice::Dice;
use super::shap_oracle;

const MODELS: u64 = 1_000;

/// One node of a random tree.
#[derive(Clone)]
enum Node {
    Leaf(f32),
    Split { feature: usize, question: Question, default_left: bool, left: usize, right: usize },
}

#[derive(Clone)]
enum Question {
    Below(f32),
    Among(Vec<i64>),
}

struct Random {
    features: usize,
    trees: Vec<Vec<(Node, f32)>>,
    weights: Option<Vec<f32>>,
    base_score: f32,
    logistic: bool,
}

/// The nearest float.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Floats as features have them: ordinary, tiny, huge, whole, negative zero.
fn float(dice: &mut Dice) -> f32 {
    match dice.below(8) {
        0 => dice.pick(&[0.0, -0.0, 1.0, f32::MIN_POSITIVE, 1e-40, -1e-45, 1e-35, f32::MAX, f32::MIN]),
        1 => dice.below(20) as f32,
        2 => f32::from_bits(0x3f80_0000 + u32::try_from(dice.below(1 << 20)).expect("20 bits")),
        3 => single(dice.unit() * 1e6),
        _ => single(dice.unit()),
    }
}

impl Random {
    fn new(dice: &mut Dice) -> Self {
        let features = 1 + dice.below(6);
        let count = if dice.chance(5) { 60 } else { 1 + dice.below(4) };
        let deep = dice.chance(10);
        let trees = (0..count).map(|_| tree(dice, features, if deep { 15 } else { 5 })).collect();
        let weights = dice.chance(25).then(|| (0..count).map(|_| single(dice.unit().abs())).collect());
        Self { features, trees, weights, base_score: dice.pick(&[0.5, 0.031, 0.97, 1e-6]), logistic: dice.chance(60) }
    }

    fn document(&self, dice: &mut Dice) -> Value {
        let trees: Vec<Value> = self.trees.iter().enumerate().map(|(id, tree)| tree_document(id, tree)).collect();
        let info = vec![0; trees.len()];
        let parameters = json!({"num_parallel_tree": "1", "num_trees": trees.len().to_string()});
        let model = json!({"gbtree_model_param": parameters, "tree_info": info, "trees": trees});
        let booster = match &self.weights {
            None => json!({"name": "gbtree", "model": model}),
            Some(weights) => {
                json!({"name": "dart", "gbtree": {"name": "gbtree", "model": model}, "weight_drop": weights})
            }
        };
        let base = self.base_score;
        let base = if dice.chance(50) { format!("[{base:E}]") } else { format!("{base:E}") };
        let objective = if self.logistic { "binary:logistic" } else { "reg:squarederror" };
        json!({"version": [3, 1, 0], "learner": {
            "attributes": {}, "feature_names": [], "feature_types": [], "gradient_booster": booster,
            "learner_model_param": {"base_score": base, "num_class": "0", "num_feature": self.features.to_string(), "num_target": "1"},
            "objective": {"name": objective},
        }})
    }

    /// The margin, in the library's operations.
    fn margin(&self, row: &[f64]) -> f32 {
        let mut sum = if self.logistic { -(1.0 / self.base_score - 1.0).ln() } else { self.base_score };
        for (index, tree) in self.trees.iter().enumerate() {
            let mut place = 0;
            let leaf = loop {
                match &tree[place].0 {
                    Node::Leaf(value) => break *value,
                    Node::Split { feature, question, default_left, left, right } => {
                        let value = single(row[*feature]);
                        let goes_left = match question {
                            _ if value.is_nan() => *default_left,
                            Question::Below(threshold) => value < *threshold,
                            Question::Among(set) => {
                                let valid = (0.0..16_777_216.0).contains(&value);
                                !(valid
                                    && set
                                        .iter()
                                        .any(|category| value.abs().trunc().total_cmp(&(*category as f32)).is_eq()))
                            }
                        };
                        place = if goes_left { *left } else { *right };
                    }
                }
            };
            sum += self.weights.as_ref().map_or(leaf, |weights| leaf * weights[index]);
        }
        sum
    }

    /// Values on thresholds, beside, between two floats, and wild ones.
    fn row(&self, dice: &mut Dice) -> Vec<f64> {
        let thresholds: BTreeMap<usize, Vec<f32>> =
            self.trees.iter().flatten().fold(BTreeMap::new(), |mut all, (node, _)| {
                if let Node::Split { feature, question: Question::Below(threshold), .. } = node {
                    all.entry(*feature).or_default().push(*threshold);
                }
                all
            });
        let value = |feature: usize| {
            let known = thresholds.get(&feature).filter(|_| dice.chance(70));
            let Some(threshold) = known.map(|known| known[dice.below(known.len())]) else {
                return match dice.below(4) {
                    0 => f64::NAN,
                    1 => dice.pick(&[-0.5, -1.0, 3.7, 2_147_483_648.0, 16_777_216.0, 1e300, -1e300, 5e-324, 0.1]),
                    2 => dice.below(310) as f64,
                    _ => f64::from(float(dice)),
                };
            };
            let exact = f64::from(threshold);
            match dice.below(6) {
                0 | 1 => exact,
                2 => f64::from(threshold.next_down()),
                3 => f64::from(threshold.next_up()),
                4 => exact.next_down(),
                _ => f64::midpoint(exact, f64::from(threshold.next_down())),
            }
        };
        (0..self.features).map(value).collect()
    }
}

fn tree(dice: &mut Dice, features: usize, depth: usize) -> Vec<(Node, f32)> {
    let mut nodes: Vec<(Node, f32)> = vec![(Node::Leaf(0.0), 40.0)];
    let mut open = vec![(0, depth)];
    while let Some((place, left_depth)) = open.pop() {
        let weight = nodes[place].1;
        if left_depth == 0 || nodes.len() > 80 || dice.chance(15) {
            nodes[place].0 = Node::Leaf(single(dice.unit() * 0.7));
            continue;
        }
        let question = if dice.chance(25) {
            let most = dice.pick(&[3, 40, 300]);
            Question::Among((0..1 + dice.below(8)).map(|_| dice.below(most) as i64).collect())
        } else {
            Question::Below(float(dice))
        };
        let (left, right) = (nodes.len(), nodes.len() + 1);
        let share = single(dice.unit().abs());
        nodes.push((Node::Leaf(0.0), weight * share));
        // Weights that do not add up to the bit, as sums of floats do not.
        nodes.push((Node::Leaf(0.0), weight * (1.0 - share)));
        open.extend([(left, left_depth - 1), (right, left_depth - 1)]);
        nodes[place].0 =
            Node::Split { feature: dice.below(features), question, default_left: dice.chance(50), left, right };
    }
    nodes
}

fn tree_document(id: usize, tree: &[(Node, f32)]) -> Value {
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut categories = Vec::new();
    for (place, (node, weight)) in tree.iter().enumerate() {
        let (left, right, feature, condition, default, kind) = match node {
            Node::Leaf(value) => (-1, -1, 0, *value, false, 0),
            Node::Split { feature, question, default_left, left, right } => {
                let (condition, kind) = match question {
                    Question::Below(threshold) => (*threshold, 0),
                    Question::Among(set) => {
                        lists.entry("categories_nodes").or_default().push(json!(place));
                        lists.entry("categories_segments").or_default().push(json!(categories.len()));
                        lists.entry("categories_sizes").or_default().push(json!(set.len()));
                        categories.extend(set.iter().copied());
                        (0.0, 1)
                    }
                };
                (*left as i64, *right as i64, *feature, condition, *default_left, kind)
            }
        };
        let entries = [
            ("left_children", json!(left)),
            ("right_children", json!(right)),
            ("split_indices", json!(feature)),
            ("split_conditions", json!(condition)),
            ("default_left", json!(u8::from(default))),
            ("split_type", json!(kind)),
            ("sum_hessian", json!(weight)),
        ];
        entries.into_iter().for_each(|(key, value)| lists.entry(key).or_default().push(value));
    }
    let mut document = json!({"id": id, "categories": categories, "tree_param": {"size_leaf_vector": "1"}});
    for (key, list) in lists {
        document[key] = Value::Array(list);
    }
    document
}

#[test]
fn a_thousand_random_models_score_as_the_library_would() {
    for seed in 0..MODELS {
        let mut dice = Dice(seed);
        let random = Random::new(&mut dice);
        let text = random.document(&mut dice).to_string();
        let model = read(text.as_bytes()).unwrap_or_else(|error| panic!("model {seed}: {error}"));
        let forest = Forest::new(&model);
        let rows: Vec<f64> = (0..70).flat_map(|_| random.row(&mut dice)).collect();
        let mut raw = vec![0.0; 70];
        forest.raw_into(&rows, &mut raw);
        for (row, ours) in rows.chunks(random.features).zip(&raw) {
            let expected = f64::from(random.margin(row));
            assert_eq!(ours.to_bits(), expected.to_bits(), "model {seed}, row {row:?}: {ours}, expected {expected}");
            assert_eq!(shap_oracle::raw(&model, row).to_bits(), expected.to_bits());
        }
        // A row alone is a block of another form.
        let mut alone = [0.0];
        forest.raw_into(&rows[..random.features], &mut alone);
        assert_eq!(alone[0].to_bits(), raw[0].to_bits());
    }
}

#[test]
fn contributions_of_random_models_are_shapley_values() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let random = Random::new(&mut dice);
        let text = random.document(&mut dice).to_string();
        let model = read(text.as_bytes()).expect("a model");
        for bytes in [0, 1 << 20] {
            let explainer = Explainer::with_table_bytes(&model, bytes).expect("weights");
            let row = random.row(&mut dice);
            let mut values = vec![0.0; row.len()];
            explainer.contributions_into(&row, &mut values);
            let exact = shap_oracle::by_definition(&model, &row, 0);
            for (ours, exact) in values.iter().zip(&exact) {
                assert!((ours - exact).abs() <= 1e-9, "model {seed}: {ours}, by definition {exact}");
            }
        }
    }
}
