//! What must hold of explanations beyond agreement with the C library.

use aml_miner::models::lightgbm::{Model, parse};
use aml_miner::models::shap::{ExplainError, Explainer};
use aml_miner::models::trees::Forest;

use super::models_support::{Dice, RandomModel, Shape};

fn must_parse(text: &str) -> Model {
    parse(text.as_bytes()).expect("a valid model")
}

fn contributions(explainer: &Explainer, rows: &[f64], outputs: usize) -> Vec<f64> {
    let mut values = vec![0.0; rows.len() * outputs];
    explainer.contributions_into(rows, &mut values);
    values
}

/// A tree that is one long chain, each split on a feature of its own.
fn chain(splits: usize) -> String {
    let list = |value: &dyn Fn(usize) -> String, count: usize| (0..count).map(value).collect::<Vec<_>>().join(" ");
    let names = list(&|i| format!("f{i}"), splits);
    let body = format!(
        "num_leaves={}\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\nleft_child={}\nright_child={}\n\
         leaf_value={}\nleaf_count={}\ninternal_count={}\nis_linear=0\nshrinkage=1\n",
        splits + 1,
        list(&|i| i.to_string(), splits),
        list(&|_| "0".into(), splits),
        list(&|_| "2".into(), splits),
        list(&|i| format!("-{}", i + 1), splits),
        list(&|i| if i + 1 < splits { (i + 1).to_string() } else { format!("-{}", splits + 1) }, splits),
        list(&|i| format!("{}", (i as f64).sin()), splits + 1),
        list(&|_| "3".into(), splits + 1),
        list(&|i| (3 * (splits + 1 - i)).to_string(), splits),
    );
    format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\n\
         objective=regression\nfeature_names={names}\nfeature_infos={}\n\nTree=0\n{body}\n\nend of trees\n",
        splits - 1,
        list(&|_| "none".into(), splits),
    )
}

#[test]
fn tables_and_direct_paths_give_the_same_contributions() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let shape = Shape { features: 12, outputs: 2, iterations: 2, max_leaves: 40, average: false };
        let random = RandomModel::new(&mut dice, shape);
        let model = must_parse(&random.text());
        let rows = random.rows(&mut dice, 20);
        let direct = Explainer::with_table_bytes(&model, 0).expect("counts");
        assert_eq!(direct.table_bytes(), 0);
        let direct = contributions(&direct, &rows, 2);
        for bytes in [1 << 10, 1 << 14, 1 << 18] {
            let tables = Explainer::with_table_bytes(&model, bytes).expect("counts");
            assert!(tables.table_bytes() <= bytes, "{} of {bytes}", tables.table_bytes());
            for (a, b) in contributions(&tables, &rows, 2).iter().zip(&direct) {
                assert!((a - b).abs() <= 1e-12 * random.scale, "{a} from tables, {b} directly");
            }
        }
    }
}

#[test]
fn deep_paths_add_up_to_the_raw_score() {
    for splits in [1, 2, 13, 40, 200] {
        let model = must_parse(&chain(splits));
        let (forest, explainer) = (Forest::new(&model), Explainer::with_table_bytes(&model, 1 << 16).expect("counts"));
        let mut dice = Dice(splits as u64);
        let rows: Vec<f64> = (0..splits * 3).map(|_| dice.unit() + 0.9).collect();
        let mut raw = [0.0; 3];
        forest.raw_into(&rows, &mut raw);
        let values = contributions(&explainer, &rows, 1);
        for (values, raw) in values.chunks(splits).zip(raw) {
            let sum = explainer.base_values()[0] + values.iter().sum::<f64>();
            assert!((sum - raw).abs() < 1e-11, "{splits} splits: {sum} in parts, {raw} in all");
        }
    }
}

#[test]
fn contributions_are_shapley_values() {
    // The definition itself, over all orders of the features that the row is told about.
    let model = must_parse(&chain(6));
    let explainer = Explainer::new(&model).expect("counts");
    let row = [1.0, 1.0, -1.0, 1.0, 1.0, 1.0];
    let values = contributions(&explainer, &row, 1);
    for (feature, value) in values.iter().enumerate() {
        let mut expected = 0.0;
        for known in (0..1_u32 << 6).filter(|known| known >> feature & 1 == 0) {
            let others = known.count_ones();
            let weight = factorial(others) * factorial(5 - others) / factorial(6);
            expected += weight * (mean(&model, &row, known | 1 << feature) - mean(&model, &row, known));
        }
        assert!((value - expected).abs() < 1e-14, "feature {feature}");
    }
}

fn factorial(n: u32) -> f64 {
    (1..=n).map(f64::from).product()
}

/// The chain's mean value when only the features in `known` are known.
fn mean(model: &Model, row: &[f64], known: u32) -> f64 {
    let tree = &model.trees[0];
    let (mut reached, mut mean) = (1.0, 0.0);
    for (i, value) in row.iter().enumerate() {
        let share = f64::from(tree.leaf_counts[i]) / f64::from(tree.nodes[i].count);
        let left = if known >> i & 1 == 0 { share } else { f64::from(u8::from(*value <= 0.0)) };
        mean += reached * left * tree.leaf_values[i];
        reached *= 1.0 - left;
    }
    mean + reached * tree.leaf_values[row.len()]
}

#[test]
fn a_model_without_row_counts_scores_but_is_not_explained() {
    let text: String =
        chain(3).lines().filter(|line| !line.starts_with("leaf_count")).flat_map(|line| [line, "\n"]).collect();
    let model = must_parse(&text);
    let mut raw = [0.0];
    Forest::new(&model).raw_into(&[1.0, 1.0, 1.0], &mut raw);
    assert_eq!(raw[0].to_bits(), model.trees[0].leaf_values[3].to_bits());
    assert_eq!(Explainer::new(&model).expect_err("no counts"), ExplainError::NoCounts { tree: 0 });
}

#[test]
fn a_model_of_too_many_long_paths_is_refused() {
    // A path of a thousand features takes half a million multiplications, and each of these trees has a thousand.
    let one = chain(1_000);
    let (head, rest) = one.split_once("Tree=0\n").expect("a tree");
    let body = rest.split_once("end of trees").expect("an end").0;
    let mut text = head.to_owned();
    (0..3).for_each(|i| text.push_str(&format!("Tree={i}\n{body}")));
    text.push_str("end of trees\n");
    assert_eq!(Explainer::new(&must_parse(&text)).expect_err("too long"), ExplainError::TooLong);
}
