//! Matrices of features, as `aml-miner-batch features` writes them.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::arrow::Columns;
use super::batch::Batch;
use super::errors::{command, data, model, usage};
use super::pool::spread;
use crate::cli::batch::features::{Collected, Day, Rows, of_model, usual, without_scores};
use crate::features::{FeatureBuilder, RowKind, Schema};
use crate::history::History;

/// Which features are meant: names, those of a model, or the default ones.
#[derive(FromPyObject)]
pub(super) struct Choice {
    #[pyo3(item)]
    names: Option<Vec<String>>,
    #[pyo3(item)]
    models: Option<PathBuf>,
}

impl Choice {
    fn schema(&self, kind: RowKind) -> PyResult<Schema> {
        let schema = match (&self.names, &self.models) {
            (Some(names), _) => Ok(Schema::new(kind, names)),
            (None, Some(directory)) => of_model(directory, kind),
            (None, None) => Ok(usual(kind)),
        };
        schema.and_then(without_scores).map_err(command)
    }
}

/// What a row is, by its name.
fn rows_of(name: &str) -> PyResult<Rows> {
    match name {
        "alert" => Ok(Rows::Alert),
        "cluster" => Ok(Rows::Cluster),
        _ => Err(usage(format!("`{name}` is no kind of row: alert or cluster"))),
    }
}

/// The features of batches, one row per alert or cluster.
#[pyfunction]
#[pyo3(signature = (batches, choice, rows, labels, history=None))]
pub(super) fn features(
    py: Python<'_>,
    batches: Vec<Py<Batch>>,
    choice: Choice,
    rows: &str,
    labels: bool,
    history: Option<PathBuf>,
) -> PyResult<Columns> {
    let rows = rows_of(rows)?;
    if labels && rows == Rows::Cluster {
        return Err(usage("--labels goes with alerts: outcomes are of alerts"));
    }
    let schema = choice.schema(rows.kind())?;
    let builder = FeatureBuilder::new(&schema).map_err(model)?;
    let state = history.as_deref().map(History::read).transpose().map_err(data)?.unwrap_or_default();
    let batches: Vec<&Batch> = batches.iter().map(Py::get).collect();
    spread(py, || {
        let mut collected = Collected::new(&schema, labels).from(state);
        for batch in batches {
            let date = batch.date.ok_or_else(|| usage("which day is the batch for? Give processing_date"))?;
            let day = Day { date, batch: &batch.tables, labels: batch.labels.as_ref() };
            collected.add(&day, &builder, rows).map_err(command)?;
        }
        Columns::of_frame(collected.frame(&schema, rows))
    })
}

/// Names of features, in order, and the hash of their schema.
#[pyfunction]
pub(super) fn feature_names(choice: Choice, rows: &str) -> PyResult<(Vec<String>, String)> {
    let schema = choice.schema(rows_of(rows)?.kind())?;
    FeatureBuilder::new(&schema).map_err(model)?;
    let hash = schema.hash().to_string();
    Ok((schema.features, hash))
}
