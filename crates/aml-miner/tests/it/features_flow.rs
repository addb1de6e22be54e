//! Features of the money flows, against values worked out by hand.

use aml_miner::wire::Batch;
use serde_json::{Value, json};

use crate::features_support::{batch, must_equal, of_alerts};

const NAN: f64 = f64::NAN;
const HOUR: i64 = 3_600_000;

fn edge(from: &str, to: &str, usd: f64, at_hour: i64) -> Value {
    json!({"from_address": from, "to_address": to, "amount_usd": usd, "tx_count": 2, "first_seen": at_hour * HOUR,
           "last_seen": at_hour * HOUR})
}

fn world(edges: &[Value]) -> Batch {
    batch(&json!({
        "alerts": [{"alert_id": "1", "address": "x"}, {"alert_id": "2", "address": "quiet"}, {"alert_id": "3"}],
        "features": [
            {"address": "x", "is_mixer_like": false, "is_exchange_like": false},
            {"address": "mix", "is_mixer_like": true, "is_exchange_like": false},
            {"address": "exch", "is_mixer_like": false, "is_exchange_like": true},
        ],
        "money_flows": edges,
    }))
}

fn first_of(name: &str, edges: &[Value]) -> f64 {
    of_alerts(name, &world(edges))[0]
}

fn network() -> Vec<Value> {
    vec![
        edge("a", "x", 10.0, 0),
        edge("a", "x", 30.0, 2),
        edge("b", "x", 60.0, 4),
        edge("x", "b", 25.0, 5),
        edge("x", "exch", 75.0, 6),
        edge("b", "mix", 1.0, 7),
        edge("x", "x", 1e9, 8),
        edge("mix", "far", 5.0, 9),
    ]
}

#[test]
fn sums_means_and_deviations_are_per_direction_and_leave_out_transfers_to_oneself() {
    let of = |name| first_of(name, &network());
    let mean = 100.0 / 3.0;
    let squares = (10.0 - mean) * (10.0 - mean) + (30.0 - mean) * (30.0 - mean) + (60.0 - mean) * (60.0 - mean);
    must_equal(&[of("flow_in_usd"), of("flow_out_usd"), of("flow_net_usd")], &[100.0, 100.0, 0.0]);
    must_equal(&[of("flow_in_mean_usd"), of("flow_out_mean_usd")], &[mean, 50.0]);
    must_equal(&[of("flow_in_std_usd"), of("flow_out_std_usd")], &[(squares / 3.0).sqrt(), 25.0]);
    must_equal(&[of("flow_in_max_usd"), of("flow_out_max_usd"), of("flow_in_out_ratio")], &[60.0, 75.0, 1.0]);
    must_equal(&[of("flow_in_per_sender_usd"), of("flow_out_per_recipient_usd")], &[50.0, 50.0]);
    must_equal(&[of("flow_in_tx"), of("flow_out_tx"), of("flow_span_hours")], &[6.0, 4.0, 6.0]);
}

#[test]
fn degrees_count_counterparties_not_edges() {
    let of = |name| first_of(name, &network());
    must_equal(&[of("flow_in_degree"), of("flow_out_degree"), of("flow_degree")], &[2.0, 2.0, 3.0]);
    must_equal(&[of("flow_reciprocity")], &[1.0 / 3.0]);
    must_equal(&[of("flow_in_top_share"), of("flow_out_top_share")], &[0.6, 0.75]);
}

#[test]
fn flagged_addresses_are_reached_in_two_hops() {
    let of = |name| first_of(name, &network());
    must_equal(&[of("flow_flagged_1hop"), of("flow_flagged_2hop")], &[0.0, 1.0]);
    must_equal(&[of("flow_flagged_2hop_share"), of("flow_out_exchange_share")], &[1.0 / 3.0, 0.75]);
    let near = [edge("mix", "x", 1.0, 0), edge("a", "x", 3.0, 0)];
    must_equal(&[first_of("flow_flagged_1hop", &near), first_of("flow_flagged_2hop", &near)], &[1.0, 0.0]);
    must_equal(&[first_of("flow_in_flagged_share", &near), first_of("flow_in_exchange_share", &near)], &[0.25, 0.0]);
}

