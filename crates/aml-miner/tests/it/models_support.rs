//! Random models and adversarial rows for the tests of the parser, the evaluator and the explanations.

use std::fmt::Write as _;
use std::path::PathBuf;

pub(crate) use crate::dice::Dice;

/// LightGBM's `kZeroThreshold`.
pub(crate) const ZERO: f64 = 1e-35_f32 as f64;

/// Values at which an evaluator may differ from LightGBM's.
pub(crate) const NASTY: [f64; 30] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    ZERO,
    -ZERO,
    1e-36,
    -1e-36,
    1.1e-35,
    -1.1e-35,
    5e-324,
    -5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1e300,
    -1e300,
    1.0,
    -1.0,
    -0.5,
    0.99,
    31.0,
    32.5,
    63.999,
    2_147_483_647.0,
    2_147_483_648.0,
    4_294_967_297.0,
    1e18,
    -1e18,
];

/// What a random model may look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) features: usize,
    pub(crate) outputs: usize,
    pub(crate) iterations: usize,
    pub(crate) max_leaves: usize,
    pub(crate) average: bool,
}

impl Shape {
    pub(crate) fn random(dice: &mut Dice) -> Self {
        Self {
            features: 1 + dice.below(12),
            outputs: dice.pick(&[1, 1, 1, 2, 3]),
            iterations: 1 + dice.below(5),
            max_leaves: dice.pick(&[1, 2, 4, 8, 16, 24, 31, 40, 64, 90]),
            average: dice.chance(20),
        }
    }
}

/// A random model, as text.
pub(crate) struct RandomModel {
    pub(crate) shape: Shape,
    /// The header's objective.
    pub(crate) objective: String,
    /// Text of each tree, without its `Tree=` line.
    trees: Vec<String>,
    /// Numerical thresholds of each feature.
    thresholds: Vec<Vec<f64>>,
    /// The sum of the largest leaf of every tree.
    pub(crate) scale: f64,
}

impl RandomModel {
    /// Trees of up to `max_leaves` leaves.
    pub(crate) fn new(dice: &mut Dice, shape: Shape) -> Self {
        Self::grown(dice, shape, |dice| 1 + dice.below(shape.max_leaves))
    }

    /// Trees of this many leaves.
    pub(crate) fn new_with_leaves(dice: &mut Dice, shape: Shape, leaves: usize) -> Self {
        Self::grown(dice, shape, |_| leaves)
    }

    fn grown(dice: &mut Dice, shape: Shape, leaves: impl Fn(&mut Dice) -> usize) -> Self {
        let mut model = Self {
            shape,
            objective: objective(dice, shape.outputs),
            trees: Vec::new(),
            thresholds: vec![Vec::new(); shape.features],
            scale: 1e-300,
        };
        for _ in 0..shape.iterations * shape.outputs {
            let leaves = leaves(dice);
            let tree = model.tree(dice, leaves);
            model.trees.push(tree);
        }
        model
    }

    /// The whole model.
    pub(crate) fn text(&self) -> String {
        let trees: Vec<&str> = self.trees.iter().map(String::as_str).collect();
        self.file(&trees, self.shape.outputs, &self.objective)
    }

    /// The same trees in the other order.
    pub(crate) fn text_backwards(&self) -> String {
        let trees: Vec<&str> = self.trees.iter().rev().map(String::as_str).collect();
        self.file(&trees, self.shape.outputs, &self.objective)
    }

    /// The trees of one output, as a regression model of their own.
    pub(crate) fn text_of_output(&self, output: usize) -> String {
        let trees: Vec<&str> = self.trees.iter().skip(output).step_by(self.shape.outputs).map(String::as_str).collect();
        self.file(&trees, 1, "regression")
    }

    fn file(&self, trees: &[&str], outputs: usize, objective: &str) -> String {
        let names: Vec<String> = (0..self.shape.features).map(|i| format!("f{i}")).collect();
        let infos = vec!["[0:1]"; self.shape.features];
        let trees: Vec<String> = trees.iter().enumerate().map(|(i, tree)| format!("Tree={i}\n{tree}\n")).collect();
        let sizes: Vec<String> = trees.iter().map(|tree| tree.len().to_string()).collect();
        format!(
            "tree\nversion=v4\nnum_class={outputs}\nnum_tree_per_iteration={outputs}\nlabel_index=0\n\
             max_feature_idx={}\nobjective={objective}\n{}feature_names={}\nfeature_infos={}\n\
             tree_sizes={}\n\n{}end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n",
            names.len() - 1,
            if self.shape.average { "average_output\n" } else { "" },
            names.join(" "),
            infos.join(" "),
            sizes.join(" "),
            trees.concat(),
        )
    }

    fn tree(&mut self, dice: &mut Dice, leaves: usize) -> String {
        let mut tree = Builder::default();
        tree.leaf_counts.push(0);
        for node in 0..leaves - 1 {
            tree.split(dice, node);
            self.decide(dice, &mut tree);
        }
        for leaf in 0..leaves {
            let value = if dice.chance(5) { 0.0 } else { dice.unit() };
            tree.leaf_values.push(value);
            tree.leaf_counts[leaf] = 1 + dice.below(200);
        }
        self.scale += tree.leaf_values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        tree.text()
    }

