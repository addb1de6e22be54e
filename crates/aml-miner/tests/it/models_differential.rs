//! The evaluator and the explanations against LightGBM's C library, on random models and adversarial rows.
#![cfg(feature = "training")]

use aml_miner::training::lightgbm::Finished;
use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::model::Model;
use proptest::prelude::*;

use super::models_support::{Dice, RandomModel, Shape};

pub(crate) fn must_parse(text: &str) -> Model {
    parse(text.as_bytes()).expect("a valid model")
}

fn must_load(text: &str) -> Finished {
    Finished::from_text(text).expect("LightGBM loads what this crate loads")
}

fn raw_scores(forest: &Forest, rows: &[f64]) -> Vec<f64> {
    let mut raw = vec![0.0; rows.len() / forest.features() * forest.outputs()];
    forest.raw_into(rows, &mut raw);
    raw
}

fn answers(forest: &Forest, rows: &[f64]) -> Vec<f64> {
    let mut answers = vec![0.0; rows.len() / forest.features() * forest.outputs()];
    forest.predict_into(rows, &mut answers);
    answers
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Raw scores and answers have the same bits as the C library's.
pub(crate) fn must_agree_on_scores(text: &str, rows: &[f64]) {
    let forest = Forest::new(&must_parse(text));
    let finished = must_load(text);
    let theirs = finished.raw_scores(rows).expect("scores");
    assert_eq!(bits(&raw_scores(&forest, rows)), bits(&theirs), "raw scores");
    let theirs = finished.answers(rows).expect("answers");
    assert_eq!(bits(&answers(&forest, rows)), bits(&theirs), "answers");
}

/// Contributions equal the C library's to 1e-9 of the model's scale, and add up to the raw score. One output only.
pub(crate) fn must_agree_on_contributions(text: &str, rows: &[f64], scale: f64, table_bytes: usize) {
    let model = must_parse(text);
    let explainer = Explainer::with_table_bytes(&model, table_bytes).expect("counts are there");
    let forest = Forest::new(&model);
    let mut ours = vec![0.0; rows.len()];
    explainer.contributions_into(rows, &mut ours);
    let features = forest.features();
    let theirs = must_load(text).contributions(rows).expect("contributions");
    let raw = raw_scores(&forest, rows);
    let all = ours.chunks(features).zip(theirs.chunks(features + 1)).zip(raw);
    for ((ours, theirs), raw) in all {
        let base = explainer.base_values()[0];
        assert!((base - theirs[features]).abs() <= 1e-12 * scale, "base {base}, {theirs:?}");
        for (feature, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let near = (ours - theirs).abs() <= 1e-9 * scale;
            assert!(near, "feature {feature}: {ours} here, {theirs} there, scale {scale}");
        }
        let sum = base + ours.iter().sum::<f64>();
        assert!((sum - raw).abs() <= 1e-10 * scale, "{sum} in parts, {raw} in all");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_of_random_models_have_the_c_librarys_bits(seed: u64) {
        let mut dice = Dice(seed);
        let shape = Shape::random(&mut dice);
        let model = RandomModel::new(&mut dice, shape);
        let rows = model.rows(&mut dice, 70);
        must_agree_on_scores(&model.text(), &rows);
    }

    #[test]
    fn contributions_of_random_models_are_the_c_librarys(seed: u64) {
        let mut dice = Dice(seed);
        let shape = Shape { iterations: 1 + dice.below(2), ..Shape::random(&mut dice) };
        let model = RandomModel::new(&mut dice, shape);
        let rows = model.rows(&mut dice, 12);
        let table_bytes = dice.pick(&[0, 1 << 12, 1 << 16]);
        for output in 0..shape.outputs {
            must_agree_on_contributions(&model.text_of_output(output), &rows, model.scale, table_bytes);
        }
    }
}

#[test]
fn full_tables_give_the_c_librarys_contributions() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let shape = Shape { features: 10, outputs: 1, iterations: 2, max_leaves: 31, average: false };
        let model = RandomModel::new(&mut dice, shape);
        let rows = model.rows(&mut dice, 100);
        must_agree_on_contributions(&model.text(), &rows, model.scale, usize::MAX);
    }
}

#[test]
fn scores_do_not_depend_on_the_rows_beside_them() {
    let mut dice = Dice(7);
    let shape = Shape { features: 9, outputs: 3, iterations: 2, max_leaves: 90, average: true };
    let model = RandomModel::new(&mut dice, shape);
    let rows = model.rows(&mut dice, 150);
    let parsed = must_parse(&model.text());
    let (forest, explainer) = (Forest::new(&parsed), Explainer::with_table_bytes(&parsed, 1 << 14).expect("counts"));
    let whole = raw_scores(&forest, &rows);
    let mut explained = vec![0.0; rows.len() * 3];
    explainer.contributions_into(&rows, &mut explained);
    for block in [1, 8, 9, 63, 65, 149] {
        let parts: Vec<f64> = rows.chunks(block * 9).flat_map(|rows| raw_scores(&forest, rows)).collect();
        assert_eq!(bits(&parts), bits(&whole), "blocks of {block} rows");
        let mut parts = vec![0.0; rows.len() * 3];
        for (rows, parts) in rows.chunks(block * 9).zip(parts.chunks_mut(block * 27)) {
            explainer.contributions_into(rows, parts);
        }
        assert_eq!(bits(&parts), bits(&explained), "blocks of {block} rows");
    }
}

#[test]
fn more_thresholds_than_one_column_of_codes_holds() {
    // 40,000 distinct thresholds of one feature, in chains of 50.
    let tree = |tree: usize| {
        let list = |value: &dyn Fn(usize) -> f64, count: usize| {
            (0..count).map(|i| value(i).to_string()).collect::<Vec<_>>().join(" ")
        };
        format!(
            "Tree={tree}\nnum_leaves=51\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\n\
             left_child={}\nright_child={} -51\nleaf_value={}\nis_linear=0\nshrinkage=1\n\n\n",
            list(&|_| 0.0, 50),
            list(&|i| (tree * 50 + i) as f64 * 0.5, 50),
            list(&|_| 2.0, 50),
            list(&|i| -1.0 - i as f64, 50),
            list(&|i| 1.0 + i as f64, 49),
            list(&|i| ((tree + i) as f64).sin(), 51),
        )
    };
    let trees: Vec<String> = (0..800).map(tree).collect();
    let sizes: Vec<String> = trees.iter().map(|tree| tree.len().to_string()).collect();
    let text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n\
         objective=regression\nfeature_names=a\nfeature_infos=none\ntree_sizes={}\n\n{}end of trees\n",
        sizes.join(" "),
        trees.concat(),
    );
    let rows = [-1.0, 0.0, 0.25, 15_999.5, 15_999.9, 16_000.0, 16_000.1, 19_999.5, 3e4, f64::NAN];
    must_agree_on_scores(&text, &rows);
}
