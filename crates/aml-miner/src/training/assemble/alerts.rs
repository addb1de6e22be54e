//! One row per labelled alert.

use super::reader::{AssembleError, Assembled, Collected, Labelled, Range, Reader, numbers_or_missing};
use crate::features::{FeatureBuilder, Schema};
use crate::training::samples::Row;
use crate::training::watch::Watch;

/// The labelled alerts of `range` under `schema`.
///
/// # Errors
/// When a batch cannot be read or lacks labels altogether, the schema is unknown, or `watch` says to stop.
pub fn alerts(range: &Range, schema: &Schema, watch: &dyn Watch) -> Result<Assembled, AssembleError> {
    let builder = FeatureBuilder::new(schema)?;
    let mut collected = Collected::new(schema);
    let mut reader = Reader::open(range, builder.needs_history(), watch)?;
    reader.each(|summary, one| {
        let table = &one.batch().alerts;
        let built = one.knowing(&builder).alerts(one.batch()).map_err(|source| one.failed(source))?;
        let mut day = Labelled::default();
        let confidence = numbers_or_missing(table, "alert_confidence_score");
        let text = |name: &str, row: usize| table.texts(name).map_or("", |texts| texts.get(row));
        for (row, &baseline) in confidence.iter().enumerate() {
            let id = text("alert_id", row);
            let Some(label) = one.labels.get(id) else { continue };
            let about = Row {
                id: id.to_owned(),
                addresses: Box::new([collected.names.addresses.id(text("address", row))]),
                illicit: label.illicit,
                relevance: label.relevance,
                known_at: label.known_at,
                baseline,
                kind: collected.names.kind(text("typology_type", row)),
            };
            day.push(built.matrix.row(row), about);
        }
        collected.add(summary, day, one.date(), &built);
        Ok(())
    })?;
    Ok(collected.finish(reader))
}
