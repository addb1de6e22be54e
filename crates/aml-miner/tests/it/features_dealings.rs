//! Features of counterparties: whose they are, what is left out, and that neither order nor the other alerts change a bit.

use aml_miner::features::{Built, FeatureBuilder, RowKind, Schema, SchemaError};
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::Batch;
use serde_json::{Value, json};

use crate::features_support::{alerts, batch, must_equal, of_alerts, of_clusters};

const NAN: f64 = f64::NAN;
/// 1 January 2026.
const DAY: f64 = 20_454.0;
const DAY_MS: f64 = 86_400_000.0;

fn address(name: &str, degree: i64, age: f64) -> Value {
    json!({"address": name, "degree_in": degree, "is_exchange_like": name == "exch", "processing_date": DAY,
           "first_activity_timestamp": (DAY - age) * DAY_MS})
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from_address": from, "to_address": to, "amount_usd": 10.0})
}

/// `x` received from a (twice), b, an exchange, itself and one that `features` does not have; it sent to b and to the exchange.
fn world() -> Batch {
    let edges =
        [("a", "x"), ("a", "x"), ("b", "x"), ("exch", "x"), ("x", "x"), ("nobody", "x"), ("x", "b"), ("x", "exch")];
    batch(&json!({
        "alerts": [{"alert_id": "1", "address": "x"}, {"alert_id": "2", "address": "quiet"}, {"alert_id": "3"},
                   {"alert_id": "4", "address": "a"}],
        "features": [address("x", 5, 9.0), address("a", 2, 1.0), address("b", 6, 3.0), address("exch", 900, 400.0),
                     address("a", 77, 77.0)],
        "clusters": [{"cluster_id": "c", "related_alert_ids": ["1", "4"], "addresses_involved": ["x", "a"]}],
        "money_flows": edges.map(|(from, to)| edge(from, to)),
    }))
}

#[test]
fn a_counterparty_counts_once_and_exchanges_and_strangers_do_not_count() {
    let world = world();
    must_equal(&of_alerts("senders_mean_degree_in", &world), &[4.0, NAN, NAN, NAN]);
    must_equal(&of_alerts("senders_max_degree_in", &world), &[6.0, NAN, NAN, NAN]);
    must_equal(&of_alerts("senders_min_address_age_days", &world), &[1.0, NAN, NAN, NAN]);
    must_equal(&of_alerts("recipients_mean_degree_in", &world), &[6.0, NAN, NAN, 5.0]);
    must_equal(&of_alerts("recipients_max_address_age_days", &world), &[3.0, NAN, NAN, 9.0]);
    // A ratio of the counterparty's own columns, and a logarithm of the figure.
    must_equal(&of_alerts("log_recipients_mean_degree_in", &world), &[7.0_f64.ln(), NAN, NAN, 6.0_f64.ln()]);
    must_equal(&of_clusters("mean_senders_mean_degree_in", &world, None), &[4.0]);
    must_equal(&of_clusters("address_max_recipients_mean_degree_in", &world, None), &[6.0]);
}

#[test]
fn what_is_not_given_is_missing() {
    let mut without = world();
    without.money_flows = batch(&json!({})).money_flows;
    must_equal(&of_alerts("senders_mean_degree_in", &without), &[NAN; 4]);
    let lacking = alerts(&["senders_mean_degree_in"], &without).lacking;
    assert!(lacking.iter().any(|one| one.table == "money_flows" && one.column == "from_address"), "{lacking:?}");
    let mut without = world();
    without.features = batch(&json!({})).features;
    must_equal(&of_alerts("senders_mean_degree_in", &without), &[NAN; 4]);
}

#[test]
fn only_what_the_row_of_features_decides_can_be_asked_of_counterparties() {
    for name in [
        "senders_mean_volume_usd",
        "senders_mean_days_since_first_activity",
        "senders_mean_flow_in_usd",
        "senders_sum_degree_in",
        "senders_degree_in",
        "senders_mean_senders_mean_degree_in",
        "recipients_max_in_cluster",
        "recipients_min_volume_zscore",
    ] {
        let refused = FeatureBuilder::new(&Schema::new(RowKind::Alert, [name]));
        assert!(matches!(refused, Err(SchemaError::Unknown { .. })), "{name}");
    }
}

#[test]
fn neither_the_order_of_edges_nor_the_other_alerts_change_a_bit() {
    let config = SynthConfig { alerts: 80, addresses: 600, ..SynthConfig::default() };
    let day = generate(&config).expect("a right configuration").next().expect("a day");
    let names = [
        "senders_mean_total_in_usd",
        "senders_max_address_age_days",
        "recipients_mean_velocity_score",
        "recipients_min_degree_in",
    ];
    let bits = |batch: &Batch| -> Vec<u64> {
        alerts(&names, batch).matrix.values().iter().map(|value| value.to_bits()).collect()
    };
    let whole = bits(&day.batch);
    assert!(alerts(&names, &day.batch).matrix.values().iter().filter(|value| !value.is_nan()).count() > 160);
    let mut turned = day.batch.clone();
    let edges: Vec<usize> = (0..turned.money_flows.rows()).rev().collect();
    turned.money_flows = turned.money_flows.take(&edges);
    assert_eq!(bits(&turned), whole);
    let mut part = day.batch.clone();
    part.alerts = part.alerts.take(&(40..80).collect::<Vec<_>>());
    assert_eq!(bits(&part), whole[40 * names.len()..]);
}

/// Work is counted by ending at all: alerts times counterparties would be 400 million values for each of the columns.
#[test]
fn a_hub_with_many_alerts_costs_no_more_than_its_edges() {
    const MANY: usize = 20_000;
    let schema = Schema::default_alert();
    let of_others = |name: &&String| name.contains("senders_") || name.contains("recipients_");
    let mut names: Vec<&str> = schema.features.iter().filter(of_others).map(String::as_str).collect();
    names.push("senders_mean_degree_in");
    let others = || (0..MANY).map(|number| format!("other{number}"));
    let world = |alerts: usize| {
        batch(&json!({
            "alerts": (0..alerts).map(|row| json!({"alert_id": row.to_string(), "address": "hub"})).collect::<Vec<_>>(),
            "features": others().zip(1..).map(|(name, degree)| address(&name, degree, 9.0)).collect::<Vec<_>>(),
            "money_flows": others()
                .flat_map(|name| [edge(&name, "hub"), edge("hub", &name)])
                .collect::<Vec<_>>(),
        }))
    };
    let bits = |built: &Built| built.matrix.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let many = bits(&alerts(&names, &world(MANY)));
    let one = bits(&alerts(&names, &world(1)));
    assert!(names.len() > 20 && many.chunks_exact(names.len()).all(|row| row == one));
    must_equal(&[f64::from_bits(one[names.len() - 1])], &[10_000.5]);
}
