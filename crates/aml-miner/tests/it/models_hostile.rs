//! Model files of strangers, of every library but LightGBM (`models_malformed` has that): refused by name, never a panic, never
//! more memory or time than the file's size allows.

use std::time::{Duration, Instant};

use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::limits::MAX_MODEL_BYTES;
use aml_miner::trees::read;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::dice::Dice;
use super::models_boosters::{model_files, stored};

fn message(bytes: &[u8]) -> String {
    let before = Instant::now();
    let message = read(bytes).expect_err("must be refused").to_string();
    assert!(before.elapsed() < Duration::from_secs(20), "{message}: it took {:?}", before.elapsed());
    assert!(message.len() < 600, "a short message: {message}");
    message
}

/// A good model of one split.
fn xgboost() -> Value {
    json!({"version": [2, 1, 0], "learner": {
        "attributes": {}, "feature_names": ["a", "b"], "feature_types": ["float", "float"],
        "gradient_booster": {"name": "gbtree", "model": {
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"}, "tree_info": [0],
            "trees": [{
                "id": 0, "tree_param": {"size_leaf_vector": "1"},
                "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [1, 0, 0],
                "split_conditions": [0.5, -1.0, 1.0], "default_left": [1, 0, 0], "sum_hessian": [4.0, 1.0, 3.0],
                "split_type": [0, 0, 0], "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": []
            }]}},
        "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2", "num_target": "1"},
        "objective": {"name": "binary:logistic"},
    }})
}

/// [`xgboost`] with the value at a path replaced.
fn changed(path: &str, value: Value) -> String {
    let mut document = xgboost();
    *document.pointer_mut(path).unwrap_or_else(|| panic!("{path} is there")) = value;
    message(document.to_string().as_bytes())
}

const TREE: &str = "/learner/gradient_booster/model/trees/0";

fn in_tree(key: &str, value: Value) -> String {
    changed(&format!("{TREE}/{key}"), value)
}

#[test]
fn the_model_that_is_broken_below_is_good() {
    let model = read(xgboost().to_string().as_bytes()).expect("a model");
    assert_eq!((model.features, model.trees.len(), model.library.name()), (2, 1, "XGBoost"));
}

#[test]
fn what_cannot_be_exact_is_refused_by_name() {
    assert!(changed("/learner/gradient_booster/name", json!("gblinear")).contains("`gblinear`"));
    assert!(changed("/learner/objective/name", json!("my:own")).contains("objective `my:own` is not known"));
    assert!(changed("/learner/objective/name", json!("multi:softprob")).contains("several scores"));
    assert!(changed("/learner/learner_model_param/num_class", json!("3")).contains("several scores"));
    assert!(changed("/learner/learner_model_param/base_score", json!("[1E0,2E0]")).contains("`base_score`"));
    assert!(changed("/learner/learner_model_param/base_score", json!("1.5")).contains("between 0 and 1"));
    assert!(changed("/learner/learner_model_param/base_score", json!("nan")).contains("`base_score`"));
    assert!(in_tree("split_conditions", json!([1e39, 0.0, 0.0])).contains("not a usable XGBoost model"));
}

#[test]
fn a_model_that_was_stopped_early_asks_which_rounds_count() {
    let mut document = xgboost();
    let tree = document.pointer(TREE).expect("a tree").clone();
    let mut second = tree.clone();
    second["id"] = json!(1);
    document["learner"]["gradient_booster"]["model"]["trees"] = json!([tree, second]);
    document["learner"]["gradient_booster"]["model"]["tree_info"] = json!([0, 0]);
    assert!(read(document.to_string().as_bytes()).is_ok());
    document["learner"]["attributes"] = json!({"best_iteration": "0"});
    let message = message(document.to_string().as_bytes());
    assert!(message.contains("round 0 was the best of 2") && message.contains("best_iteration=None"), "{message}");
}

#[test]
fn broken_graphs_and_lists_are_refused() {
    assert!(in_tree("left_children", json!([0, -1, -1])).contains("node 0 is reached twice"));
    assert!(in_tree("right_children", json!([1, -1, -1])).contains("node 1 is reached twice"));
    assert!(in_tree("left_children", json!([7, -1, -1])).contains("node 7 of 3"));
    assert!(in_tree("left_children", json!([1, -1])).contains("entries for 2 nodes"));
    assert!(in_tree("split_indices", json!([2, 0, 0])).contains("feature 2 of 2"));
    assert!(in_tree("split_indices", json!([-1, 0, 0])).contains("of 2"));
    assert!(in_tree("right_children", json!([-5, -1, -1])).contains("one child"));
    assert!(in_tree("sum_hessian", json!([4.0, -1.0, 3.0])).contains("no weight"));
    assert!(in_tree("id", json!(5)).contains("in the place of another"));
    assert!(in_tree("split_type", json!([1, 0, 0])).contains("no categories"));
    assert!(in_tree("split_type", json!([2, 0, 0])).contains("neither 1 nor 0"));
    assert!(changed("/learner/learner_model_param/num_feature", json!("999999")).contains("num_feature"));
    assert!(changed("/learner/feature_names", json!(["a"])).contains("2 features and 1 names"));
}