#[test]
fn a_flagged_address_does_not_reach_itself() {
    let flows = json!([edge("mix", "a", 1.0, 0), edge("b", "mix", 1.0, 0)]);
    let features = json!([{"address": "mix", "is_mixer_like": true}]);
    let world = batch(&json!({"alerts": [{"alert_id": "1", "address": "mix"}], "features": features,
        "money_flows": flows}));
    must_equal(&of_alerts("flow_flagged_2hop", &world), &[0.0]);
}

#[test]
fn money_passed_on_is_counted_once_and_only_within_a_day() {
    let share = |edges: &[Value]| first_of("flow_passed_on_1d", edges);
    let (received, late) = (edge("a", "x", 100.0, 0), edge("x", "b", 100.0, 25));
    must_equal(&[share(&[received.clone(), edge("x", "b", 40.0, 24)])], &[0.4]);
    must_equal(&[share(&[received.clone(), late])], &[0.0]);
    must_equal(&[share(&[edge("a", "x", 100.0, 5), edge("x", "b", 40.0, 4)])], &[0.0]);
    let twice = [received.clone(), edge("x", "b", 70.0, 1), edge("x", "c", 70.0, 2)];
    must_equal(&[share(&twice)], &[1.0]);
    let oldest_first = [received, edge("a", "x", 100.0, 20), edge("x", "b", 150.0, 23), edge("x", "b", 60.0, 30)];
    must_equal(&[share(&oldest_first)], &[1.0]);
    must_equal(&[share(&[edge("x", "b", 40.0, 24)])], &[NAN]);
}

#[test]
fn an_address_without_flows_has_none_and_no_address_is_missing() {
    let world = world(&network());
    must_equal(&of_alerts("flow_degree", &world)[1..], &[0.0, NAN]);
    must_equal(&of_alerts("flow_in_usd", &world)[1..], &[0.0, NAN]);
    must_equal(&of_alerts("flow_in_tx", &world)[1..], &[0.0, NAN]);
    must_equal(&of_alerts("flow_flagged_1hop", &world)[1..], &[0.0, NAN]);
    for name in ["flow_in_mean_usd", "flow_in_std_usd", "flow_in_top_share", "flow_passed_on_1d", "flow_reciprocity"] {
        must_equal(&of_alerts(name, &world)[1..], &[NAN, NAN]);
    }
}

#[test]
fn unknown_amounts_and_lacking_columns_are_not_zero() {
    let unknown = [json!({"from_address": "a", "to_address": "x", "amount_usd": null, "tx_count": null})];
    for name in ["flow_in_usd", "flow_in_mean_usd", "flow_in_max_usd", "flow_in_tx", "flow_passed_on_1d"] {
        must_equal(&[first_of(name, &unknown)], &[NAN]);
    }
    must_equal(&[first_of("flow_in_degree", &unknown), first_of("flow_out_usd", &unknown)], &[1.0, 0.0]);
    let bare = [json!({"from_address": "a", "to_address": "x"})];
    for name in ["flow_in_usd", "flow_out_usd", "flow_in_tx", "flow_out_tx", "flow_span_hours"] {
        must_equal(&[first_of(name, &bare)], &[NAN]);
    }
    let unflagged = batch(&json!({"alerts": [{"alert_id": "1", "address": "x"}], "features": [{"address": "x"}],
        "money_flows": [edge("a", "x", 1.0, 0)]}));
    for name in ["flow_flagged_1hop", "flow_flagged_2hop", "flow_in_flagged_share", "flow_in_exchange_share"] {
        must_equal(&of_alerts(name, &unflagged), &[NAN]);
    }
}
