//! What no schema of the builder may depend on: the other alerts, the order of rows and columns, the threads.

use std::sync::{Arc, LazyLock};

use aml_miner::features::{FeatureBuilder, Group, Matrix, RowKind, Schema, features};
use aml_miner::history::{History, Running};
use aml_miner::wire::{Batch, Needs};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::features_support::batch;

const ADDRESSES: usize = 12;
const DAY: i32 = 20_000;
const FIXED: [&str; 7] = [
    "typology_fan_in",
    "pattern_cycle",
    "risk_indicator_night",
    "cluster_type_pattern",
    "dominant_asset_in_TAO",
    "log_kcore",
    "senders_mean_history_alerts_30d",
];

/// Every feature of alert rows that does not compare alerts.
fn alert_schema() -> Schema {
    let own = features(RowKind::Alert).iter().filter(|feature| feature.group != Group::BatchRelative);
    Schema::new(RowKind::Alert, own.map(|feature| feature.name.to_string()).chain(FIXED.map(str::to_owned)))
}

fn address() -> impl Strategy<Value = String> {
    (0..ADDRESSES).prop_map(|number| if number == 0 { String::new() } else { format!("addr{number}") })
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 6 => (0.0..1e9_f64).prop_map(Value::from), 1 => Just(json!(0))]
}

prop_compose! {
    fn alert()(address in address(), volume in number(), severity in 0..4_usize, kind in 0..3_usize,
               confidence in 0.0..1.0_f64) -> Value {
        let severity = aml_miner::wire::spec::SEVERITIES[severity];
        let typology = ["fan_in", "layering", ""][kind];
        json!({"address": address, "volume_usd": volume, "severity": severity, "typology_type": typology,
               "pattern_type": if kind == 1 { "cycle" } else { "" }, "alert_confidence_score": confidence,
               "risk_indicators": vec!["night"; kind], "window_days": 7, "processing_date": DAY})
    }
}

fn address_row(name: usize, numbers: &[Value]) -> Value {
    let spec = &aml_miner::wire::spec::FEATURES;
    let mut row =
        json!({"address": format!("addr{name}"), "dominant_asset_in": if name.is_multiple_of(2) { "TAO" } else { "" }});
    let own = spec.columns.iter().skip(3).filter(|column| column.kind.is_number());
    for (column, number) in own.zip(numbers.iter().cycle()) {
        row[column.name] = number.clone();
    }
    row["processing_date"] = json!(DAY);
    row["is_mixer_like"] = json!(name.is_multiple_of(3));
    row["is_exchange_like"] = json!(name.is_multiple_of(5));
    row["hourly_activity"] = json!((0..24).map(|hour| (hour * name) % 7).collect::<Vec<_>>());
    row
}

prop_compose! {
    fn edge()(from in address(), to in address(), usd in number(), at in 0..200_000_000_i64, tx in number()) -> Value {
        json!({"from_address": from, "to_address": to, "amount_usd": usd, "tx_count": tx, "first_seen": at,
               "last_seen": at})
    }
}

prop_compose! {
    /// A batch in which every alert is in one cluster at most, and the addresses of some alerts have no features.
    fn world()(mut alerts in prop::collection::vec(alert(), 1..40), numbers in prop::collection::vec(number(), 7),
               edges in prop::collection::vec(edge(), 0..60)) -> Value {
        for (row, alert) in alerts.iter_mut().enumerate() {
            alert["alert_id"] = json!(format!("alert{row}"));
        }
        let features: Vec<_> = (1..ADDRESSES - 2).map(|name| address_row(name, &numbers[name % 7..])).collect();
        let cluster = |number: usize| {
            let members: Vec<_> = (0..alerts.len()).filter(|row| row % 4 == number).collect();
            let addresses: Vec<_> = members.iter().map(|&row| alerts[row]["address"].clone()).collect();
            let ids: Vec<_> = members.iter().map(|row| format!("alert{row}")).collect();
            json!({"cluster_id": number.to_string(), "cluster_type": "pattern", "related_alert_ids": ids,
                   "addresses_involved": addresses, "total_alerts": ids.len(), "severity_max": "low"})
        };
        let clusters: Vec<_> = (0..3).map(cluster).collect();
        json!({"alerts": alerts, "features": features, "clusters": clusters, "money_flows": edges})
    }
}

