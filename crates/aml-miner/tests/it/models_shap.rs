//! What must hold of explanations beyond agreement with the C library.

use aml_miner::trees::contributions::{ExplainError, Explainer, MAX_STEPS, MAX_TABLE_BYTES};
use aml_miner::trees::forest::Forest;
use aml_miner::trees::isa::Isa;
use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::model::Model;

use super::models_support::{Dice, RandomModel, Shape};
use super::shap_oracle;

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
    for splits in [1, 2, 13, 40, 200, 1_000] {
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

/// A random model's contributions for `rows` rows, however many bytes its tables have, equal the oracle's.
fn must_equal_the_oracle(dice: &mut Dice, random: &RandomModel, text: &str, rows: usize) {
    let model = must_parse(text);
    let rows = random.rows(dice, rows);
    let (features, outputs) = (model.feature_names.len(), model.outputs);
    for bytes in [0, 1 << 14, MAX_TABLE_BYTES] {
        let explainer = Explainer::with_table_bytes(&model, bytes).expect("counts");
        let ours = contributions(&explainer, &rows, outputs);
        for (row, ours) in rows.chunks(features).zip(ours.chunks(features * outputs)) {
            let theirs: Vec<f64> =
                (0..outputs).flat_map(|output| shap_oracle::contributions(&model, row, output)).collect();
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() <= 2e-14 * random.scale, "{ours} here, {theirs} there, {bytes} bytes");
            }
        }
    }
}

#[test]
fn contributions_equal_the_exact_evaluators() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let shape = Shape { iterations: 1 + dice.below(2), ..Shape::random(&mut dice) };
        let random = RandomModel::new(&mut dice, shape);
        must_equal_the_oracle(&mut dice, &random, &random.text(), 21);
    }
}

#[test]
fn trees_of_many_leaves_equal_the_exact_evaluators() {
    for (seed, features, leaves) in [(1, 40, 255), (2, 5, 255), (3, 60, 1_000)] {
        let mut dice = Dice(seed);
        let shape = Shape { features, outputs: 1, iterations: 1, max_leaves: leaves, average: false };
        let random = RandomModel::new_with_leaves(&mut dice, shape, leaves);
        must_equal_the_oracle(&mut dice, &random, &random.text(), 3);
    }
}

#[test]
fn counts_that_do_not_add_up_are_taken_as_they_are() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let shape = Shape { features: 6, outputs: 1, iterations: 2, max_leaves: 24, average: false };
        let random = RandomModel::new(&mut dice, shape);
        let more = |line: &str| match line.strip_prefix("leaf_count=") {
            Some(counts) => {
                let counts = counts.split(' ').map(|count| count.parse::<u32>().expect("a count") + 1);
                format!("leaf_count={}\n", counts.map(|count| count.to_string()).collect::<Vec<_>>().join(" "))
            }
            None if line.starts_with("tree_sizes=") => String::new(),
            None => format!("{line}\n"),
        };
        let text: String = random.text().lines().map(more).collect();
        must_equal_the_oracle(&mut dice, &random, &text, 5);
    }
}

#[test]
fn contributions_are_shapley_values() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let shape = Shape { features: 5, outputs: 2, iterations: 1, max_leaves: 12, average: false };
        let random = RandomModel::new(&mut dice, shape);
        let model = must_parse(&random.text());
        let row = random.rows(&mut dice, 1);
        for bytes in [0, MAX_TABLE_BYTES] {
            let explainer = Explainer::with_table_bytes(&model, bytes).expect("counts");
            let values = contributions(&explainer, &row, 2);
            let expected = (0..2).flat_map(|output| shap_oracle::by_definition(&model, &row, output));
            for (value, expected) in values.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-13 * random.scale, "{value}, by definition {expected}");
            }
        }
    }
}

#[test]
fn what_explaining_costs_grows_with_splits_times_points() {
    for leaves in [31, 255, 1_000] {
        let mut dice = Dice(9);
        let shape = Shape { features: 100, outputs: 1, iterations: 3, max_leaves: leaves, average: false };
        let model = must_parse(&RandomModel::new_with_leaves(&mut dice, shape, leaves).text());
        let explainer = Explainer::with_table_bytes(&model, 0).expect("counts");
        // Half as many points as splits on the longest path; leaf by leaf it would be their square for every leaf.
        let most = |tree: &aml_miner::trees::model::Tree| tree.nodes.len() * tree.depth.div_ceil(2) as usize;
        let bound: usize = model.trees.iter().map(most).sum();
        assert!(explainer.steps() <= bound, "{} steps for {leaves} leaves, at most {bound}", explainer.steps());
    }
}

