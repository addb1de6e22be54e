//! The models alone: they load, fit the batch, and give the same bits on any number of threads.

use std::time::Instant;

use super::{Args, Checks};
use crate::error_chain::with_causes;
use crate::offline::{Answer, OfflineModels};
use crate::wire::Explain;
use crate::wire::{Batch, Column, Table};

/// Scores the batch with every number of threads; the answers of the first.
pub(super) fn run(args: &Args, batch: &Batch, checks: &mut Checks<'_>) -> anyhow::Result<Option<Vec<Answer>>> {
    let loaded = args.models.files().map_err(|error| error.to_string());
    let loaded = loaded.and_then(|files| OfflineModels::load(&files).map_err(|error| with_causes(&error)));
    let models = match loaded {
        Ok(models) => models,
        Err(wrong) => {
            checks.add("models load", &Err(wrong))?;
            return Ok(None);
        }
    };
    let mut first: Option<Vec<Answer>> = None;
    for &threads in &args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build()?;
        let started = Instant::now();
        let answers = pool.install(|| models.answers(batch, Explain::Top));
        let seconds = started.elapsed().as_secs_f64();
        let name = format!("models, {threads} threads");
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                checks.add(&name, &Err(with_causes(&error)))?;
                return Ok(None);
            }
        };
        let finding = match &first {
            None if answers.is_empty() => Err("no model was found".to_owned()),
            None => Ok(format!("{} in {seconds:.2} s", versions(&answers))),
            Some(first) => same(first, &answers).map(|()| format!("the same bits, in {seconds:.2} s")),
        };
        checks.add(&name, &finding)?;
        first.get_or_insert(answers);
    }
    Ok(first)
}

fn versions(answers: &[Answer]) -> String {
    let named = |answer: &Answer| format!("{} {}", answer.table.spec().name, answer.model_version);
    answers.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn same(first: &[Answer], second: &[Answer]) -> Result<(), String> {
    for (left, right) in first.iter().zip(second) {
        if let Some(row) = different_row(&left.table, &right.table) {
            return Err(format!("{} differ in row {row}: the model depends on the threads", left.table.spec().name));
        }
    }
    Ok(())
}

/// The first row in which two tables differ in a bit of a score or in a text.
fn different_row(left: &Table, right: &Table) -> Option<usize> {
    left.columns()
        .iter()
        .zip(right.columns())
        .filter_map(|pair| match pair {
            (Some(Column::Numbers(left)), Some(Column::Numbers(right))) => {
                left.iter().zip(right).position(|(left, right)| left.to_bits() != right.to_bits())
            }
            (Some(Column::Texts(left)), Some(Column::Texts(right))) => {
                left.iter().zip(right.iter()).position(|(left, right)| left != right)
            }
            _ => None,
        })
        .min()
}
