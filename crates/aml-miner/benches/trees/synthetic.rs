//! Models as text, grown leaf by leaf as LightGBM grows them, from a fixed seed.

use std::collections::BinaryHeap;
use std::fmt::Write as _;

use crate::dice::Dice;

/// How large a model is.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) trees: usize,
    pub(crate) leaves: usize,
    pub(crate) features: usize,
}

/// Training rows of a tree.
const ROWS: usize = 100_000;

/// A model of this shape.
pub(crate) fn model(shape: Shape) -> String {
    let mut dice = Dice(1);
    let list = |item: &dyn Fn(usize) -> String| (0..shape.features).map(item).collect::<Vec<_>>().join(" ");
    let mut text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\n\
         objective=binary sigmoid:1\nfeature_names={}\nfeature_infos={}\n\n",
        shape.features - 1,
        list(&|i| format!("f{i}")),
        list(&|_| "none".into()),
    );
    for tree in 0..shape.trees {
        write!(text, "Tree={tree}\n{}\n\n", Tree::grow(&mut dice, shape).text()).expect("a string");
    }
    text.push_str("end of trees\n");
    text
}

#[derive(Default)]
struct Tree {
    features: Vec<usize>,
    thresholds: Vec<f64>,
    children: Vec<[isize; 2]>,
    counts: Vec<usize>,
    leaf_counts: Vec<usize>,
    leaf_values: Vec<f64>,
}

impl Tree {
    /// The leaf of the largest gain is split next; a gain is a leaf's rows times a random number.
    fn grow(dice: &mut Dice, shape: Shape) -> Self {
        let mut tree = Self { leaf_counts: vec![ROWS], ..Self::default() };
        let mut places = vec![None];
        let mut open = BinaryHeap::from([(ROWS, 0)]);
        while let Some((_, leaf)) = open.pop().filter(|_| tree.leaf_counts.len() < shape.leaves) {
            let (rows, node, new) = (tree.leaf_counts[leaf], tree.features.len(), tree.leaf_counts.len());
            if rows < 2 {
                continue;
            }
            // The lower of two: some features are used far more often than others.
            tree.features.push(dice.below(shape.features).min(dice.below(shape.features)));
            tree.thresholds.push(dice.below(4_001) as f64 / 1_000.0 - 2.0);
            tree.counts.push(rows);
            if let Some((parent, side)) = places[leaf] {
                let children: &mut [isize; 2] = &mut tree.children[parent];
                children[side] = isize::try_from(node).expect("small");
            }
            tree.children.push([leaf, new].map(|leaf| !isize::try_from(leaf).expect("small")));
            let left = (rows / 10 + dice.below(rows * 4 / 5 + 1)).clamp(1, rows - 1);
            tree.leaf_counts[leaf] = left;
            tree.leaf_counts.push(rows - left);
            places[leaf] = Some((node, 0));
            places.push(Some((node, 1)));
            for leaf in [leaf, new] {
                open.push((dice.below(tree.leaf_counts[leaf] + 1), leaf));
            }
        }
        tree.leaf_values = tree.leaf_counts.iter().map(|_| dice.below(2_001) as f64 / 1e4 - 0.1).collect();
        tree
    }

    fn text(&self) -> String {
        fn line<T: ToString>(text: &mut String, key: &str, values: impl Iterator<Item = T>) {
            let values: Vec<_> = values.map(|value| value.to_string()).collect();
            writeln!(text, "{key}={}", values.join(" ")).expect("a string");
        }
        let mut text = format!("num_leaves={}\nnum_cat=0\n", self.leaf_values.len());
        line(&mut text, "split_feature", self.features.iter());
        line(&mut text, "threshold", self.thresholds.iter());
        line(&mut text, "decision_type", self.features.iter().map(|feature| if feature % 2 == 0 { 2 } else { 10 }));
        line(&mut text, "left_child", self.children.iter().map(|children| children[0]));
        line(&mut text, "right_child", self.children.iter().map(|children| children[1]));
        line(&mut text, "leaf_value", self.leaf_values.iter());
        line(&mut text, "leaf_count", self.leaf_counts.iter());
        line(&mut text, "internal_count", self.counts.iter());
        text.push_str("is_linear=0\nshrinkage=0.1\n");
        text
    }
}
