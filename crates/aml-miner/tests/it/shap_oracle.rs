//! Contributions the slow ways: leaf by leaf in closed form, and by the definition of Shapley values.

use aml_miner::trees::model::{Child, Missing, Model, Node, Reading, Split, Tree};

/// LightGBM's `kZeroThreshold`.
const ZERO: f64 = 1e-35_f32 as f64;

fn goes_left(split: &Split, reading: Reading, value: f64) -> bool {
    let plain = reading != Reading::NearZero;
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
    let value = if reading == Reading::Single { f64::from(value as f32) } else { value };
    match split {
        Split::Numerical { threshold, missing } => match missing {
            Missing::Zero { left } if value.is_nan() || value.abs() <= ZERO => *left,
            Missing::Nan { left } if value.is_nan() => *left,
            _ if plain => value <= *threshold,
            _ if value.is_nan() || value.abs() <= ZERO => 0.0 <= *threshold,
            _ => value <= *threshold,
        },
        Split::Categorical(categories) => {
            if value.is_nan() {
                return categories.missing_left;
            }
            if !(value > if plain { -f64::MIN_POSITIVE } else { -1.0 } && value < 2_147_483_648.0) {
                return !categories.members_left;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked")]
            let category = value.max(0.0).trunc() as usize;
            let member = categories.set.get(category / 32).is_some_and(|word| word >> (category % 32) & 1 == 1);
            member == categories.members_left
        }
    }
}

/// What the trees give this row, by walking each from the root; in the order and precision of the model's own sums.
pub(crate) fn raw(model: &Model, row: &[f64]) -> f64 {
    let mut sum = model.sums.start;
    for tree in &model.trees {
        let mut place = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        while let Child::Node(node) = place {
            let node = &tree.nodes[node as usize];
            let left = goes_left(&node.split, model.reading, row[node.feature as usize]);
            place = if left { node.left } else { node.right };
        }
        let Child::Leaf(leaf) = place else { unreachable!("the loop ends at a leaf") };
        sum += tree.leaf_values[leaf as usize];
        if model.sums.single {
            #[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
            let rounded = f64::from(sum as f32);
            sum = rounded;
        }
    }
    model.sums.after.of(sum)
}

fn share(tree: &Tree, split: &Node, child: Child) -> f64 {
    let count = match child {
        Child::Node(node) => tree.nodes[node as usize].count,
        Child::Leaf(leaf) => tree.leaf_counts[leaf as usize],
    };
    // Where no training row came, an unknown row goes either way alike.
    if split.count > 0.0 { count / split.count } else { 0.5 }
}

/// One distinct feature of a path: how likely an unknown row passes it, and whether this row does.
#[derive(Clone, Copy)]
struct Passage {
    feature: usize,
    unknown: f64,
    known: f64,
}

/// One leaf's value, and the features on the way to it.
type Leaf = (f64, Vec<Passage>);

fn leaves(tree: &Tree, reading: Reading, row: &[f64]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let root = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
    let mut open = vec![(root, Vec::<Passage>::new())];
    while let Some((child, path)) = open.pop() {
        let node = match child {
            Child::Leaf(leaf) => {
                leaves.push((tree.leaf_values[leaf as usize], path));
                continue;
            }
            Child::Node(node) => &tree.nodes[node as usize],
        };
        let feature = node.feature as usize;
        let left = goes_left(&node.split, reading, row[feature]);
        for (side, taken) in [(node.left, left), (node.right, !left)] {
            let (share, known) = (share(tree, node, side), f64::from(u8::from(taken)));
            let mut path = path.clone();
            match path.iter_mut().find(|passage| passage.feature == feature) {
                Some(passage) => {
                    passage.unknown *= share;
                    passage.known *= known;
                }
                None => path.push(Passage { feature, unknown: share, known }),
            }
            open.push((side, path));
        }
    }
    leaves
}

/// Gauss and Legendre's points and weights on [0, 1].
fn quadrature(n: usize) -> Vec<(f64, f64)> {
    let root = |root: usize| {
        let degree = n as f64;
        let mut x = (std::f64::consts::PI * (root as f64 - 0.25) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..10 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=n {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = degree * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        ((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (1..=n).map(root).collect()
}

/// The contributions of one row to one output, leaf by leaf: each is a product game, whose values have a closed form.
pub(crate) fn contributions(model: &Model, row: &[f64], output: usize) -> Vec<f64> {
    let mut values = vec![0.0; row.len()];
    let mut rules = std::collections::BTreeMap::new();
    for tree in model.trees.iter().skip(output).step_by(model.outputs) {
        for (value, path) in leaves(tree, model.reading, row) {
            let points = path.len().div_ceil(2).max(1);
            let rule: &Vec<_> = rules.entry(points).or_insert_with(|| quadrature(points));
            for &(t, weight) in rule {
                let chance = |passage: &Passage| passage.unknown * (1.0 - t) + passage.known * t;
                let product: f64 = path.iter().map(chance).product();
                for passage in &path {
                    let (z, p) = (passage.unknown, passage.known);
                    let without = if p > 0.5 { (1.0 - z) / (z * (1.0 - t) + t) } else { -1.0 / (1.0 - t) };
                    values[passage.feature] += value * weight * product * without;
                }
            }
        }
    }
    values
}

/// The mean value of a model's output when only the features in `known` are known.
fn mean(model: &Model, row: &[f64], output: usize, known: u32) -> f64 {
    let path = |passage: &Passage| {
        if known >> passage.feature & 1 == 1 { passage.known } else { passage.unknown }
    };
    let trees = model.trees.iter().skip(output).step_by(model.outputs);
    trees
        .flat_map(|tree| leaves(tree, model.reading, row))
        .map(|(value, passages)| value * passages.iter().map(path).product::<f64>())
        .sum()
}

/// The definition itself, over all sets of the features that the row is told about.
pub(crate) fn by_definition(model: &Model, row: &[f64], output: usize) -> Vec<f64> {
    let features = u32::try_from(row.len()).expect("few features");
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let value = |feature: u32| {
        let sets = (0..1_u32 << features).filter(|known| known >> feature & 1 == 0);
        let term = |known: u32| {
            let others = known.count_ones();
            let weight = factorial(others) * factorial(features - 1 - others) / factorial(features);
            weight * (mean(model, row, output, known | 1 << feature) - mean(model, row, output, known))
        };
        sets.map(term).sum()
    };
    (0..features).map(value).collect()
}