#[test]
fn categories_are_bounded() {
    let with = |categories: Value, sizes: Value| {
        let mut document = xgboost();
        let tree = document.pointer_mut(TREE).expect("a tree");
        tree["split_type"] = json!([1, 0, 0]);
        (tree["categories"], tree["categories_nodes"]) = (categories, json!([0]));
        (tree["categories_segments"], tree["categories_sizes"]) = (json!([0]), sizes);
        read(document.to_string().as_bytes()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(with(json!([0, 299]), json!([2])), Ok(()));
    assert!(with(json!([16_777_215]), json!([1])).is_err_and(|text| text.contains("no category from 0 to 2097151")));
    assert!(with(json!([-1]), json!([1])).is_err_and(|text| text.contains("-1 is no category")));
    assert!(with(json!([1]), json!([2])).is_err_and(|text| text.contains("leaves `categories`")));
    assert!(with(json!([1]), json!([-1])).is_err());
}

#[test]
fn files_that_are_no_models_say_what_is_wanted() {
    assert!(message(b"").contains("not a model"));
    assert!(message(b"{}").contains("not a model"));
    assert!(message(b"{\"a\": 1}").contains("LightGBM's text"));
    assert!(message(b"\x80\x04\x95pickled").contains("pickle"));
    assert!(message(b"binf\0\0\0\0").contains("old binary form"));
    assert!(message(b"PK\x03\x04").contains("not a model"));
    assert!(message(&vec![b'{'; MAX_MODEL_BYTES + 1]).contains("at most"));
    assert!(message(b"CBM1").contains("cut"));
    assert!(message(b"CBM1\xff\xff\xff\xff").contains("cut"));
}

#[test]
fn nesting_and_counts_take_neither_stack_nor_memory() {
    let deep = [b"{L\0\0\0\0\0\0\0\x01a".as_slice(), &b"[".repeat(1 << 20)].concat();
    assert!(message(&deep).contains("too many arrays"));
    let text = format!("{{\"learner\":{}", "[".repeat(1 << 20));
    message(text.as_bytes());
    let huge = b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x0dfeature_names[#L\x0f\xff\xff\xff\xff\xff\xff\xff";
    assert!(message(huge).contains("more than what is left"));
    let untyped = b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x0dfeature_names[$Z#L\0\0\0\0\0\0\0\x05";
    assert!(message(untyped).contains("not what XGBoost writes"));
    let mut document = xgboost();
    document["learner"]["gradient_booster"]["model"]["trees"] = Value::Array(vec![json!({}); 100_000]);
    assert!(message(document.to_string().as_bytes()).contains("missing field"));
}

#[test]
fn scikit_learn_s_form_is_checked() {
    let tree = json!({"left": [-1], "right": [-1], "feature": [0], "threshold": [0.0], "missing_left": [0], "value": [0.25],
        "count": [3.0], "categories": []});
    let good = json!({"aml_sklearn": 1, "sklearn_version": "1.9.1", "estimator": "RandomForestClassifier", "features": 1,
        "feature_names": null, "single": true, "answer": "share", "baseline": 0.0, "divide_by": 2.0, "code_books": [],
        "trees": [tree, tree]});
    assert!(read(good.to_string().as_bytes()).is_ok());
    let broken = |path: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(path).expect("a place") = value;
        message(document.to_string().as_bytes())
    };
    assert!(broken("/aml_sklearn", json!(2)).contains("version 2"));
    assert!(broken("/divide_by", json!(0.0)).contains("divided by 0"));
    assert!(broken("/features", json!(0)).contains("0 features"));
    assert!(broken("/trees/0/value", json!([1e200])).contains("no number within"));
    assert!(broken("/trees/0/count", json!([])).contains("differ in length"));
    assert!(broken("/code_books", json!([{"feature": 4, "values": [1.0]}])).contains("code book of feature 4"));
    assert!(
        broken("/trees/0/categories", json!([{"node": 9, "members": [1], "members_left": true}]))
            .contains("not among its nodes")
    );
}

/// What a server does with a model, on a few rows.
fn use_model(bytes: &[u8]) {
    let Ok(model) = read(bytes) else { return };
    let forest = Forest::new(&model);
    let explainer = Explainer::with_table_bytes(&model, 1 << 16);
    for value in [0.5, f64::NAN, -0.0, f64::INFINITY] {
        let row = vec![value; model.features];
        forest.predict_into(&row, &mut [0.0]);
        if let Ok(explainer) = &explainer {
            explainer.contributions_into(&row, &mut vec![0.0; model.features]);
        }
    }
}

/// A fuzz target's seeds must pass through everything that reads them.
#[test]
fn the_fuzz_corpus_is_handled() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/any_model");
    let mut handled = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is part of the repository") {
        use_model(&std::fs::read(file.expect("a file").path()).expect("readable"));
        handled += 1;
    }
    assert!(handled >= 6, "{handled} files");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(seed: u64) {
        let mut dice = Dice(seed);
        let files: Vec<_> = model_files(&stored()).into_iter().filter(|path| path.extension().is_some_and(|e| e != "txt")).collect();
        let mut bytes = std::fs::read(&files[dice.below(files.len())]).expect("a vector");
        for _ in 0..1 + dice.below(6) {
            let place = dice.below(bytes.len());
            match dice.below(5) {
                0 => bytes[place] = dice.pick(b"0123456789-.e,[]{}\"\xff\x00\x01\x7f"),
                1 => bytes[place] ^= 1 << dice.below(8),
                2 => drop(bytes.drain(place..(place + 1 + dice.below(40)).min(bytes.len()))),
                3 => bytes.insert(place, dice.pick(b"0123456789-.e,\xff\x00")),
                _ => {
                    let part = bytes[place..(place + 1 + dice.below(60)).min(bytes.len())].to_vec();
                    let to = dice.below(bytes.len());
                    bytes.splice(to..to, part);
                }
            }
        }
        use_model(&bytes);
    }
}
