//! The rows of clusters, against values worked out by hand.

use aml_miner::features::BuildError;
use aml_miner::wire::Batch;
use serde_json::{Value, json};

use crate::features_support::{batch, cluster_builder, must_equal, of_clusters};

const NAN: f64 = f64::NAN;

fn alert(id: &str, address: &str, severity: &str, volume: Value) -> Value {
    let typology = if address == "x" { "fan_in" } else { "layering" };
    json!({"alert_id": id, "address": address, "severity": severity, "volume_usd": volume, "typology_type": typology,
           "pattern_id": ""})
}

fn small() -> Batch {
    batch(&json!({
        "alerts": [
            alert("a", "x", "low", json!(1)),
            alert("b", "x", "high", json!(3)),
            alert("c", "y", "low", json!(8)),
            alert("d", "y", "low", json!(null)),
            alert("alone", "z", "critical", json!(1e9)),
        ],
        "features": [
            {"address": "x", "degree_in": 4, "is_mixer_like": false},
            {"address": "y", "degree_in": 10, "is_mixer_like": true},
        ],
        "clusters": [
            {"cluster_id": "1", "cluster_type": "pattern", "related_alert_ids": ["d", "a", "b", "c", "b"],
             "addresses_involved": ["y", "x", "y", "unknown"], "total_alerts": 4, "total_volume_usd": 12,
             "severity_max": "high", "confidence_avg": 0.5, "earliest_alert_timestamp": 0,
             "latest_alert_timestamp": 7_200_000, "pattern_id": "p"},
            {"cluster_id": "2", "cluster_type": "proximity", "related_alert_ids": ["elsewhere"],
             "addresses_involved": []},
        ],
    }))
}

fn of(name: &str) -> Vec<f64> {
    of_clusters(name, &small(), None)
}

#[test]
fn a_cluster_has_one_row_with_its_own_columns() {
    must_equal(&of("total_alerts"), &[4.0, NAN]);
    must_equal(&of("total_volume_usd"), &[12.0, NAN]);
    must_equal(&of("log_total_volume_usd"), &[12.0_f64.ln_1p(), NAN]);
    must_equal(&of("severity_max"), &[3.0, NAN]);
    must_equal(&of("address_count"), &[4.0, 0.0]);
    must_equal(&of("span_hours"), &[2.0, NAN]);
    must_equal(&of("has_pattern"), &[1.0, 0.0]);
    must_equal(&of("cluster_type_pattern"), &[1.0, 0.0]);
}

#[test]
fn alert_features_are_aggregated_over_the_alerts_that_are_known() {
    let deviation = ((9.0 + 1.0 + 16.0) / 3.0_f64).sqrt();
    must_equal(&of("mean_volume_usd"), &[4.0, NAN]);
    must_equal(&of("max_volume_usd"), &[8.0, NAN]);
    must_equal(&of("min_volume_usd"), &[1.0, NAN]);
    must_equal(&of("sum_volume_usd"), &[12.0, NAN]);
    must_equal(&of("std_volume_usd"), &[deviation, NAN]);
    must_equal(&of("mean_severity_encoded"), &[1.5, NAN]);
    must_equal(&of("mean_degree_in"), &[7.0, NAN]);
    must_equal(&of("mean_typology_fan_in"), &[0.5, NAN]);
    must_equal(&of("log_sum_volume_usd"), &[12.0_f64.ln_1p(), NAN]);
}

#[test]
fn address_features_are_aggregated_over_the_addresses_each_once() {
    must_equal(&of("address_mean_degree_in"), &[7.0, NAN]);
    must_equal(&of("address_max_degree_in"), &[10.0, NAN]);
    must_equal(&of("address_min_degree_in"), &[4.0, NAN]);
    must_equal(&of("address_sum_degree_in"), &[14.0, NAN]);
    must_equal(&of("address_std_degree_in"), &[3.0, NAN]);
    must_equal(&of("address_mean_is_mixer_like"), &[0.5, NAN]);
}

#[test]
fn the_agreement_of_the_alerts_is_measured() {
    must_equal(&of("alerts_found"), &[4.0, 0.0]);
    must_equal(&of("alerts_found_share"), &[1.0, 0.0]);
    must_equal(&of("typology_coherence"), &[0.5, NAN]);
    must_equal(&of("typology_count"), &[2.0, 0.0]);
    must_equal(&of("severity_coherence"), &[0.75, NAN]);
    must_equal(&of("pattern_coherence"), &[NAN, NAN]);
    must_equal(&of("alerted_address_count"), &[2.0, 0.0]);
}

#[test]
fn scores_of_the_alerts_are_missing_until_they_are_given() {
    let scores = [0.5, 0.2, NAN, 0.9, 1.0];
    let of = |name| of_clusters(name, &small(), Some(&scores));
    must_equal(&of_clusters("score_mean", &small(), None), &[NAN, NAN]);
    must_equal(&of("score_mean"), &[1.6 / 3.0, NAN]);
    must_equal(&of("score_max"), &[0.9, NAN]);
    must_equal(&of("score_min"), &[0.2, NAN]);
    must_equal(&of("score_sum"), &[1.6, NAN]);
    must_equal(&of("score_top3_mean"), &[1.6 / 3.0, NAN]);
    must_equal(&of("score_any"), &[1.0 - 0.5 * 0.8 * 0.1, NAN]);
}

#[test]
fn scores_that_do_not_fit_the_alerts_are_refused() {
    let error = cluster_builder(&["score_mean"]).clusters(&small(), Some(&[0.5]));
    assert_eq!(error, Err(BuildError::Scores { expected: 5, found: 1 }));
}
