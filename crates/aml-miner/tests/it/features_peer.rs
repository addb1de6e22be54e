//! The Python reference's columns mean the same here: recorded by `scripts/make_peer_feature_vectors.py`.

use aml_miner::features::{FeatureBuilder, Matrix, RowKind, Schema};
use serde_json::Value;

use crate::features_support::batch;

const TYPOLOGIES: [&str; 10] = [
    "structuring",
    "layering",
    "mixing",
    "rapid_movement",
    "fan_in",
    "fan_out",
    "round_trip",
    "peel_chain",
    "dormant_activation",
    "high_risk_exposure",
];

fn record() -> Value {
    serde_json::from_str(include_str!("../data/peer_features.json")).expect("the recorded vectors")
}

fn names(matrix: &Value) -> Vec<String> {
    matrix["names"].as_array().expect("names").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// The record's batch without dates, which no feature of the reference reads.
fn recorded_batch(record: &Value) -> aml_miner::wire::Batch {
    let mut record = record.clone();
    for table in ["alerts", "features", "clusters"] {
        for row in record[table].as_array_mut().expect("rows") {
            row.as_object_mut().expect("a row").remove("processing_date");
        }
    }
    batch(&record)
}

fn must_match(found: &Matrix, expected: &Value) {
    let (names, rows) = (names(expected), expected["rows"].as_array().expect("rows"));
    assert_eq!((found.rows(), found.columns()), (rows.len(), names.len()));
    for (row, cells) in rows.iter().enumerate() {
        for (column, name) in names.iter().enumerate() {
            let (found, expected) = (found.row(row)[column], cells[column].as_f64().unwrap_or(f64::NAN));
            let alike = (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= 1e-12 * expected.abs();
            assert!(alike, "row {row}, {name}: found {found}, expected {expected}");
        }
    }
}

#[test]
fn alert_rows_equal_the_reference() {
    let record = record();
    let schema = Schema::new(RowKind::Alert, names(&record["alert_matrix"]));
    let built = FeatureBuilder::new(&schema).expect("known names").alerts(&recorded_batch(&record)).expect("a matrix");
    assert_eq!(built.lacking, []);
    must_match(&built.matrix, &record["alert_matrix"]);
}

#[test]
fn cluster_rows_equal_the_reference() {
    let record = record();
    let schema = Schema::new(RowKind::Cluster, names(&record["cluster_matrix"]));
    let builder = FeatureBuilder::new(&schema).expect("known names");
    let built = builder.clusters(&recorded_batch(&record), None).expect("a matrix");
    must_match(&built.matrix, &record["cluster_matrix"]);
}

#[test]
fn the_names_of_the_reference_models_are_features() {
    let record = record();
    let all = |matrix: &str, prefix: &str| {
        let mut all = names(&record[matrix]);
        all.extend(TYPOLOGIES.iter().map(|typology| format!("{prefix}{typology}")));
        if matrix == "cluster_matrix" {
            let types = ["same_entity", "pattern", "network", "time_proximity"];
            all.extend(types.iter().map(|kind| format!("cluster_type_{kind}")));
        }
        all.sort();
        all.dedup();
        all
    };
    let alert = all("alert_matrix", "typology_");
    let cluster = all("cluster_matrix", "mean_typology_");
    assert_eq!((alert.len(), cluster.len()), (114, 126));
    assert!(FeatureBuilder::new(&Schema::new(RowKind::Alert, alert)).is_ok());
    assert!(FeatureBuilder::new(&Schema::new(RowKind::Cluster, cluster)).is_ok());
}
