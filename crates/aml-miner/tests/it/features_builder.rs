//! What a builder guarantees for any schema and batch.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use aml_miner::features::{
    BuildError, FeatureBuilder, Group, Lacking, RowKind, SCHEMA_VERSION, Schema, SchemaError, families, features,
};
use aml_miner::models::TreeModel;
use aml_miner::models::bundle::ModelKind;
use aml_miner::scoring::{Prepared, Stop};
use aml_miner::wire::Batch;
use serde_json::json;

use crate::features_support::{alert_builder, alerts, batch, cluster_builder, must_equal};

#[test]
fn every_name_of_the_catalogue_resolves_and_is_listed_once() {
    for rows in [RowKind::Alert, RowKind::Cluster] {
        let names: Vec<_> = features(rows).iter().map(|feature| feature.name.to_string()).collect();
        let schema = Schema::new(rows, names);
        assert!(FeatureBuilder::new(&schema).is_ok(), "{rows:?}");
        assert!(features(rows).iter().all(|feature| feature.doc.ends_with('.')));
    }
    assert!(!families(RowKind::Alert).is_empty());
}

#[test]
fn the_default_schemas_resolve_and_do_not_depend_on_the_batch() {
    for schema in [Schema::default_alert(), Schema::default_cluster()] {
        assert!(!schema.batch_relative());
        assert!(!FeatureBuilder::new(&schema).expect("known features").batch_relative());
        let first = FeatureBuilder::new(&schema);
        assert!(first.is_ok());
    }
}

#[test]
fn a_schema_says_when_it_compares_alerts_of_the_batch() {
    let relative = features(RowKind::Alert).iter().filter(|feature| feature.group == Group::BatchRelative);
    for feature in relative {
        assert!(Schema::new(RowKind::Alert, [feature.name.as_ref()]).batch_relative());
        assert!(Schema::new(RowKind::Alert, [format!("log_{}", feature.name)]).batch_relative());
        assert!(Schema::new(RowKind::Cluster, [format!("mean_{}", feature.name)]).batch_relative());
    }
    assert!(!Schema::new(RowKind::Alert, ["volume_usd"]).batch_relative());
}

#[test]
fn an_unknown_name_is_refused_with_the_names_that_look_like_it() {
    let schema = Schema::new(RowKind::Alert, ["volume_usd", "total_in_us", "severity_encode"]);
    let error = FeatureBuilder::new(&schema).err().expect("an error");
    let SchemaError::Unknown { column, name, closest, .. } = &error else { panic!("{error}") };
    assert_eq!((*column, name.as_str()), (1, "total_in_us"));
    assert_eq!(closest.first().map(String::as_str), Some("total_in_usd"));
    assert!(error.to_string().contains("did you mean `total_in_usd`"), "{error}");
}

#[test]
fn names_of_the_other_kind_of_row_are_unknown() {
    for (rows, name) in [
        (RowKind::Alert, "mean_volume_usd"),
        (RowKind::Alert, "score_mean"),
        (RowKind::Cluster, "severity_encoded"),
        (RowKind::Cluster, "address_mean_volume_usd"),
        (RowKind::Cluster, "address_mean_days_since_last_activity"),
        (RowKind::Alert, "typology_"),
        (RowKind::Alert, "log_"),
        (RowKind::Alert, "typology_fan\nin"),
        (RowKind::Alert, ""),
    ] {
        let error = FeatureBuilder::new(&Schema::new(rows, [name])).err();
        assert!(matches!(error, Some(SchemaError::Unknown { .. })), "{name}: {error:?}");
    }
}

#[test]
fn empty_duplicate_oversized_and_foreign_schemas_are_refused() {
    let refused = |schema: &Schema| FeatureBuilder::new(schema).err().expect("an error");
    assert_eq!(refused(&Schema::new(RowKind::Alert, [""; 0])), SchemaError::Empty);
    let twice = Schema::new(RowKind::Alert, ["volume_usd", "degree_in", "volume_usd"]);
    assert_eq!(refused(&twice), SchemaError::Duplicate { name: "volume_usd".into(), first: 0, second: 2 });
    let many = Schema::new(RowKind::Alert, (0..5000).map(|value| format!("typology_{value}")));
    assert_eq!(refused(&many), SchemaError::TooMany { found: 5000 });
    let foreign = Schema { version: SCHEMA_VERSION + 1, ..Schema::new(RowKind::Alert, ["volume_usd"]) };
    assert_eq!(refused(&foreign), SchemaError::Version { found: SCHEMA_VERSION + 1 });
    let long = Schema::new(RowKind::Alert, [format!("typology_{}", "x".repeat(10_000))]);
    assert!(refused(&long).to_string().len() < 400);
}

