//! A day of 12,000 alerts, 100,000 addresses, 3,000 clusters and a million edges under the default schemas, the same
//! without money flows, a hub that all alerts and edges are about, and a batch of one alert.

use std::hint::black_box;

use aml_miner::features::{FeatureBuilder, Schema};
use aml_miner::wire::spec::{ALERTS, CLUSTERS, ColumnType, FEATURES, MONEY_FLOWS, SEVERITIES};
use aml_miner::wire::{Batch, Column, NumberLists, Table, TableSpec, TextColumn, TextLists};
use criterion::{Criterion, criterion_group, criterion_main};

/// SplitMix64: the same batch in every run.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }

    /// Few addresses have most of the edges, as on a real chain.
    fn hub(&mut self, limit: usize) -> usize {
        let (one, other) = (self.below(limit), self.below(limit));
        if self.next().is_multiple_of(4) { self.below(limit.min(200)) } else { one.min(other) }
    }
}

fn address(number: usize) -> String {
    format!("5FeatureBenchmarkAddressWithFortyEightChars{number:0>6}")
}

fn table(spec: &'static TableSpec, rows: usize, column: &mut dyn FnMut(&str, ColumnType) -> Option<Column>) -> Table {
    Table::new(spec, rows, spec.columns.iter().map(|about| column(about.name, about.kind)).collect(), Vec::new())
}

fn texts(rows: usize, mut text: impl FnMut(usize) -> String) -> Option<Column> {
    let mut column = TextColumn::default();
    (0..rows).for_each(|row| column.push(&text(row)));
    Some(Column::Texts(column))
}

fn lists(rows: usize, mut items: impl FnMut(usize) -> Vec<String>) -> Option<Column> {
    let mut column = TextLists::default();
    for row in 0..rows {
        items(row).iter().for_each(|item| column.push_item(item));
        column.end_row();
    }
    Some(Column::TextLists(column))
}

fn numbers(rows: usize, draw: &mut Draw, scale: f64) -> Option<Column> {
    Some(Column::Numbers((0..rows).map(|_| draw.unit() * scale).collect()))
}

fn alerts(rows: usize, addresses: usize, draw: &mut Draw) -> Table {
    table(&ALERTS, rows, &mut |name, kind| match (name, kind) {
        ("alert_id", _) => texts(rows, |row| format!("alert_2025-10-26_{row:0>6}")),
        ("address", _) => texts(rows, |_| address(draw.below(addresses))),
        ("typology_type", _) => texts(rows, |row| ["fan_in", "layering", "peel_chain"][row % 3].to_owned()),
        ("severity", _) => texts(rows, |row| SEVERITIES[row % 4].to_owned()),
        (_, ColumnType::TextList) => lists(rows, |row| vec!["night_activity".to_owned(); row % 4]),
        (_, ColumnType::Text) => texts(rows, |_| String::new()),
        _ => numbers(rows, draw, 1.0),
    })
}

fn features(rows: usize, draw: &mut Draw) -> Table {
    table(&FEATURES, rows, &mut |name, kind| match (name, kind) {
        ("address", _) => texts(rows, address),
        (_, ColumnType::Text) => texts(rows, |_| "TAO".to_owned()),
        (_, ColumnType::NumberList) => {
            let mut lists = NumberLists::default();
            for _ in 0..rows {
                (0..24).for_each(|_| lists.push_item(draw.unit()));
                lists.end_row();
            }
            Some(Column::NumberLists(lists))
        }
        (_, ColumnType::Bool) => Some(Column::Numbers((0..rows).map(|row| f64::from(row % 50 == 0)).collect())),
        _ => numbers(rows, draw, 1e6),
    })
}

fn clusters(rows: usize, alerts: usize, addresses: usize, draw: &mut Draw) -> Table {
    table(&CLUSTERS, rows, &mut |name, kind| match (name, kind) {
        ("related_alert_ids", _) => {
            lists(rows, |_| (0..5).map(|_| format!("alert_2025-10-26_{:0>6}", draw.below(alerts))).collect())
        }
        ("addresses_involved", _) => lists(rows, |_| (0..5).map(|_| address(draw.below(addresses))).collect()),
        ("severity_max", _) => texts(rows, |row| SEVERITIES[row % 4].to_owned()),
        (_, ColumnType::Text | ColumnType::Severity) => texts(rows, |row| format!("{name}{}", row % 5)),
        _ => numbers(rows, draw, 1e6),
    })
}

fn flows(rows: usize, addresses: usize, draw: &mut Draw) -> Table {
    table(&MONEY_FLOWS, rows, &mut |name, kind| match (name, kind) {
        ("from_address" | "to_address", _) => texts(rows, |_| address(draw.hub(addresses))),
        (_, ColumnType::Text) => texts(rows, |_| "TAO".to_owned()),
        _ => numbers(rows, draw, 6e8),
    })
}

fn day(alert_rows: usize, addresses: usize, edges: usize) -> Batch {
    let mut draw = Draw(7);
    let cluster_rows = alert_rows.div_ceil(4);
    Batch {
        alerts: alerts(alert_rows, addresses, &mut draw),
        features: features(addresses, &mut draw),
        clusters: clusters(cluster_rows, alert_rows, addresses, &mut draw),
        money_flows: flows(edges, addresses, &mut draw),
    }
}

/// As many alerts as `rows`, all of one address, which deals with all others.
fn hub(rows: usize, addresses: usize) -> Batch {
    let mut draw = Draw(7);
    let alerts = table(&ALERTS, rows, &mut |name, kind| match (name, kind) {
        ("alert_id", _) => texts(rows, |row| format!("alert_2025-10-26_{row:0>6}")),
        ("address", _) => texts(rows, |_| address(0)),
        _ => None,
    });
    let money_flows = table(&MONEY_FLOWS, addresses, &mut |name, kind| match (name, kind) {
        ("from_address", _) => texts(addresses, address),
        ("to_address", _) => texts(addresses, |_| address(0)),
        (_, ColumnType::Text) => texts(addresses, |_| "TAO".to_owned()),
        _ => numbers(addresses, &mut draw, 6e8),
    });
    Batch { alerts, features: features(addresses, &mut Draw(8)), clusters: Table::empty(&CLUSTERS), money_flows }
}

fn bench(criterion: &mut Criterion) {
    let alert = FeatureBuilder::new(&Schema::default_alert()).expect("the default schema");
    let cluster = FeatureBuilder::new(&Schema::default_cluster()).expect("the default schema");
    let (large, single) = (day(12_000, 100_000, 1_000_000), day(1, 1, 5));
    let without_flows = Batch { money_flows: Table::empty(&MONEY_FLOWS), ..large.clone() };
    let hub = hub(12_000, 20_000);
    let mut group = criterion.benchmark_group("features");
    group.sample_size(10);
    group.bench_function("alerts/12000", |bencher| bencher.iter(|| alert.alerts(black_box(&large))));
    group.bench_function("alerts/12000 without flows", |bencher| bencher.iter(|| alert.alerts(&without_flows)));
    group.bench_function("clusters/3000", |bencher| bencher.iter(|| cluster.clusters(&large, None)));
    group.bench_function("alerts/12000 of one hub", |bencher| bencher.iter(|| alert.alerts(&hub)));
    group.bench_function("alerts/1", |bencher| bencher.iter(|| alert.alerts(black_box(&single))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