/// What ten days before say of some of the addresses.
fn state() -> Arc<History> {
    static STATE: LazyLock<Arc<History>> = LazyLock::new(|| {
        let mut running = Running::default();
        for day in DAY - 10..DAY {
            let of =
                |name: i32| json!({"alert_id": name.to_string(), "address": format!("addr{name}"), "severity": "high"});
            let seen = |name: i32| json!({"address": format!("addr{name}"), "total_volume_usd": name * day});
            let (alerts, rows) = ((0..9).filter(|name| (name + day) % 3 == 0).map(of), (1..8).map(seen));
            let batch = json!({"alerts": alerts.collect::<Vec<_>>(), "features": rows.collect::<Vec<_>>()});
            running.then(day, &self::batch(&batch));
        }
        running.finish()
    });
    Arc::clone(&STATE)
}

fn build(schema: &Schema, batch: &Batch) -> Matrix {
    let builder = FeatureBuilder::new(schema).expect("known names").knowing(Some(state()));
    match schema.rows {
        RowKind::Alert => builder.alerts(batch).expect("a matrix").matrix,
        RowKind::Cluster => {
            let scores: Vec<f64> = batch.alerts.texts("alert_id").expect("ids").iter().map(score).collect();
            builder.clusters(batch, Some(&scores)).expect("a matrix").matrix
        }
    }
}

/// A score that depends on the alert alone.
fn score(id: &str) -> f64 {
    f64::from(id.bytes().map(u32::from).sum::<u32>() % 97) / 97.0
}

fn row_bits(matrix: &Matrix, row: usize) -> Vec<u64> {
    let bits = |value: &f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    matrix.row(row).iter().map(bits).collect()
}

