//! Model files that are cut, changed or hostile: a clear error, bounded work, no panic.

use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::limits::MAX_MODEL_BYTES;
use proptest::prelude::*;

use super::models_support::{Dice, RandomModel, Shape};

/// A small valid model; its parts are what the tests break.
const GOOD: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
objective=binary sigmoid:1\nfeature_names=a b\nfeature_infos=[0:1] 0:1:2\n\n\
Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nsplit_gain=1 1\nthreshold=0.5 0\ndecision_type=2 1\n\
left_child=1 -1\nright_child=-2 -3\nleaf_value=0.1 0.2 0.3\nleaf_weight=1 1 1\nleaf_count=1 2 3\n\
internal_value=0 0\ninternal_weight=0 0\ninternal_count=6 4\ncat_boundaries=0 1\ncat_threshold=6\nis_linear=0\n\
shrinkage=1\n\n\nend of trees\n";

fn message(bytes: &[u8]) -> String {
    parse(bytes).expect_err("must be refused").to_string()
}

#[test]
fn the_model_that_the_others_are_broken_from_is_fine() {
    let model = parse(GOOD.as_bytes()).expect("a valid model");
    let mut raw = [0.0; 3];
    Forest::new(&model).raw_into(&[0.4, 1.0, 0.4, 3.0, 0.6, 1.0], &mut raw);
    assert_eq!(raw.map(f64::to_bits), [0.1, 0.3, 0.2].map(f64::to_bits));
}

