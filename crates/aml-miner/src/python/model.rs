//! One model: a bundle that scores and explains, and how a model from elsewhere becomes one.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::{ParallelSlice as _, ParallelSliceMut as _};

use super::arrow::Columns;
use super::batch::{Batch, day};
use super::errors::{data, model, usage};
use super::pool::spread;
use crate::clock::SystemClock;
use crate::features::Matrix;
use crate::models::{ModelFiles, ModelKind, TreeModel};
use crate::scoring::{Prepared, Stop};
use crate::training::adopt::{AdoptError, Adoption, adopt};
use crate::training::assemble::Range;
use crate::training::watch::Silent;

/// Rows that are explained by one thread at once.
const BLOCK_ROWS: usize = 64;

/// A bundle, ready to score and explain.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct Model {
    prepared: Prepared,
    entry: String,
    path: PathBuf,
}

/// A kind of model by its name.
fn kind_of(name: &str) -> PyResult<ModelKind> {
    let kinds = [ModelKind::AlertScorer, ModelKind::AlertRanker, ModelKind::ClusterScorer];
    let wrong = || usage(format!("`{name}` is no kind of model: alert_scorer, alert_ranker or cluster_scorer"));
    kinds.into_iter().find(|kind| kind.name() == name).ok_or_else(wrong)
}

/// The doubles whose bytes these are, as the machine has them.
pub(super) fn doubles(bytes: &[u8]) -> Vec<f64> {
    let value = |bytes: &[u8]| bytes.try_into().map_or(f64::NAN, f64::from_ne_bytes);
    bytes.chunks_exact(size_of::<f64>()).map(value).collect()
}

impl Model {
    /// Whole rows of the model's features.
    fn matrix_of(&self, rows: &[u8]) -> PyResult<Matrix> {
        let columns = self.prepared.model.schema().features.len();
        if !rows.len().is_multiple_of(columns * size_of::<f64>()) {
            let values = rows.len() / size_of::<f64>();
            return Err(usage(format!("{values} values are no whole rows of the model's {columns} features")));
        }
        Ok(Matrix::from_rows(columns, doubles(rows)))
    }
}

#[pymethods]
impl Model {
    /// The model's file.
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// What it is for.
    fn kind(&self) -> String {
        self.prepared.model.name().to_owned()
    }

    /// Semantic version and digest.
    fn version(&self) -> String {
        self.prepared.model.version().to_owned()
    }

    /// SHA-256 of the model file, hash of its schema, SHA-256 of its state.
    fn digests(&self) -> (String, String, Option<String>) {
        let state = self.prepared.state.map(|state| state.to_string());
        (self.prepared.model.digest().to_string(), self.prepared.schema_hash.to_string(), state)
    }

    /// Its features, in order.
    fn features(&self) -> Vec<String> {
        self.prepared.model.schema().features.clone()
    }

    /// The expected raw score.
    fn base_value(&self) -> f64 {
        self.prepared.model.base_value()
    }

    /// Its entry in `model_metadata.json`.
    fn entry(&self) -> String {
        self.entry.clone()
    }

    /// Its matrix of a batch, row by row.
    #[pyo3(signature = (batch, alert_scores=None))]
    fn matrix(&self, py: Python<'_>, batch: &Batch, alert_scores: Option<&[u8]>) -> PyResult<Columns> {
        spread(py, || {
            let scores = alert_scores.map(doubles);
            let matrix = self.prepared.matrix(&batch.tables, scores.as_deref()).map_err(model)?;
            Columns::of_numbers(matrix.values().to_vec())
        })
    }

    /// One score per row.
    fn predict(&self, py: Python<'_>, rows: &[u8]) -> PyResult<Columns> {
        spread(py, || {
            let scores = self.prepared.scores(&self.matrix_of(rows)?, &Stop::default()).map_err(model)?;
            Columns::of_numbers(scores)
        })
    }

    /// What each value adds to its row's raw score.
    fn explain(&self, py: Python<'_>, rows: &[u8]) -> PyResult<Columns> {
        spread(py, || {
            let matrix = self.matrix_of(rows)?;
            let mut contributions = vec![0.0; matrix.values().len()];
            let block = BLOCK_ROWS * matrix.columns();
            let blocks = contributions.par_chunks_mut(block).zip(matrix.values().par_chunks(block));
            blocks.for_each(|(out, rows)| self.prepared.model.explain_into(rows, out));
            Columns::of_numbers(contributions)
        })
    }
}

/// The bundle at `path`: a model file, or a directory with one model of the kind.
#[pyfunction]
#[pyo3(signature = (path, kind, history=None))]
pub(super) fn load_model(py: Python<'_>, path: PathBuf, kind: &str, history: Option<PathBuf>) -> PyResult<Model> {
    let kind = kind_of(kind)?;
    py.detach(|| {
        let file = if path.is_dir() {
            let files = ModelFiles::in_directory(&path).map_err(model)?;
            let found = match kind {
                ModelKind::AlertScorer => files.alert_scorer,
                ModelKind::AlertRanker => files.alert_ranker,
                ModelKind::ClusterScorer => files.cluster_scorer,
            };
            found.ok_or_else(|| usage(format!("{} has no {kind}", path.display())))?
        } else {
            path
        };
        let loaded = TreeModel::load(&file, kind).map_err(model)?;
        let version = loaded.entry().lightgbm_version();
        let entry = serde_json::to_string(loaded.entry()).map_err(model)?;
        let state = ModelFiles { history, ..ModelFiles::default() }.state().map_err(data)?;
        let prepared =
            Prepared::new(Arc::new(loaded), version).map_err(model)?.knowing(state.as_ref()).map_err(model)?;
        Ok(Model { prepared, entry, path: file })
    })
}

/// How a model from elsewhere is taken.
#[derive(FromPyObject)]
pub(super) struct Taking {
    #[pyo3(item)]
    kind: String,
    #[pyo3(item)]
    schema: Option<PathBuf>,
    #[pyo3(item)]
    version: String,
    #[pyo3(item)]
    replace: bool,
    #[pyo3(item)]
    calibrate: Option<PathBuf>,
    #[pyo3(item)]
    start: Option<String>,
    #[pyo3(item)]
    end: Option<String>,
    #[pyo3(item)]
    history: Option<PathBuf>,
    #[pyo3(item)]
    values_are_codes: bool,
}

/// Takes the model in the file `file` as it is into the directory `output`; the bundle's model file.
#[pyfunction]
pub(super) fn adopt_model(py: Python<'_>, file: PathBuf, output: PathBuf, taking: Taking) -> PyResult<PathBuf> {
    let start = taking.start.as_deref().map(day).transpose()?;
    let end = taking.end.as_deref().map(day).transpose()?;
    let kind = kind_of(&taking.kind)?;
    spread(py, || {
        let done = adopt(&Adoption {
            model: &file,
            kind,
            schema: taking.schema.as_deref(),
            version: &taking.version,
            output: &output,
            replace: taking.replace,
            calibrate: taking.calibrate.clone().map(|data_dir| Range {
                data_dir,
                start,
                end,
                history: taking.history.clone(),
            }),
            values_are_codes: taking.values_are_codes,
            watch: &Silent,
            clock: &SystemClock,
        });
        done.map(|done| done.path).map_err(|error| match &error {
            AdoptError::Assemble(_) => data(error),
            _ => model(error),
        })
    })
}
