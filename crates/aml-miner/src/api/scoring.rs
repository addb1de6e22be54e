//! From a matrix to the bytes of an answer: blocks of rows are predicted, explained and written side by side.

use std::time::Instant;

use super::query::Explain;
use crate::features::Matrix;
use crate::scoring::{Prepared, Stop, Stopped, ranks};
use crate::wire::TextColumn;
use crate::wire::reply::{AnswerWriter, concat_blocks, write_ranks};

/// What the rows of an answer are called, how they are explained, and since when time counts.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) id_key: &'static str,
    pub(super) explain: Explain,
    pub(super) started: Instant,
}

/// A model's rows and who they are.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) ids: &'a TextColumn,
}

/// The answer of a scorer: a JSON list of one row an id.
pub(super) fn score(model: &Prepared, rows: Rows<'_>, style: Style, stop: &Stop) -> Result<Vec<u8>, Stopped> {
    let written = model.map(rows.matrix, style.explain.extent(), stop, |block| {
        let mut writer = AnswerWriter::new(style.id_key, model.model.version());
        block.rows().for_each(|row| writer.row(rows.ids.get(row.row), row.score, row.explanation()));
        writer
    })?;
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let latency_ms = style.started.elapsed().as_secs_f64() * 1e3 / rows.matrix.rows().max(1) as f64;
    let written: Vec<_> = written.into_iter().map(|block| block.finish(latency_ms)).collect();
    Ok(concat_blocks(&written))
}

/// The answer of the ranker: a JSON list of one row an id, most urgent first.
pub(super) fn rank(model: &Prepared, rows: Rows<'_>, stop: &Stop) -> Result<Vec<u8>, Stopped> {
    let scores = model.scores(rows.matrix, stop)?;
    let ids: Vec<&str> = rows.ids.iter().collect();
    let mut order = vec![0; ids.len()];
    for (row, rank) in ranks(&scores, &ids).into_iter().enumerate() {
        order[rank as usize - 1] = row;
    }
    Ok(write_ranks(order.into_iter().map(|row| (ids[row], scores[row]))))
}