/// What is replaced, by what, and what the message says.
const BROKEN: &[(&str, &str, &str)] = &[
    ("tree\n", "forest\n", "line 1: a model starts with the line `tree`, this file with `forest`"),
    ("version=v4", "version=v9", "line 2: version `v9` is not known"),
    ("version=v4\n", "", "`version` is missing"),
    ("num_class=1", "num_class=2", "num_tree_per_iteration, 1"),
    ("num_tree_per_iteration=1", "num_tree_per_iteration=0", "a whole number from 1 to 1000"),
    ("max_feature_idx=1", "max_feature_idx=-1", "line 6: `max_feature_idx` holds `-1`"),
    ("max_feature_idx=1", "max_feature_idx=99999999999999999999", "a whole number from 0 to 65534"),
    ("feature_names=a b", "feature_names=a", "line 8: `feature_names` has 1 values instead of 2"),
    ("feature_infos=[0:1] 0:1:2", "feature_infos=none none none", "has 3 values instead of 2"),
    ("objective=binary sigmoid:1", "objective=magic", "line 7: objective `magic` is not known"),
    ("sigmoid:1", "sigmoid:-1", "a positive `sigmoid`"),
    ("sigmoid:1", "sigmoid:nan", "a positive `sigmoid`"),
    ("binary sigmoid:1", "multiclass num_class:3", "an objective for 1 trees an iteration"),
    ("Tree=0", "Tree=1", "line 11: tree 1 stands where tree 0 belongs"),
    ("num_leaves=3", "num_leaves=0", "a whole number from 1 to 131072"),
    ("num_leaves=3", "num_leaves=131073", "a whole number from 1 to 131072"),
    ("num_leaves=3", "num_leaves=131072", "`leaf_value` has 3 values instead of 131072"),
    ("num_leaves=3", "num_leaves=2", "`leaf_value` has 3 values instead of 2"),
    ("num_leaves=3\n", "", "`num_leaves` is missing"),
    ("num_leaves=3\n", "num_leaves=3\nnum_leaves=3\n", "line 13: `num_leaves` stands here a second time"),
    ("num_cat=1", "num_cat=3", "a whole number from 0 to 2"),
    ("split_feature=0 1", "split_feature=0 2", "`split_feature` holds `2`, which is not a feature below 2"),
    ("split_feature=0 1", "split_feature=0 -1", "`split_feature` holds `-1`, which is not a number"),
    ("split_feature=0 1", "split_feature=0 4294967296", "which is not a number"),
    ("threshold=0.5 0", "threshold=nan 0", "`threshold` holds `nan`"),
    ("threshold=0.5 0", "threshold=0.5 1", "the number of a category set below 1"),
    ("threshold=0.5 0", "threshold=0.5 -1", "the number of a category set below 1"),
    ("threshold=0.5 0", "threshold=0.5 nan", "the number of a category set below 1"),
    ("threshold=0.5 0", "threshold=0.5 0.5", "the number of a category set below 1"),
    ("threshold=0.5 0", "threshold=0.5", "`threshold` has 1 values instead of 2"),
    ("decision_type=2 1", "decision_type=12 1", "a decision from 0 to 11"),
    ("decision_type=2 1", "decision_type=-2 1", "`decision_type` holds `-2`"),
    ("left_child=1 -1", "left_child=0 -1", "tree 0: node 0 is reached twice"),
    ("left_child=1 -1", "left_child=1 0", "tree 0: node 0 is reached twice"),
    ("left_child=1 -1", "left_child=-1 -1", "tree 0: node 1 is never reached"),
    ("left_child=1 -1", "left_child=1 -2", "tree 0: leaf 1 is reached twice"),
    ("left_child=1 -1", "left_child=2 -1", "a node below 2 or a leaf from -3 to -1"),
    ("left_child=1 -1", "left_child=1 -4", "a node below 2 or a leaf from -3 to -1"),
    ("left_child=1 -1", "left_child=1 -9223372036854775808", "a node below 2"),
    ("left_child=1 -1", "left_child=1 99999999999999999999", "which is not a number"),
    ("leaf_value=0.1", "leaf_value=nan", "`leaf_value` holds `NaN`"),
    ("leaf_value=0.1", "leaf_value=inf", "`leaf_value` holds `inf`"),
    ("leaf_value=0.1", "leaf_value=1e101", "a number within 1e100"),
    ("leaf_value=0.1", "leaf_value=[[[", "`leaf_value` holds `[[[`, which is not a number"),
    ("leaf_count=1 2 3", "leaf_count=1 2", "`leaf_count` has 2 values instead of 3"),
    ("leaf_count=1 2 3", "leaf_count=1 2 -3", "a number of rows"),
    ("internal_count=6 4", "internal_count=6 4294967296", "a number of rows"),
    ("split_gain=1 1", "split_gain=1", "`split_gain` has 1 values instead of 2"),
    ("cat_boundaries=0 1", "cat_boundaries=0 0", "a rising list from 0"),
    ("cat_boundaries=0 1", "cat_boundaries=1 2", "a rising list from 0"),
    ("cat_boundaries=0 1", "cat_boundaries=0 65537", "steps of at most 65536"),
    ("cat_boundaries=0 1", "cat_boundaries=0 2", "`cat_threshold` has 1 values instead of 2"),
    ("cat_threshold=6", "cat_threshold=-6", "`cat_threshold` holds `-6`"),
    ("cat_threshold=6\n", "", "`cat_threshold` is missing"),
    ("is_linear=0", "is_linear=1", "linear trees are not supported"),
    ("shrinkage=1", "shrinkage=x", "`shrinkage` holds `x`"),
    ("shrinkage=1\n", "shrinkage=1\nbranch=1\n", "a tree has no key `branch`"),
    ("end of trees", "end of tree", "`end of trees` is missing"),
    ("\n\nTree", "\ntree_sizes=5\n\nTree", "`tree_sizes` says 5"),
    ("\n\nTree", "\ntree_sizes=5 x\n\nTree", "`tree_sizes` holds `x`"),
];

#[test]
fn every_broken_part_is_named_with_its_line() {
    for (good, bad, expected) in BROKEN {
        assert!(GOOD.contains(good), "{good:?} is in the model");
        let broken = GOOD.replacen(good, bad, 1);
        let found = message(broken.as_bytes());
        assert!(found.contains(expected), "{good:?} -> {bad:?}: {found}");
    }
}

