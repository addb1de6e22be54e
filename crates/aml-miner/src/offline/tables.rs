//! The tables of answers.

use crate::wire::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::wire::{Column, Table, TextColumn};

const fn text(name: &'static str) -> ColumnSpec {
    number(name, ColumnType::Text, f64::MIN, f64::MAX)
}

const fn number(name: &'static str, kind: ColumnType, min: f64, max: f64) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind, required: true, min, max }
}

const fn explanation_column() -> ColumnSpec {
    ColumnSpec { required: false, ..text("explain_json") }
}

/// Probabilities of alerts.
pub static SCORES: TableSpec = TableSpec {
    name: "scores",
    key: Some("alert_id"),
    columns: &[
        text("alert_id"),
        number("score", ColumnType::F64, 0.0, 1.0),
        text("model_version"),
        explanation_column(),
    ],
};

/// Alerts by urgency, 1 first.
pub static RANKINGS: TableSpec = TableSpec {
    name: "rankings",
    key: Some("alert_id"),
    columns: &[
        text("alert_id"),
        number("rank", ColumnType::U32, 1.0, 4_294_967_295.0),
        number("score", ColumnType::F64, f64::MIN, f64::MAX),
    ],
};

/// Probabilities of clusters.
pub static CLUSTER_SCORES: TableSpec = TableSpec {
    name: "cluster_scores",
    key: Some("cluster_id"),
    columns: &[
        text("cluster_id"),
        number("score", ColumnType::F64, 0.0, 1.0),
        text("model_version"),
        explanation_column(),
    ],
};

/// Scores, and the texts that explain them.
pub(super) struct Scores {
    pub(super) scores: Vec<f64>,
    pub(super) explanations: Option<Vec<String>>,
}

/// A table of [`SCORES`] or [`CLUSTER_SCORES`], in the order of `ids`.
pub(super) fn scores(spec: &'static TableSpec, ids: TextColumn, model_version: &str, scores: &Scores) -> Table {
    let rows = ids.len();
    let versions: TextColumn = (0..rows).map(|_| model_version).collect();
    let texts = |texts: &Vec<String>| Column::Texts(texts.iter().map(String::as_str).collect());
    let columns = vec![
        Some(Column::Texts(ids)),
        Some(Column::Numbers(scores.scores.clone())),
        Some(Column::Texts(versions)),
        scores.explanations.as_ref().map(texts),
    ];
    Table::new(spec, rows, columns, Vec::new())
}

/// A table of [`RANKINGS`], by rank.
pub(super) fn rankings(ids: TextColumn, ranks: &[u32], scores: &[f64]) -> Table {
    let rows = ids.len();
    let numbers = |values: Vec<f64>| Some(Column::Numbers(values));
    let ranked = ranks.iter().copied().map(f64::from).collect();
    let columns = vec![Some(Column::Texts(ids)), numbers(ranked), numbers(scores.to_vec())];
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_unstable_by_key(|&row| ranks[row]);
    Table::new(&RANKINGS, rows, columns, Vec::new()).take(&order)
}