#[test]
fn a_lacking_column_is_missing_and_reported_and_refused_when_strict() {
    let batch = batch(&json!({"alerts": [{"alert_id": "a", "address": "x"}], "features": [{"address": "x"}]}));
    let names = ["volume_usd", "degree_in", "log_degree_in", "flow_in_usd", "severity_encoded"];
    let built = alerts(&names, &batch);
    assert!(built.matrix.values().iter().all(|value| value.is_nan()), "missing is never 0");
    let lacking = |table, column| Lacking { table, column };
    let expected = vec![
        lacking("alerts", "severity"),
        lacking("alerts", "volume_usd"),
        lacking("features", "degree_in"),
        lacking("money_flows", "from_address"),
        lacking("money_flows", "to_address"),
        lacking("money_flows", "amount_usd"),
    ];
    assert_eq!(built.lacking, expected);
    let strict = alert_builder(&names).strict(true).alerts(&batch);
    assert_eq!(strict, Err(BuildError::Lacking(expected)));
    assert!(alert_builder(&["in_cluster"]).strict(true).alerts(&batch).is_ok());
}

#[test]
fn tables_that_the_schema_does_not_read_are_not_asked_for() {
    let batch = batch(&json!({"alerts": [{"alert_id": "a", "volume_usd": 1}]}));
    assert_eq!(alerts(&["volume_usd"], &batch).lacking, []);
}

#[test]
fn rows_of_one_kind_are_not_built_from_a_schema_of_the_other() {
    let batch = Batch::empty();
    let error = alert_builder(&["volume_usd"]).clusters(&batch, None).expect_err("the other kind");
    assert_eq!(error.to_string(), "the model takes alert rows, not cluster rows");
    let error = cluster_builder(&["total_alerts"]).alerts(&batch).expect_err("the other kind");
    assert_eq!(error.to_string(), "the model takes cluster rows, not alert rows");
}

#[test]
fn a_batch_without_rows_gives_a_matrix_without_rows() {
    let batch = Batch::empty();
    let alerts = FeatureBuilder::new(&Schema::default_alert()).expect("known").alerts(&batch).expect("a matrix");
    assert_eq!(alerts.matrix.rows(), 0);
    let clusters = FeatureBuilder::new(&Schema::default_cluster()).expect("known");
    assert_eq!(clusters.clusters(&batch, Some(&[])).expect("a matrix").matrix.rows(), 0);
}

#[test]
fn work_that_nobody_waits_for_ends_at_the_next_column() {
    let batch = batch(&json!({
        "alerts": [{"alert_id": "1", "address": "x"}],
        "clusters": [{"cluster_id": "c", "related_alert_ids": ["1"], "addresses_involved": ["x"]}],
    }));
    let schemas = [Schema::default_alert(), Schema::default_cluster()];
    let [alert, cluster] = schemas.map(|schema| FeatureBuilder::new(&schema).expect("known"));
    for most in [0, 3] {
        let asked = Cell::new(0);
        let wanted = || asked.replace(asked.get() + 1) < most;
        assert_eq!(alert.alerts_while(&batch, &wanted), Err(BuildError::Stopped));
        assert_eq!(asked.take(), most + 1);
        assert_eq!(cluster.clusters_while(&batch, None, &wanted), Err(BuildError::Stopped));
        assert_eq!(asked.get(), most + 1);
    }

    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../trained_models/alert_scorer_v1.0.0.txt");
    let model = TreeModel::load(Path::new(shipped), ModelKind::AlertScorer).expect("loads");
    let (prepared, stop) = (Prepared::new(Arc::new(model), None).expect("known"), Stop::default());
    let [until, whole] = [prepared.matrix_until(&batch, None, &stop), prepared.matrix(&batch, None)];
    must_equal(until.expect("a matrix").values(), whole.expect("a matrix").values());
    stop.set();
    assert_eq!(prepared.matrix_until(&batch, None, &stop), Err(BuildError::Stopped));
}
