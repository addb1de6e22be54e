//! The outcomes of a batch's alerts that count.

use std::collections::HashMap;

use crate::data::outcomes::usable_rows;
use crate::data::{BatchDir, LoadedBatch};

/// The outcome of an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) illicit: bool,
    pub(super) relevance: u8,
    pub(super) known_at: i64,
}

/// Whether a batch has outcomes at all.
pub(super) fn has_labels(directory: &BatchDir) -> bool {
    let name = crate::data::batch_dir::file_name(&crate::wire::spec::LABELS);
    directory.manifest().files.contains_key(&name)
}

/// Labels by alert, and how many do not count because they were known by the end of the batch's day.
pub(super) fn usable_labels(loaded: &LoadedBatch) -> (HashMap<&str, Label>, usize) {
    let none = || (HashMap::new(), 0);
    let Some(table) = &loaded.labels else { return none() };
    let (Some(ids), Some(illicit), Some(known)) =
        (table.texts("alert_id"), table.numbers("confirmed_illicit"), table.numbers("confirmed_at"))
    else {
        return none();
    };
    let relevance = table.numbers("relevance");
    let label = |row: usize| {
        let illicit = illicit[row] > 0.5;
        let given = relevance.map_or(f64::NAN, |values| values[row]);
        let relevance = if illicit { 2 } else { u8::from(given >= 1.0) };
        (ids.get(row), Label { illicit, relevance, known_at: whole(known[row]) })
    };
    let usable = usable_rows(table, loaded.meta.processing_date);
    let early = table.rows() - usable.len();
    (usable.into_iter().map(label).collect(), early)
}

#[expect(clippy::cast_possible_truncation, reason = "times are checked to be whole numbers below 2^53")]
fn whole(time: f64) -> i64 {
    time as i64
}