#[test]
fn which_leaves_get_tables_does_not_depend_on_the_order_of_the_trees() {
    let mut dice = Dice(11);
    let shape = Shape { features: 30, outputs: 1, iterations: 12, max_leaves: 40, average: false };
    let random = RandomModel::new(&mut dice, shape);
    let cost = |text: &str| {
        let explainer = Explainer::with_table_bytes(&must_parse(text), 1 << 18).expect("counts");
        (explainer.table_bytes(), explainer.steps())
    };
    let (forwards, backwards) = (cost(&random.text()), cost(&random.text_backwards()));
    assert_eq!(forwards, backwards);
    assert!(forwards.0 > 1 << 17, "the budget is used: {} bytes", forwards.0);
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
    // A walk through one of these takes half a million steps.
    let one = chain(1_000);
    let (head, rest) = one.split_once("Tree=0\n").expect("a tree");
    let body = rest.split_once("end of trees").expect("an end").0;
    let text = |trees: usize| {
        let trees = (0..trees).map(|i| format!("Tree={i}\n{body}"));
        format!("{head}{}end of trees\n", trees.collect::<String>())
    };
    let few = Explainer::with_table_bytes(&must_parse(&text(3)), 0).expect("three are not too many");
    assert_eq!(few.steps(), 3 * 1_000 * 512);
    let many = MAX_STEPS / (1_000 * 512) + 1;
    assert_eq!(Explainer::new(&must_parse(&text(many))).expect_err("too long"), ExplainError::TooLong);
}

#[test]
fn counts_that_cannot_be_are_refused() {
    // Two features in turns; the rows of the first grow two thousand million times at each of its splits.
    let splits = 80;
    let counts: Vec<String> = (0..splits).map(|i| (if i % 2 == 0 { 1 } else { 2_000_000_000 }).to_string()).collect();
    let features: Vec<String> = (0..splits).map(|i| (i % 2).to_string()).collect();
    let change = |line: &str| match line.split_once('=') {
        Some(("internal_count", _)) => format!("internal_count={}\n", counts.join(" ")),
        Some(("split_feature", _)) => format!("split_feature={}\n", features.join(" ")),
        _ => format!("{line}\n"),
    };
    let model = must_parse(&chain(splits).lines().map(change).collect::<String>());
    assert_eq!(Explainer::new(&model).expect_err("no such counts"), ExplainError::WildCounts { tree: 0 });
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_set_of_instructions_gives_the_same_bits() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let shape = Shape { iterations: 1 + dice.below(3), ..Shape::random(&mut dice) };
        let random = RandomModel::new(&mut dice, shape);
        let model = must_parse(&random.text());
        let rows = random.rows(&mut dice, 70);
        let features = model.feature_names.len();
        for count in [1, 3, 5, 9, 17, 70] {
            let rows = &rows[..count * features];
            let answers = |isa: Isa| {
                let forest = Forest::new(&model).compiled_for(isa);
                let mut raw = vec![0.0; count * model.outputs];
                forest.raw_into(rows, &mut raw);
                let explained = [0, 1 << 14].map(|bytes| {
                    let explainer = Explainer::with_table_bytes(&model, bytes).expect("counts");
                    bits(&contributions(&explainer.compiled_for(isa), rows, model.outputs))
                });
                (bits(&raw), explained)
            };
            let plain = answers(Isa::baseline());
            for isa in Isa::all() {
                assert!(answers(isa) == plain, "{} differs for {count} rows of model {seed}", isa.name());
            }
        }
    }
}

#[test]
fn scores_and_contributions_at_once_are_those_alone() {
    let mut dice = Dice(3);
    let shape = Shape { features: 14, outputs: 2, iterations: 3, max_leaves: 70, average: true };
    let random = RandomModel::new(&mut dice, shape);
    let model = must_parse(&random.text());
    let forest = Forest::new(&model);
    let explainer = Explainer::beside(&forest, &model, 1 << 14).expect("counts");
    for count in [1, 64, 2_100] {
        let rows = random.rows(&mut dice, count);
        let (mut raw, mut explained) = (vec![0.0; count * 2], vec![0.0; rows.len() * 2]);
        explainer.raw_and_contributions_into(&forest, &rows, &mut raw, &mut explained);
        let mut alone = vec![0.0; count * 2];
        forest.raw_into(&rows, &mut alone);
        assert_eq!(bits(&raw), bits(&alone), "{count} rows");
        assert_eq!(bits(&explained), bits(&contributions(&explainer, &rows, 2)), "{count} rows");
    }
}