fn permutation(rows: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(|&row| {
        (row as u64 + 1).wrapping_mul(seed | 1).rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    order
}

/// Every table in another order, and every list of a cluster.
fn shuffled(world: &Value, seed: u64) -> Value {
    let mut world = world.clone();
    for (table, salt) in [("features", 1), ("clusters", 2), ("money_flows", 3)] {
        let rows = world[table].as_array().expect("rows").clone();
        world[table] = permutation(rows.len(), seed ^ salt).into_iter().map(|row| rows[row].clone()).collect();
    }
    for cluster in world["clusters"].as_array_mut().expect("rows") {
        for list in ["related_alert_ids", "addresses_involved"] {
            cluster[list].as_array_mut().expect("a list").reverse();
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn scoring_some_alerts_gives_the_bits_of_scoring_all(world in world(), seed: u64) {
        let (schema, all) = (alert_schema(), batch(&world));
        let whole = build(&schema, &all);
        let some: Vec<usize> = permutation(all.alerts.rows(), seed).into_iter().step_by(2).collect();
        let part = build(&schema, &Batch { alerts: all.alerts.take(&some), ..all });
        for (row, &original) in some.iter().enumerate() {
            prop_assert_eq!(row_bits(&part, row), row_bits(&whole, original));
        }
    }

    #[test]
    fn the_order_of_addresses_clusters_and_flows_changes_nothing(world in world(), seed: u64) {
        let schema = alert_schema();
        let (one, other) = (build(&schema, &batch(&world)), build(&schema, &batch(&shuffled(&world, seed))));
        for row in 0..one.rows() {
            prop_assert_eq!(row_bits(&one, row), row_bits(&other, row));
        }
    }

    #[test]
    fn the_order_of_alerts_and_lists_changes_no_row_of_a_cluster(world in world(), seed: u64) {
        let schema = Schema::default_cluster();
        let all = batch(&world);
        let other = batch(&shuffled(&world, seed));
        let order = permutation(all.alerts.rows(), seed);
        let other = Batch { alerts: other.alerts.take(&order), ..other };
        let (one, other, order) = (build(&schema, &all), build(&schema, &other), permutation(3, seed ^ 2));
        for (row, &original) in order.iter().enumerate() {
            prop_assert_eq!(row_bits(&other, row), row_bits(&one, original));
        }
    }

    #[test]
    fn the_order_of_the_schema_only_orders_the_columns(world in world(), seed: u64) {
        for schema in [alert_schema(), Schema::default_cluster()] {
            let all = batch(&world);
            let order = permutation(schema.features.len(), seed);
            let names = order.iter().map(|&column| schema.features[column].clone());
            let (one, other) = (build(&schema, &all), build(&Schema::new(schema.rows, names), &all));
            for row in 0..one.rows() {
                let expected: Vec<u64> = order.iter().map(|&column| row_bits(&one, row)[column]).collect();
                prop_assert_eq!(row_bits(&other, row), expected);
            }
        }
    }
}

/// `batch` without the columns that are neither keys nor in `needs`.
fn reduced(batch: &Batch, needs: Needs) -> Batch {
    let mut batch = batch.clone();
    for table in [&mut batch.alerts, &mut batch.features, &mut batch.clusters, &mut batch.money_flows] {
        let spec = table.spec();
        for (index, column) in spec.columns.iter().enumerate() {
            let is_needed = needs.and(Needs::keys_only().with(spec.name, column.name)) == needs;
            if !is_needed && spec.key != Some(column.name) {
                table.set_column(index, None);
            }
        }
    }
    batch
}

#[test]
fn a_feature_reads_only_the_columns_that_its_builder_names() {
    let batch = large();
    for rows in [RowKind::Alert, RowKind::Cluster] {
        let names = features(rows).iter().map(|feature| feature.name.to_string());
        let others = match rows {
            RowKind::Alert => FIXED.map(str::to_owned).to_vec(),
            RowKind::Cluster => {
                ["max_in_cluster", "std_flow_in_usd", "address_sum_degree_in", "address_max_flow_degree"]
                    .map(str::to_owned)
                    .to_vec()
            }
        };
        for name in names.chain(others) {
            let schema = Schema::new(rows, [name.clone()]);
            let needs = FeatureBuilder::new(&schema).expect("known names").columns();
            let (whole, part) = (build(&schema, &batch), build(&schema, &reduced(&batch, needs)));
            let alike = (0..whole.rows()).all(|row| row_bits(&whole, row) == row_bits(&part, row));
            assert!(alike, "{name} reads a column that its builder does not name");
        }
    }
}

/// A batch with enough rows that several threads share it.
fn large() -> Batch {
    let number = |row: usize| json!(((row * 7919) % 10_007) as f64 / 7.0);
    let alert = |row: usize| {
        json!({"alert_id": format!("alert{row}"), "address": format!("addr{}", row % 700), "volume_usd": number(row),
               "typology_type": "fan_in", "severity": "low", "alert_confidence_score": 0.5, "processing_date": DAY})
    };
    let edge = |row: usize| {
        json!({"from_address": format!("addr{}", row % 701), "to_address": format!("addr{}", row * 31 % 699),
               "amount_usd": number(row), "tx_count": 1, "first_seen": row * 1000, "last_seen": row * 1000})
    };
    let cluster = |number: usize| {
        let ids: Vec<_> = (0..40).map(|row| format!("alert{}", row * 37 + number)).collect();
        json!({"cluster_id": number.to_string(), "related_alert_ids": ids,
               "addresses_involved": [format!("addr{number}"), "addr1"]})
    };
    batch(&json!({
        "alerts": (0..1500).map(alert).collect::<Vec<_>>(),
        "features": (0..600).map(|name| address_row(name, &[number(name), json!(null)])).collect::<Vec<_>>(),
        "clusters": (0..40).map(cluster).collect::<Vec<_>>(),
        "money_flows": (0..5000).map(edge).collect::<Vec<_>>(),
    }))
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let batch = large();
    for schema in [alert_schema(), Schema::default_cluster()] {
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let matrix = pool.install(|| build(&schema, &batch));
            (0..matrix.rows()).map(|row| row_bits(&matrix, row)).collect::<Vec<_>>()
        };
        let one = with_threads(1);
        assert_eq!(with_threads(2), one);
        assert_eq!(with_threads(4), one);
    }
}