#[test]
fn announced_and_present_trees_must_agree() {
    let size = GOOD.find("end of trees").expect("an end") - GOOD.find("Tree=0").expect("a tree");
    let announce = |sizes: &str| GOOD.replacen("\n\nTree", &format!("\ntree_sizes={sizes}\n\nTree"), 1);
    assert!(parse(announce(&size.to_string()).as_bytes()).is_ok());
    let two = announce(&format!("{size} {size}"));
    assert!(message(two.as_bytes()).contains("there are 1 trees, `tree_sizes` announces 2"));
    let crlf = announce(&size.to_string()).replace('\n', "\r\n");
    assert!(message(crlf.as_bytes()).contains("the file was changed after it was written"));
    let odd = GOOD
        .replace("num_class=1", "num_class=2")
        .replace("iteration=1", "iteration=2")
        .replace("binary", "multiclassova num_class:2");
    assert!(message(odd.as_bytes()).contains("not a multiple of num_tree_per_iteration, 2"));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let end = GOOD.find("end of trees").expect("an end") + "end of trees".len();
    for cut in 0..end {
        assert!(parse(&GOOD.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_tree_deeper_than_the_limit_is_refused() {
    let splits = 1_025_usize;
    let list = |value: &dyn Fn(usize) -> String| (0..splits).map(value).collect::<Vec<_>>().join(" ");
    let text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nfeature_names=a\n\
         feature_infos=none\n\nTree=0\nnum_leaves={}\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\n\
         left_child={}\nright_child={}\nleaf_value={} 0\nshrinkage=1\n\n\nend of trees\n",
        splits + 1,
        list(&|_| "0".into()),
        list(&|i| i.to_string()),
        list(&|_| "2".into()),
        list(&|i| format!("-{}", i + 1)),
        list(&|i| if i + 1 < splits { (i + 1).to_string() } else { format!("-{}", splits + 1) }),
        list(&|_| "0".into()),
    );
    assert!(message(text.as_bytes()).contains("deeper than 1024 splits"));
}

#[test]
fn megabytes_of_nonsense_are_refused_at_once() {
    let brackets = "[".repeat(10 << 20);
    let found = message(brackets.as_bytes());
    assert!(found.contains("starts with the line `tree`") && found.len() < 200, "{found}");
    let inside = GOOD.replace("leaf_value=0.1 0.2 0.3", &format!("leaf_value={brackets}"));
    assert!(message(inside.as_bytes()).len() < 200);
    let spaces = GOOD.replace("left_child=1 -1", &format!("left_child={}", " ".repeat(10 << 20)));
    assert!(message(spaces.as_bytes()).contains("has 0 values instead of 2"));
    let zeros = GOOD.replace("left_child=1 -1", &format!("left_child={}", "0 ".repeat(1 << 20)));
    assert!(message(zeros.as_bytes()).contains("has 3 values instead of 2"));
    let lines = GOOD.replace("Tree=0", &format!("{}Tree=0", "\n".repeat(1 << 20)));
    assert!(parse(lines.as_bytes()).is_ok(), "empty lines mean nothing");
    let trees = format!("{}Tree=0\n", GOOD.split("Tree=0").next().expect("a head")).repeat(2_000);
    assert!(message(trees.as_bytes()).len() < 300);
    assert!(message(&vec![b'x'; MAX_MODEL_BYTES + 1]).contains("has 67108865 bytes"));
    assert!(message(b"tree\nversion=\xff\xfe\n").contains("line 2: not UTF-8"));
}

/// A fuzz target's seeds must pass through everything that reads them.
#[test]
fn the_fuzz_corpus_is_handled() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/lightgbm_model");
    let mut handled = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is part of the repository") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
        use_model(&bytes);
        handled += 1;
    }
    assert!(handled >= 10, "{handled} files");
}

/// What a server does with a model, on one row.
fn use_model(bytes: &[u8]) {
    let Ok(model) = parse(bytes) else { return };
    let features = model.feature_names.len();
    let row = vec![0.5; features];
    let mut raw = vec![0.0; model.outputs];
    Forest::new(&model).predict_into(&row, &mut raw);
    if let Ok(explainer) = Explainer::with_table_bytes(&model, 1 << 16) {
        explainer.contributions_into(&row, &mut vec![0.0; features * model.outputs]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(seed: u64) {
        let mut dice = Dice(seed);
        let shape = Shape { iterations: 1, max_leaves: 12, ..Shape::random(&mut dice) };
        let mut bytes = RandomModel::new(&mut dice, shape).text().into_bytes();
        for _ in 0..1 + dice.below(4) {
            let place = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes[place] = dice.pick(b"0123456789-.e= \nxT\xff"),
                1 => drop(bytes.drain(place..(place + 1 + dice.below(40)).min(bytes.len()))),
                2 => bytes.insert(place, dice.pick(b"0123456789-.e= \n")),
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
