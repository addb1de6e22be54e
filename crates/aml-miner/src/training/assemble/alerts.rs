//! One row per labelled alert.

use super::reader::{AssembleError, Assembled, Collected, Labelled, Range, Reader, numbers_or_missing};
use crate::features::{FeatureBuilder, Schema};
use crate::training::samples::Row;
use crate::training::watch::Watch;

/// Columns that tell what an alert is.
const COLUMNS: [(&str, &str); 4] =
    [("alerts", "alert_id"), ("alerts", "address"), ("alerts", "alert_confidence_score"), ("alerts", "typology_type")];

/// The labelled alerts of `range` under `schema`.
///
/// # Errors
/// When a batch cannot be read or lacks labels altogether, the schema is unknown, or `watch` says to stop.
pub fn alerts(range: &Range, schema: &Schema, watch: &dyn Watch) -> Result<Assembled, AssembleError> {
    let builder = FeatureBuilder::new(schema)?;
    let mut collected = Collected::new(schema);
    let mut reader = Reader::open(range, builder.needs_history(), watch)?;
    reader.each(|summary, source| {
        let builder = source.knowing(&builder);
        let mut blocks = source.blocks(&[&builder], &COLUMNS, false)?;
        let mut day = Labelled::default();
        for block in 0..blocks.of_alerts {
            let batch = blocks.of_block(block).map_err(|error| source.of_day(error))?;
            let built = builder.alerts_within(&batch, blocks.compared.as_ref());
            let built = built.map_err(|error| source.of_features(error))?;
            let table = &batch.alerts;
            let confidence = numbers_or_missing(table, "alert_confidence_score");
            let text = |name: &str, row: usize| table.texts(name).map_or("", |texts| texts.get(row));
            for (row, &baseline) in confidence.iter().enumerate() {
                let id = text("alert_id", row);
                let Some(label) = source.labels.get(id) else { continue };
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
            Collected::learn(summary, &built, table.rows());
        }
        collected.add(summary, source.day(), day);
        Ok(())
    })?;
    Ok(collected.finish(reader))
}
