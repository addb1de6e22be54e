//! One row per cluster with a labelled member. A cluster is illicit when at least one member is.

use std::collections::HashMap;

use super::labels::Label;
use super::reader::{AssembleError, Assembled, Collected, Labelled, Names, Range, Reader, numbers_or_missing};
use crate::features::{FeatureBuilder, Matrix, Schema};
use crate::training::samples::Row;
use crate::training::watch::Watch;
use crate::wire::Table;

/// Scores alerts as the alert scorer does on a day.
#[derive(Clone, Copy)]
pub struct AlertScores<'a> {
    /// Makes their features.
    pub builder: &'a FeatureBuilder,
    /// The scores of a matrix of alerts of a day (days since 1970-01-01).
    pub score: &'a dyn Fn(i32, &Matrix) -> Vec<f64>,
}

/// Columns that tell what a cluster is.
const COLUMNS: [(&str, &str); 6] = [
    ("clusters", "cluster_id"),
    ("clusters", "cluster_type"),
    ("clusters", "primary_address"),
    ("clusters", "related_alert_ids"),
    ("clusters", "addresses_involved"),
    ("clusters", "confidence_avg"),
];

/// The labelled clusters of `range` under `schema`, with the alert scores that `scores` gives.
///
/// # Errors
/// When a batch cannot be read or lacks labels altogether, the schema is unknown, or `watch` says to stop.
pub fn clusters(
    range: &Range,
    schema: &Schema,
    scores: AlertScores<'_>,
    watch: &dyn Watch,
) -> Result<Assembled, AssembleError> {
    let builder = FeatureBuilder::new(schema)?;
    let mut collected = Collected::new(schema);
    let mut reader = Reader::open(range, builder.needs_history() || scores.builder.needs_history(), watch)?;
    reader.each(|summary, source| {
        let (builder, scorer) = (source.knowing(&builder), source.knowing(scores.builder));
        let mut blocks = source.blocks(&[&builder, &scorer], &COLUMNS, true)?;
        let failed = |error| source.of_features(error);
        let mut alert_scores = Vec::with_capacity(blocks.alert_ids.len());
        for block in 0..blocks.of_alerts {
            let batch = blocks.of_block(block).map_err(|error| source.of_day(error))?;
            let built = scorer.alerts_within(&batch, blocks.compared.as_ref()).map_err(failed)?;
            alert_scores.extend((scores.score)(source.day(), &built.matrix));
        }
        let mut day = Labelled::default();
        for block in 0..blocks.of_clusters {
            let compared = blocks.compared.clone();
            let (batch, alerts, own) = blocks.of_cluster_block(block).map_err(|error| source.of_day(error))?;
            let of_members: Vec<f64> = alerts.iter().map(|&row| alert_scores[row as usize]).collect();
            let built = builder.clusters_within(&batch, Some(&of_members), compared.as_ref()).map_err(failed)?;
            for &cluster in &own {
                if let Some(label) = label_of(&batch.clusters, cluster, source.labels) {
                    day.push(built.matrix.row(cluster), row(&batch.clusters, cluster, label, &mut collected.names));
                }
            }
            Collected::learn(summary, &built, own.len());
        }
        collected.add(summary, source.day(), day);
        Ok(())
    })?;
    Ok(collected.finish(reader))
}

/// The cluster's own label, known when the last of its labelled members is. An illicit member may be confirmed earlier,
/// but then days close to a cut would be left with illicit clusters alone.
fn label_of(table: &Table, cluster: usize, labels: &HashMap<&str, Label>) -> Option<Label> {
    let members = table.text_lists("related_alert_ids")?;
    let known: Vec<&Label> = members.get(cluster).filter_map(|id| labels.get(id)).collect();
    let relevance = known.iter().map(|label| label.relevance).max()?;
    let known_at = known.iter().map(|label| label.known_at).max()?;
    Some(Label { illicit: known.iter().any(|label| label.illicit), relevance, known_at })
}

fn row(table: &Table, cluster: usize, label: Label, names: &mut Names) -> Row {
    let text = |name: &str| table.texts(name).map_or("", |texts| texts.get(cluster));
    let involved = table.text_lists("addresses_involved");
    let involved = involved.map(|lists| lists.get(cluster).collect::<Vec<_>>()).unwrap_or_default();
    let about = involved.into_iter().chain(std::iter::once(text("primary_address"))).filter(|text| !text.is_empty());
    let mut about: Vec<u32> = about.map(|address| names.addresses.id(address)).collect();
    about.sort_unstable();
    about.dedup();
    Row {
        id: text("cluster_id").to_owned(),
        addresses: about.into_boxed_slice(),
        illicit: label.illicit,
        relevance: label.relevance,
        known_at: label.known_at,
        baseline: numbers_or_missing(table, "confidence_avg")[cluster],
        kind: names.kind(text("cluster_type")),
    }
}
