//! The tables of answers, and the text of an explanation.

use serde::Serialize;

use crate::models::BaseModel;
use crate::models::explanation::top_features;
use crate::wire::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::wire::{Column, Table, TextColumn};

const fn column(name: &'static str, kind: ColumnType, (min, max): (f64, f64)) -> ColumnSpec {
    ColumnSpec { name, alias: None, kind, required: true, min, max }
}

const fn text(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::Text, (f64::MIN, f64::MAX))
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
        column("score", ColumnType::F64, (0.0, 1.0)),
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
        column("rank", ColumnType::U32, (1.0, 4_294_967_295.0)),
        column("score", ColumnType::F64, (f64::MIN, f64::MAX)),
    ],
};

/// Probabilities of clusters.
pub static CLUSTER_SCORES: TableSpec = TableSpec {
    name: "cluster_scores",
    key: Some("cluster_id"),
    columns: &[
        text("cluster_id"),
        column("score", ColumnType::F64, (0.0, 1.0)),
        text("model_version"),
        explanation_column(),
    ],
};

/// A table of [`SCORES`] or [`CLUSTER_SCORES`], in the order of `ids`.
pub(super) fn scores(
    spec: &'static TableSpec,
    ids: TextColumn,
    model: &dyn BaseModel,
    (scores, explanations): (&[f64], Option<Vec<String>>),
) -> Table {
    let rows = ids.len();
    let versions: TextColumn = (0..rows).map(|_| model.version()).collect();
    let explanations = explanations.map(|texts| Column::Texts(texts.iter().map(String::as_str).collect()));
    let columns = vec![
        Some(Column::Texts(ids)),
        Some(Column::Numbers(scores.to_vec())),
        Some(Column::Texts(versions)),
        explanations,
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

#[derive(Serialize)]
struct Explanation<'a> {
    score: f64,
    base_value: f64,
    top_features: Vec<Named<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    feature: &'a str,
    value: f64,
    impact: f64,
}

/// The text that the API gives as `explain_json`; a missing value is `null`.
pub(super) fn explanation(model: &dyn BaseModel, score: f64, row: &[f64], contributions: &[f64]) -> String {
    let features = &model.schema().features;
    let named = |index: usize, impact| Named { feature: &features[index], value: row[index], impact };
    let top_features = top_features(contributions).into_iter().map(|top| named(top.feature, top.impact)).collect();
    let explanation = Explanation { score, base_value: model.base_value(), top_features };
    serde_json::to_string(&explanation).expect("numbers and names always have a JSON form")
}
