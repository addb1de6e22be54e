//! The models of a directory at work on a day, as `aml-miner-batch score` drives them.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::arrow::Columns;
use super::batch::Batch;
use super::errors::{data, model, usage};
use super::pool::spread;
use super::receipts::{ReceiptKey, now_ms};
use crate::models::ModelFiles;
use crate::offline::{Answer, OfflineModels, ScoreError, Signing, write_answers};
use crate::wire::{Explain, NotExplain};

/// Up to three models.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct Models {
    models: OfflineModels,
}

/// Where answers are written, and how.
#[derive(FromPyObject)]
struct Place {
    #[pyo3(item)]
    target: PathBuf,
    #[pyo3(item)]
    explain: String,
    #[pyo3(item)]
    replace: bool,
}

/// An answer: name of its table, the table, version of the model, SHA-256 of its file, hash of its schema, SHA-256 of its state.
type Told = (String, Columns, String, String, String, Option<String>);

fn told(answer: &Answer) -> PyResult<Told> {
    let name = answer.table.spec().name.to_owned();
    let (model, schema) = (answer.model.to_string(), answer.schema.to_string());
    let state = answer.state.map(|state| state.to_string());
    Ok((name, Columns::of_table(&answer.table)?, answer.model_version.clone(), model, schema, state))
}

fn wanted(explain: &str) -> PyResult<Explain> {
    explain.parse().map_err(|error: NotExplain| usage(format!("explain: {explain:?} is not {error}")))
}

fn refused(error: ScoreError) -> PyErr {
    match &error {
        ScoreError::Build { .. } => data(error),
        _ => model(error),
    }
}

#[pymethods]
impl Models {
    /// Every model's answer to a batch.
    fn answers(&self, py: Python<'_>, batch: &Batch, explain: &str) -> PyResult<Vec<Told>> {
        let explain = wanted(explain)?;
        spread(py, || self.models.answers(&batch.tables, explain).map_err(refused)?.iter().map(told).collect())
    }

    /// Writes the answers and their receipts as a directory; the names of its tables.
    fn write(&self, py: Python<'_>, batch: &Batch, key: &ReceiptKey, place: Place) -> PyResult<Vec<String>> {
        let input = batch.input.ok_or_else(|| usage("a receipt is for a batch directory: write the batch first"))?;
        let explain = wanted(&place.explain)?;
        spread(py, || {
            let answers = self.models.answers(&batch.tables, explain).map_err(refused)?;
            let signing = Signing { key: &key.key, input, timestamp: now_ms() };
            write_answers(&place.target, &answers, &signing, place.replace).map_err(data)
        })
    }
}

/// The models that `directory` names.
#[pyfunction]
#[pyo3(signature = (directory, history=None))]
pub(super) fn load_models(py: Python<'_>, directory: PathBuf, history: Option<PathBuf>) -> PyResult<Models> {
    py.detach(|| {
        let files = ModelFiles { history, ..ModelFiles::in_directory(&directory).map_err(model)? };
        OfflineModels::load(&files).map(|models| Models { models }).map_err(refused)
    })
}
