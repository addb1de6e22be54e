//! Features of an alert, its address and its cluster, against values worked out by hand.

use serde_json::json;

use crate::features_support::{alerts, batch, must_equal, of_alerts};

const NAN: f64 = f64::NAN;

fn small() -> aml_miner::wire::Batch {
    batch(&json!({
        "alerts": [
            {"alert_id": "a1", "address": "x", "severity": "low", "alert_confidence_score": 0.25, "volume_usd": "1.5",
             "risk_indicators": ["night", "rapid"], "pattern_id": "p", "pattern_type": "cycle", "typology_type": "fan_in",
             "window_days": 7, "processing_date": 20_000, "suspected_address_type": "mixer"},
            {"alert_id": "a2", "address": "gone", "severity": "critical", "alert_confidence_score": 1, "volume_usd": 0,
             "risk_indicators": [], "pattern_id": "", "typology_type": "", "window_days": 7, "processing_date": 20_000},
            {"alert_id": "a3", "address": "y", "severity": "medium", "volume_usd": 10, "typology_type": "peel_chain",
             "window_days": 0, "processing_date": 20_000},
        ],
        "features": [
            {"address": "y", "degree_in": 3, "total_in_usd": 100, "total_out_usd": 0, "total_volume_usd": 100,
             "is_mixer_like": true, "dominant_asset_in": "TAO", "last_activity_timestamp": 1_727_956_800_000_i64,
             "hourly_activity": [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
             "daily_activity": [1, 1, 1, 1, 1, 1, 1]},
            {"address": "x", "total_in_usd": 50, "total_out_usd": 25, "total_volume_usd": 75, "net_flow_usd": -9,
             "is_mixer_like": false},
            {"address": "x", "total_in_usd": 1_000_000},
        ],
        "clusters": [
            {"cluster_id": "c1", "cluster_type": "pattern", "related_alert_ids": ["a3", "elsewhere"],
             "addresses_involved": ["y", "z", "w"], "total_alerts": 2, "total_volume_usd": "12", "severity_max": "high",
             "confidence_avg": 0.5, "earliest_alert_timestamp": 0, "latest_alert_timestamp": 5_400_000},
            {"cluster_id": "c2", "cluster_type": "proximity", "related_alert_ids": ["a3"], "total_alerts": 1},
        ],
    }))
}

#[test]
fn alert_columns_become_numbers() {
    let batch = small();
    must_equal(&of_alerts("severity_encoded", &batch), &[1.0, 4.0, 2.0]);
    must_equal(&of_alerts("alert_confidence_score", &batch), &[0.25, 1.0, NAN]);
    must_equal(&of_alerts("volume_usd", &batch), &[1.5, 0.0, 10.0]);
    must_equal(&of_alerts("log_volume_usd", &batch), &[1.5_f64.ln_1p(), 0.0, 10.0_f64.ln_1p()]);
    must_equal(&of_alerts("risk_indicator_count", &batch), &[2.0, 0.0, 0.0]);
    must_equal(&of_alerts("has_pattern", &batch), &[1.0, 0.0, 0.0]);
    must_equal(&of_alerts("has_suspected_type", &batch), &[1.0, 0.0, 0.0]);
    must_equal(&of_alerts("volume_per_window_day", &batch), &[1.5 / 7.0, 0.0, NAN]);
}

#[test]
fn any_value_of_a_text_column_has_a_feature_of_its_own() {
    let batch = small();
    must_equal(&of_alerts("typology_fan_in", &batch), &[1.0, NAN, 0.0]);
    must_equal(&of_alerts("typology_of_a_fork", &batch), &[0.0, NAN, 0.0]);
    must_equal(&of_alerts("pattern_cycle", &batch), &[1.0, 0.0, 0.0]);
    must_equal(&of_alerts("suspected_type_mixer", &batch), &[1.0, 0.0, 0.0]);
    must_equal(&of_alerts("risk_indicator_rapid", &batch), &[1.0, 0.0, 0.0]);
    must_equal(&of_alerts("dominant_asset_in_TAO", &batch), &[NAN, NAN, 1.0]);
    must_equal(&of_alerts("cluster_type_pattern", &batch), &[NAN, NAN, 1.0]);
}

#[test]
fn address_columns_are_joined_by_address_and_the_first_row_counts() {
    let batch = small();
    must_equal(&of_alerts("total_in_usd", &batch), &[50.0, NAN, 100.0]);
    must_equal(&of_alerts("degree_in", &batch), &[NAN, NAN, 3.0]);
    must_equal(&of_alerts("is_mixer_like", &batch), &[0.0, NAN, 1.0]);
    must_equal(&of_alerts("log_total_in_usd", &batch), &[50.0_f64.ln_1p(), NAN, 100.0_f64.ln_1p()]);
    must_equal(&of_alerts("log_net_flow_usd", &batch), &[-(9.0_f64.ln_1p()), NAN, NAN]);
}

#[test]
fn a_ratio_over_zero_or_over_nothing_is_missing() {
    let batch = small();
    must_equal(&of_alerts("in_out_usd_ratio", &batch), &[2.0, NAN, NAN]);
    must_equal(&of_alerts("in_usd_share", &batch), &[50.0 / 75.0, NAN, 1.0]);
    must_equal(&of_alerts("alert_volume_share", &batch), &[0.02, NAN, 0.1]);
    must_equal(&of_alerts("days_since_last_activity", &batch), &[NAN, NAN, 0.5]);
}

#[test]
fn activity_lists_become_shares() {
    let batch = small();
    must_equal(&of_alerts("hourly_activity_max_share", &batch), &[NAN, NAN, 0.25]);
    must_equal(&of_alerts("hourly_activity_used_share", &batch), &[NAN, NAN, 4.0 / 24.0]);
    must_equal(&of_alerts("hourly_activity_night_share", &batch), &[NAN, NAN, 0.5]);
    must_equal(&of_alerts("hourly_activity_entropy", &batch), &[NAN, NAN, 4.0_f64.ln() / 24.0_f64.ln()]);
    must_equal(&of_alerts("daily_activity_entropy", &batch), &[NAN, NAN, 1.0]);
}

#[test]
fn an_alert_takes_the_first_cluster_that_names_it() {
    let batch = small();
    must_equal(&of_alerts("in_cluster", &batch), &[0.0, 0.0, 1.0]);
    must_equal(&of_alerts("cluster_total_alerts", &batch), &[NAN, NAN, 2.0]);
    must_equal(&of_alerts("cluster_total_volume_usd", &batch), &[NAN, NAN, 12.0]);
    must_equal(&of_alerts("cluster_severity_max", &batch), &[NAN, NAN, 3.0]);
    must_equal(&of_alerts("cluster_confidence_avg", &batch), &[NAN, NAN, 0.5]);
    must_equal(&of_alerts("cluster_address_count", &batch), &[NAN, NAN, 3.0]);
    must_equal(&of_alerts("cluster_span_hours", &batch), &[NAN, NAN, 1.5]);
    must_equal(&of_alerts("cluster_volume_per_alert", &batch), &[NAN, NAN, 6.0]);
    must_equal(&of_alerts("cluster_alerts_per_address", &batch), &[NAN, NAN, 2.0 / 3.0]);
}

#[test]
fn a_batch_without_clusters_has_no_alert_in_one() {
    let batch = batch(&json!({"alerts": [{"alert_id": "a"}]}));
    let built = alerts(&["in_cluster", "cluster_total_alerts"], &batch);
    must_equal(built.matrix.values(), &[0.0, NAN]);
    assert_eq!(built.lacking, []);
}

#[test]
fn batch_relative_features_compare_with_the_whole_batch() {
    let rows = json!([
        {"alert_id": "a", "volume_usd": 1, "alert_confidence_score": 0.5},
        {"alert_id": "b", "volume_usd": 3, "alert_confidence_score": 0.5},
        {"alert_id": "c", "volume_usd": 3, "alert_confidence_score": 0.5},
        {"alert_id": "d", "volume_usd": null, "alert_confidence_score": 0.5},
    ]);
    let batch = batch(&json!({"alerts": rows}));
    let deviation = (8.0_f64 / 9.0).sqrt();
    must_equal(&of_alerts("volume_percentile", &batch), &[0.5 / 3.0, 2.0 / 3.0, 2.0 / 3.0, NAN]);
    let mean = 7.0 / 3.0;
    let expected = [(1.0 - mean) / deviation, (3.0 - mean) / deviation, (3.0 - mean) / deviation, NAN];
    must_equal(&of_alerts("volume_zscore", &batch), &expected);
    must_equal(&of_alerts("confidence_percentile", &batch), &[0.5; 4]);
    must_equal(&of_alerts("confidence_zscore", &batch), &[NAN; 4]);
}
