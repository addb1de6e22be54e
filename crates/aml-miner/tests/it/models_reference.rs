//! LightGBM's published example models: the recorded scores of the official wheel, and the C library's own bits.
#![cfg(feature = "training")]

use std::path::Path;

use aml_miner::trees::forest::Forest;

use super::models_differential::{must_agree_on_contributions, must_agree_on_scores, must_parse};
use super::models_support::examples;

const CASES: [(&str, &str); 5] = [
    ("binary_plain", "binary_classification/binary.test"),
    ("binary_conf", "binary_classification/binary.test"),
    ("regression", "regression/regression.test"),
    ("multiclass", "multiclass_classification/multiclass.test"),
    ("lambdarank", "lambdarank/rank.test"),
];

fn must_read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rows of a file whose first column is the label: numbers, or `index:value` pairs.
fn must_read_rows(path: &Path, features: usize) -> Vec<f64> {
    let mut rows = Vec::new();
    for line in must_read(path).lines() {
        let mut row = vec![0.0; features];
        for (place, word) in line.split_ascii_whitespace().skip(1).enumerate() {
            let (place, value) = match word.split_once(':') {
                Some((place, value)) => (place.parse().expect("an index"), value),
                None => (place, word),
            };
            row[place] = value.parse().expect("a number");
        }
        rows.extend(row);
    }
    rows
}

fn must_read_numbers(path: &Path) -> Vec<f64> {
    must_read(path).split_ascii_whitespace().map(|word| word.parse().expect("a number")).collect()
}

#[test]
fn published_models_score_as_recorded_and_as_the_c_library() {
    let Some(examples) = examples() else { return };
    for (name, data) in CASES {
        let file = |what: &str| examples.join(format!("reference_4.7.0/{name}.{what}.txt"));
        let text = must_read(&file("model"));
        let forest = Forest::new(&must_parse(&text));
        let rows = must_read_rows(&examples.join(data), forest.features());
        must_agree_on_scores(&text, &rows);
        let mut scores = vec![0.0; rows.len() / forest.features() * forest.outputs()];
        forest.raw_into(&rows, &mut scores);
        let recorded = must_read_numbers(&file("raw"));
        assert_eq!(scores.len(), recorded.len(), "{name}");
        let differ = scores.iter().zip(&recorded).filter(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(differ.count(), 0, "raw scores of {name}");
        forest.predict_into(&rows, &mut scores);
        for (score, recorded) in scores.iter().zip(must_read_numbers(&file("pred"))) {
            // The recording machine has its own `exp`.
            assert!((score - recorded).abs() <= 4.0 * f64::EPSILON * recorded.abs(), "answers of {name}");
        }
    }
}

#[test]
fn published_models_are_explained_as_by_the_c_library() {
    let Some(examples) = examples() else { return };
    for (name, data) in CASES.iter().filter(|(name, _)| *name != "multiclass") {
        let text = must_read(&examples.join(format!("reference_4.7.0/{name}.model.txt")));
        let model = must_parse(&text);
        let features = model.feature_names.len();
        let rows = must_read_rows(&examples.join(data), features);
        must_agree_on_contributions(&text, &rows[..10 * features], 1.0, 64 << 20);
    }
}
