//! One row per cluster with a labelled member. A cluster is illicit when at least one member is.

use std::collections::HashMap;

use super::labels::Label;
use super::reader::{AssembleError, Assembled, Collected, Labelled, Names, OneDay, Range, Reader, numbers_or_missing};
use crate::data::LoadedBatch;
use crate::features::{BuildError, FeatureBuilder, Schema};
use crate::training::samples::Row;
use crate::training::watch::Watch;

/// Scores every alert of a batch.
#[derive(Clone, Copy)]
pub struct AlertScores<'a> {
    /// One score per alert.
    pub of: &'a dyn Fn(&OneDay<'_>) -> Result<Vec<f64>, BuildError>,
    /// Whether it asks for earlier days.
    pub needs_history: bool,
}

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
    let mut reader = Reader::open(range, builder.needs_history() || scores.needs_history, watch)?;
    reader.each(|summary, one| {
        let (loaded, labels) = (one.loaded, &one.labels);
        let failed = |source| one.failed(source);
        let alert_scores = (scores.of)(one).map_err(failed)?;
        let built = one.knowing(&builder).clusters(one.batch(), Some(&alert_scores)).map_err(failed)?;
        let mut day = Labelled::default();
        for cluster in 0..loaded.batch.clusters.rows() {
            if let Some(label) = label_of(loaded, cluster, labels) {
                day.push(built.matrix.row(cluster), row(loaded, cluster, label, &mut collected.names));
            }
        }
        collected.add(summary, day, one.date(), &built);
        Ok(())
    })?;
    Ok(collected.finish(reader))
}

/// The cluster's own label, known when the last of its labelled members is. An illicit member may be confirmed earlier,
/// but then days close to a cut would be left with illicit clusters alone.
fn label_of(loaded: &LoadedBatch, cluster: usize, labels: &HashMap<&str, Label>) -> Option<Label> {
    let members = loaded.batch.clusters.text_lists("related_alert_ids")?;
    let known: Vec<&Label> = members.get(cluster).filter_map(|id| labels.get(id)).collect();
    let relevance = known.iter().map(|label| label.relevance).max()?;
    let known_at = known.iter().map(|label| label.known_at).max()?;
    Some(Label { illicit: known.iter().any(|label| label.illicit), relevance, known_at })
}

fn row(loaded: &LoadedBatch, cluster: usize, label: Label, names: &mut Names) -> Row {
    let table = &loaded.batch.clusters;
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