    fn decide(&mut self, dice: &mut Dice, tree: &mut Builder) {
        let feature = dice.below(self.shape.features);
        tree.features.push(feature);
        if dice.chance(25) {
            tree.thresholds.push(tree.sets.len() as f64);
            tree.decisions.push(dice.pick(&[1, 5, 9]));
            let words = 1 + dice.below(3);
            tree.sets.push((0..words).map(|_| dice.next() & dice.next() & 0xffff_ffff).collect());
            return;
        }
        let threshold = match dice.below(4) {
            0 => dice.pick(&NASTY[1..]),
            1 => f64::from(u8::try_from(dice.below(5)).expect("small")),
            2 => dice.unit() * 1e-34,
            _ => dice.unit(),
        };
        self.thresholds[feature].push(threshold);
        tree.thresholds.push(threshold);
        tree.decisions.push(dice.pick(&[0, 2, 4, 6, 8, 10]));
    }

    /// Rows at, around and far from everything the model asks for.
    pub(crate) fn rows(&self, dice: &mut Dice, rows: usize) -> Vec<f64> {
        let mut values = Vec::with_capacity(rows * self.shape.features);
        for _ in 0..rows {
            for thresholds in &self.thresholds {
                values.push(match dice.below(6) {
                    0 => dice.pick(&NASTY),
                    1 => f64::from(u8::try_from(dice.below(100)).expect("small")),
                    2 => dice.unit(),
                    _ if thresholds.is_empty() => 0.5,
                    3 => dice.pick(thresholds).next_up(),
                    4 => dice.pick(thresholds).next_down(),
                    _ => dice.pick(thresholds),
                });
            }
        }
        values
    }
}

fn objective(dice: &mut Dice, outputs: usize) -> String {
    if outputs == 1 {
        dice.pick(&[
            "binary sigmoid:1",
            "binary sigmoid:0.7",
            "regression",
            "regression sqrt",
            "regression_l1 sqrt",
            "huber",
            "fair",
            "quantile",
            "mape",
            "lambdarank",
            "rank_xendcg",
            "poisson",
            "gamma",
            "tweedie",
            "cross_entropy",
            "cross_entropy_lambda",
        ])
        .to_owned()
    } else if dice.chance(50) {
        format!("multiclass num_class:{outputs}")
    } else {
        format!("multiclassova num_class:{outputs} sigmoid:1.3")
    }
}

/// The arrays of one tree.
#[derive(Default)]
struct Builder {
    features: Vec<usize>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    lefts: Vec<isize>,
    rights: Vec<isize>,
    sets: Vec<Vec<u64>>,
    leaf_values: Vec<f64>,
    leaf_counts: Vec<usize>,
}

impl Builder {
    /// Turns a random leaf into `node`, as LightGBM numbers them: the old leaf on the left, a new one on the right.
    fn split(&mut self, dice: &mut Dice, node: usize) {
        let leaf = isize::try_from(dice.below(self.leaf_counts.len())).expect("small");
        let index = isize::try_from(node).expect("small");
        let children = self.lefts.iter_mut().chain(&mut self.rights);
        children.filter(|child| **child == !leaf).for_each(|child| *child = index);
        self.lefts.push(!leaf);
        self.rights.push(-2 - index);
        self.leaf_counts.push(0);
    }

    /// Training rows below each node; children come after their parents.
    fn internal_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.features.len()];
        for node in (0..counts.len()).rev() {
            counts[node] = [self.lefts[node], self.rights[node]]
                .map(|child| match usize::try_from(child) {
                    Ok(node) => counts[node],
                    Err(_) => self.leaf_counts[usize::try_from(!child).expect("a leaf")],
                })
                .iter()
                .sum();
        }
        counts
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let nodes = self.features.len();
        let mut line = |key: &str, value: String| writeln!(text, "{key}={value}").expect("a string");
        line("num_leaves", self.leaf_values.len().to_string());
        line("num_cat", self.sets.len().to_string());
        line("split_feature", join(&self.features));
        line("split_gain", join(&vec![1; nodes]));
        line("threshold", join_floats(&self.thresholds));
        line("decision_type", join(&self.decisions));
        line("left_child", join(&self.lefts));
        line("right_child", join(&self.rights));
        line("leaf_value", join_floats(&self.leaf_values));
        line("leaf_weight", join(&self.leaf_counts));
        line("leaf_count", join(&self.leaf_counts));
        line("internal_value", join(&vec![0; nodes]));
        line("internal_weight", join(&vec![0; nodes]));
        line("internal_count", join(&self.internal_counts()));
        if !self.sets.is_empty() {
            let mut bounds = vec![0];
            bounds.extend(self.sets.iter().scan(0, |end, set| {
                *end += set.len();
                Some(*end)
            }));
            line("cat_boundaries", join(&bounds));
            line("cat_threshold", join(&self.sets.concat()));
        }
        line("is_linear", "0".to_owned());
        line("shrinkage", "0.1".to_owned());
        text.push('\n');
        text
    }
}

fn join<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn join_floats(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:e}")).collect::<Vec<_>>().join(" ")
}

/// The published example models, where they are.
pub(crate) fn examples() -> Option<PathBuf> {
    let shared = std::env::var_os("AML_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let examples = shared.join("data/lightgbm_examples");
    if examples.is_dir() {
        return Some(examples);
    }
    println!("skipped: the published LightGBM examples are not at {}", examples.display());
    None
}
