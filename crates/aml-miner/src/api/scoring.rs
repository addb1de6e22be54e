//! From a matrix to the bytes of an answer: blocks of rows are predicted, explained and written side by side.

use std::time::Instant;

use super::form::Form;
use crate::data::arrow_stream::{Values, write_stream};
use crate::features::Matrix;
use crate::scoring::{Block, Choice, Prepared, Stop, Stopped, ranks};
use crate::wire::TextColumn;
use crate::wire::reply::{AnswerWriter, Framing, concat_framed, explanation_text, rounded_latency, write_ranks};

/// In which form rows are answered, what they are called, how they are explained, and since when time counts.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) form: Form,
    pub(super) id_key: &'static str,
    pub(super) choice: &'a Choice,
    pub(super) started: Instant,
}

/// A model's rows and who they are.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) ids: &'a TextColumn,
}

impl Rows<'_> {
    /// The time since `started`, shared among the rows.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn latency_ms(self, started: Instant) -> f64 {
        started.elapsed().as_secs_f64() * 1e3 / self.matrix.rows().max(1) as f64
    }
}

/// The answer of a scorer: one row per id.
pub(super) fn score(model: &Prepared, rows: Rows<'_>, style: Style<'_>, stop: &Stop) -> Result<Vec<u8>, Stopped> {
    match style.form {
        Form::Rows(framing) => score_rows(model, rows, style, framing, stop),
        Form::Arrow => score_columns(model, rows, style, stop),
    }
}

fn score_rows(
    model: &Prepared,
    rows: Rows<'_>,
    style: Style<'_>,
    framing: Framing,
    stop: &Stop,
) -> Result<Vec<u8>, Stopped> {
    let written = model.map(rows.matrix, style.choice, stop, |block| {
        let mut writer = AnswerWriter::framed(framing, style.id_key, model.model.version());
        block.rows().for_each(|row| writer.row(rows.ids.get(row.row), row.score, row.explanation()));
        writer
    })?;
    let latency_ms = rows.latency_ms(style.started);
    let written: Vec<_> = written.into_iter().map(|block| block.finish(latency_ms)).collect();
    Ok(concat_framed(framing, &written))
}

fn score_columns(model: &Prepared, rows: Rows<'_>, style: Style<'_>, stop: &Stop) -> Result<Vec<u8>, Stopped> {
    let columns = |block: &Block<'_>| {
        let explained = block.rows().map(|row| {
            let text = row.explanation().map(|explanation| explanation_text(row.score, explanation));
            (row.score, text.unwrap_or_else(|| "{}".to_owned()))
        });
        let (scores, texts): (Vec<f64>, Vec<String>) = explained.unzip();
        (scores, texts.iter().map(String::as_str).collect::<TextColumn>())
    };
    let (mut scores, mut texts) = (Vec::with_capacity(rows.matrix.rows()), TextColumn::default());
    for (some_scores, some_texts) in model.map(rows.matrix, style.choice, stop, columns)? {
        scores.extend(some_scores);
        texts.append(&some_texts);
    }
    let latency_ms = vec![rounded_latency(rows.latency_ms(style.started)); scores.len()];
    let versions: TextColumn = scores.iter().map(|_| model.model.version()).collect();
    Ok(write_stream(&[
        (style.id_key, Values::Texts(rows.ids)),
        ("score", Values::Doubles(&scores)),
        ("model_version", Values::Texts(&versions)),
        ("latency_ms", Values::Doubles(&latency_ms)),
        ("explain_json", Values::Texts(&texts)),
    ]))
}

/// The answer of the ranker: one row per id, most urgent first.
pub(super) fn rank(model: &Prepared, rows: Rows<'_>, form: Form, stop: &Stop) -> Result<Vec<u8>, Stopped> {
    let scores = model.scores(rows.matrix, stop)?;
    let ids: Vec<&str> = rows.ids.iter().collect();
    let mut order = vec![0; ids.len()];
    for (row, rank) in ranks(&scores, &ids).into_iter().enumerate() {
        order[rank as usize - 1] = row;
    }
    let ranked = order.iter().map(|&row| (ids[row], scores[row]));
    Ok(match form {
        Form::Rows(framing) => write_ranks(framing, ranked),
        Form::Arrow => {
            let (ids, scores): (Vec<&str>, Vec<f64>) = ranked.unzip();
            let ids: TextColumn = ids.into_iter().collect();
            let ranks: Vec<u32> = (1..).take(ids.len()).collect();
            write_stream(&[
                ("alert_id", Values::Texts(&ids)),
                ("rank", Values::Counts(&ranks)),
                ("score", Values::Doubles(&scores)),
            ])
        }
    })
}
