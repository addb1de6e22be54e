//! From a matrix to the bytes of an answer: blocks of rows are predicted, explained and written side by side.

use std::time::Instant;

use super::models::Served;
use super::query::Explain;
use crate::features::Matrix;
use crate::models::alert_ranker::ranks;
use crate::models::blocks::{Pool, blocks, predict, rows_of};
use crate::models::explanation::top_features;
use crate::wire::reply::{AnswerWriter, Explanation, Impact, concat_blocks, write_ranks};
use crate::wire::{Spread, TextColumn};

/// What the rows of an answer are called, how they are explained, and since when time counts.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub id_key: &'static str,
    pub explain: Explain,
    pub started: Instant,
}

/// The answer of a scorer: a JSON list of one row an id.
pub(super) fn score(served: &Served, matrix: &Matrix, ids: &TextColumn, style: Style) -> Vec<u8> {
    let blocks = blocks(matrix.rows());
    let written = Pool.map(blocks.len(), |index| score_block(served, matrix, ids, (blocks[index], style)));
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let latency_ms = style.started.elapsed().as_secs_f64() * 1e3 / matrix.rows().max(1) as f64;
    let written: Vec<_> = written.into_iter().map(|block| block.finish(latency_ms)).collect();
    concat_blocks(&written)
}

fn score_block(
    served: &Served,
    matrix: &Matrix,
    ids: &TextColumn,
    (block, style): ((usize, usize), Style),
) -> AnswerWriter {
    let (model, features) = (&served.model, matrix.columns());
    let rows = rows_of(matrix, block);
    let mut scores = vec![0.0; block.1 - block.0];
    model.predict_into(rows, &mut scores);
    let mut contributions = Vec::new();
    if style.explain != Explain::None {
        contributions.resize(rows.len(), 0.0);
        model.explain_into(rows, &mut contributions);
    }
    let mut writer = AnswerWriter::new(style.id_key, model.version());
    for (offset, &score) in scores.iter().enumerate() {
        let id = ids.get(block.0 + offset);
        if style.explain == Explain::None {
            writer.row(id, score, None);
            continue;
        }
        let range = offset * features..(offset + 1) * features;
        let impacts = impacts(&rows[range.clone()], &contributions[range], style.explain);
        let base_value = model.base_value();
        writer.row(id, score, Some(Explanation { names: &served.names, base_value, impacts: &impacts }));
    }
    writer
}

fn impacts(row: &[f64], contributions: &[f64], explain: Explain) -> Vec<Impact> {
    if explain == Explain::Top {
        let top = top_features(contributions).into_iter();
        return top.map(|top| Impact { feature: top.feature, value: row[top.feature], impact: top.impact }).collect();
    }
    let all = contributions.iter().zip(row).enumerate();
    let mut all: Vec<_> = all.map(|(feature, (&impact, &value))| Impact { feature, value, impact }).collect();
    all.sort_by(|a, b| b.impact.abs().total_cmp(&a.impact.abs()));
    all
}

/// The answer of the ranker: a JSON list of one row an id, most urgent first.
pub(super) fn rank(served: &Served, matrix: &Matrix, ids: &TextColumn) -> Vec<u8> {
    let scores = predict(&*served.model, matrix);
    let ids: Vec<&str> = ids.iter().collect();
    let mut order = vec![0; ids.len()];
    for (row, rank) in ranks(&scores, &ids).into_iter().enumerate() {
        order[rank as usize - 1] = row;
    }
    write_ranks(order.into_iter().map(|row| (ids[row], scores[row])))
}
