//! Scores a batch without a server: the same models, features and bits as the API gives.
//!
//! The answers are tables, one row an alert or a cluster; they do not depend on the number of threads.

mod files;
mod tables;
mod write;

use crate::digest::Digest;
use crate::features::{BuildError, FeatureBuilder, Matrix, SchemaError};
use crate::models::alert_ranker::ranks;
use crate::models::blocks::{self, Pool, predict, rows_of};
use crate::models::{AlertRanker, AlertScorer, BaseModel, ClusterScorer, ModelError};
use crate::wire::{Batch, Spread as _, Table, TextColumn};

pub use files::{FindModelsError, ModelFiles};
pub use tables::{CLUSTER_SCORES, RANKINGS, SCORES};
pub use write::{Signing, receipt_name, write_answers};

/// The models that score a batch; one that is absent gives no answer.
#[derive(Debug, Default)]
pub struct OfflineModels {
    alert_scorer: Option<AlertScorer>,
    alert_ranker: Option<AlertRanker>,
    cluster_scorer: Option<ClusterScorer>,
}

/// One model's answer to a batch, with what a receipt says about the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The rows: [`SCORES`], [`RANKINGS`] or [`CLUSTER_SCORES`].
    pub table: Table,
    /// Semantic version and digest of the model.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub model: Digest,
    /// Hash of the model's schema.
    pub schema: Digest,
}

/// Why a batch was not scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// A model cannot be loaded.
    #[error(transparent)]
    Load(#[from] ModelError),
    /// A model names a feature that is not known.
    #[error("the {model} cannot be used")]
    Schema {
        /// The model.
        model: String,
        /// Why.
        source: SchemaError,
    },
    /// The features cannot be built.
    #[error("the features of the {model} cannot be built")]
    Build {
        /// The model.
        model: String,
        /// Why.
        source: BuildError,
    },
    /// The clusters' features need the alert scorer.
    #[error("the cluster scorer takes the scores of an alert scorer, and none is given")]
    NoAlertScorer,
}

impl OfflineModels {
    /// Loads the models at `files`.
    ///
    /// # Errors
    /// The first bundle that is missing, broken or different from its metadata.
    pub fn load(files: &ModelFiles) -> Result<Self, ScoreError> {
        Ok(Self {
            alert_scorer: files.alert_scorer.as_deref().map(AlertScorer::load).transpose()?,
            alert_ranker: files.alert_ranker.as_deref().map(AlertRanker::load).transpose()?,
            cluster_scorer: files.cluster_scorer.as_deref().map(ClusterScorer::load).transpose()?,
        })
    }

    /// Every model's answer. Work is spread over the rayon pool that the caller runs in.
    ///
    /// # Errors
    /// When a model does not fit this program or the batch.
    pub fn answers(&self, batch: &Batch, explain: bool) -> Result<Vec<Answer>, ScoreError> {
        let mut answers = Vec::new();
        let mut alert_scores = None;
        if let Some(model) = &self.alert_scorer {
            let matrix = matrix_of(model, batch, None)?;
            let scores = predict(model, &matrix);
            let explanations = explain.then(|| explanations(model, &matrix, &scores));
            answers.push(answer(model, tables::scores(&SCORES, ids(&batch.alerts), model, (&scores, explanations))));
            alert_scores = Some(scores);
        }
        if let Some(model) = &self.alert_ranker {
            let scores = predict(model, &matrix_of(model, batch, None)?);
            let ids = ids(&batch.alerts);
            let ranks = ranks(&scores, &ids.iter().collect::<Vec<_>>());
            answers.push(answer(model, tables::rankings(ids, &ranks, &scores)));
        }
        if let Some(model) = &self.cluster_scorer {
            if alert_scores.is_none() && model.schema().takes_alert_scores() {
                return Err(ScoreError::NoAlertScorer);
            }
            let matrix = matrix_of(model, batch, alert_scores.as_deref())?;
            let scores = predict(model, &matrix);
            let explanations = explain.then(|| explanations(model, &matrix, &scores));
            let table = tables::scores(&CLUSTER_SCORES, ids(&batch.clusters), model, (&scores, explanations));
            answers.push(answer(model, table));
        }
        Ok(answers)
    }
}

fn answer(model: &dyn BaseModel, table: Table) -> Answer {
    let (model_version, schema) = (model.version().to_owned(), model.schema().hash());
    Answer { table, model_version, model: model.digest(), schema }
}

fn ids(table: &Table) -> TextColumn {
    let key = table.spec().key.unwrap_or_default();
    table.texts(key).cloned().unwrap_or_default()
}

fn matrix_of(model: &dyn BaseModel, batch: &Batch, alert_scores: Option<&[f64]>) -> Result<Matrix, ScoreError> {
    let named = || model.name().to_owned();
    let builder =
        FeatureBuilder::new(model.schema()).map_err(|source| ScoreError::Schema { model: named(), source })?;
    blocks::matrix(model, &builder, batch, alert_scores).map_err(|source| ScoreError::Build { model: named(), source })
}

/// The text of every row's explanation.
fn explanations(model: &dyn BaseModel, matrix: &Matrix, scores: &[f64]) -> Vec<String> {
    let blocks = blocks::blocks(matrix.rows());
    let block = |index: usize| {
        let (rows, scores) = (rows_of(matrix, blocks[index]), &scores[blocks[index].0..blocks[index].1]);
        let mut contributions = vec![0.0; rows.len()];
        model.explain_into(rows, &mut contributions);
        let columns = matrix.columns();
        let one = |(row, &score): (usize, &f64)| {
            let range = row * columns..(row + 1) * columns;
            tables::explanation(model, score, &rows[range.clone()], &contributions[range])
        };
        scores.iter().enumerate().map(one).collect::<Vec<String>>()
    };
    Pool.map(blocks.len(), block).concat()
}
