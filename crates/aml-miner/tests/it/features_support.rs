//! Small batches from JSON rows, and cells by alert and feature.

use aml_miner::features::{Built, FeatureBuilder, RowKind, Schema};
use aml_miner::wire::spec::{ALERTS, CLUSTERS, ColumnType, FEATURES, MONEY_FLOWS};
use aml_miner::wire::{Batch, Column, NumberLists, Table, TableSpec, TextLists};
use serde_json::{Value, json};

/// A table from an array of objects. A column that no row names is absent; dates are days since 1970-01-01.
pub(crate) fn table(spec: &'static TableSpec, rows: &Value) -> Table {
    let rows = rows.as_array().expect("an array of rows");
    let column = |about: &aml_miner::wire::ColumnSpec| {
        let cells: Vec<Option<&Value>> = rows.iter().map(|row| row.get(about.name)).collect();
        cells.iter().any(Option::is_some).then(|| values(about.kind, &cells))
    };
    Table::new(spec, rows.len(), spec.columns.iter().map(column).collect(), Vec::new())
}

fn values(kind: ColumnType, cells: &[Option<&Value>]) -> Column {
    let items = |cell: &Option<&Value>| cell.and_then(Value::as_array).cloned().unwrap_or_default();
    match kind {
        ColumnType::Text | ColumnType::Severity => {
            Column::Texts(cells.iter().map(|cell| cell.and_then(Value::as_str).unwrap_or_default()).collect())
        }
        ColumnType::TextList => {
            let mut lists = TextLists::default();
            for cell in cells {
                items(cell).iter().for_each(|item| lists.push_item(item.as_str().expect("text")));
                lists.end_row();
            }
            Column::TextLists(lists)
        }
        ColumnType::NumberList => {
            let mut lists = NumberLists::default();
            for cell in cells {
                items(cell).iter().for_each(|item| lists.push_item(number(Some(item))));
                lists.end_row();
            }
            Column::NumberLists(lists)
        }
        _ => Column::Numbers(cells.iter().map(|cell| number(*cell)).collect()),
    }
}

fn number(cell: Option<&Value>) -> f64 {
    match cell {
        Some(Value::Bool(flag)) => f64::from(u8::from(*flag)),
        Some(Value::Number(number)) => number.as_f64().expect("a double"),
        Some(Value::String(text)) => text.parse().expect("a number"),
        _ => f64::NAN,
    }
}

/// A batch from its four tables, any of which may be left out.
pub(crate) fn batch(tables: &Value) -> Batch {
    let rows = |name: &str| tables.get(name).cloned().unwrap_or_else(|| json!([]));
    Batch {
        alerts: table(&ALERTS, &rows("alerts")),
        features: table(&FEATURES, &rows("features")),
        clusters: table(&CLUSTERS, &rows("clusters")),
        money_flows: table(&MONEY_FLOWS, &rows("money_flows")),
    }
}

/// A builder of alert rows.
pub(crate) fn alert_builder(names: &[&str]) -> FeatureBuilder {
    FeatureBuilder::new(&Schema::new(RowKind::Alert, names.iter().copied())).expect("known features")
}

/// A builder of cluster rows.
pub(crate) fn cluster_builder(names: &[&str]) -> FeatureBuilder {
    FeatureBuilder::new(&Schema::new(RowKind::Cluster, names.iter().copied())).expect("known features")
}

/// The alert matrix of `names`.
pub(crate) fn alerts(names: &[&str], batch: &Batch) -> Built {
    alert_builder(names).alerts(batch).expect("a matrix")
}

/// One feature over all alerts.
pub(crate) fn of_alerts(name: &str, batch: &Batch) -> Vec<f64> {
    alerts(&[name], batch).matrix.values().to_vec()
}

/// One feature over all clusters.
pub(crate) fn of_clusters(name: &str, batch: &Batch, scores: Option<&[f64]>) -> Vec<f64> {
    cluster_builder(&[name]).clusters(batch, scores).expect("a matrix").matrix.values().to_vec()
}

/// Asserts equal values, NaN where `expected` has NaN.
#[track_caller]
pub(crate) fn must_equal(found: &[f64], expected: &[f64]) {
    let alike = |(one, other): (&f64, &f64)| {
        (one.is_nan() && other.is_nan()) || (one - other).abs() <= 1e-12 * other.abs().max(1.0)
    };
    let equal = found.len() == expected.len() && found.iter().zip(expected).all(alike);
    assert!(equal, "found {found:?}, expected {expected:?}");
}
