//! One row a labelled alert.

use crate::features::{FeatureBuilder, Matrix, Schema};
use crate::training::assemble::{
    AssembleError, Assembled, Range, Reader, day_of, kind_of, note_lacking, numbers_or_missing,
};
use crate::training::samples::{Day, Interner, Row, Samples};
use crate::training::watch::Watch;

/// The labelled alerts of `range` under `schema`.
///
/// # Errors
/// When a batch cannot be read or lacks labels altogether, the schema is unknown, or `watch` says to stop.
pub fn alerts(range: &Range, schema: &Schema, watch: &dyn Watch) -> Result<Assembled, AssembleError> {
    let builder = FeatureBuilder::new(schema)?;
    let (mut addresses, mut kinds, mut days) = (Interner::default(), Interner::default(), Vec::new());
    let mut reader = Reader::open(range, watch)?;
    reader.each(|summary, path, loaded, labels| {
        let table = &loaded.batch.alerts;
        let failed = |source| AssembleError::Features { path: path.to_owned(), source: Box::new(source) };
        let built = builder.alerts(&loaded.batch).map_err(failed)?;
        note_lacking(summary, &built);
        let confidence = numbers_or_missing(table, "alert_confidence_score");
        let (mut values, mut rows) = (Vec::new(), Vec::new());
        let ids = table.texts("alert_id");
        for (row, &baseline) in confidence.iter().enumerate() {
            let Some(id) = ids.map(|ids| ids.get(row)) else { continue };
            let Some(label) = labels.get(id) else { continue };
            let address = table.texts("address").map_or("", |texts| texts.get(row));
            let typology = table.texts("typology_type").map_or("", |texts| texts.get(row));
            values.extend_from_slice(built.matrix.row(row));
            rows.push(Row {
                id: id.to_owned(),
                addresses: Box::new([addresses.id(address)]),
                illicit: label.illicit,
                relevance: label.relevance,
                known_at: label.known_at,
                baseline,
                kind: kind_of(&mut kinds, typology),
            });
        }
        summary.rows += table.rows();
        summary.labelled += rows.len();
        if !rows.is_empty() {
            days.push(Day { date: day_of(loaded), matrix: Matrix::from_rows(schema.features.len(), values), rows });
        }
        Ok(())
    })?;
    let samples = Samples { schema: schema.clone(), kinds: kinds.texts(), days };
    Ok(Assembled { samples, summary: reader.summary })
}
