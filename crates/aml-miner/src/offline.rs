//! Scores a batch without a server: the same models, features and bits as the API gives.
//!
//! The answers are tables, one row per alert or cluster; they do not depend on the number of threads.

mod day;
mod tables;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::digest::Digest;
use crate::features::{BuildError, Matrix, SchemaError};
use crate::history::{History, HistoryError, Standing};
use crate::models::{ModelError, ModelFiles, ModelKind, NeedsState, OtherScorer, TreeModel};
use crate::scoring::{Choice, Named, Prepared, Stop, Stopped, ranks, severe};
use crate::wire::reply::explanation_text;
use crate::wire::{Batch, Explain, Table, TextColumn};

#[cfg(feature = "judging")]
pub(crate) use day::{Batches, Wanted, read_day};
pub use day::{Blocks, ScoreDayError};
pub use tables::{CLUSTER_SCORES, RANKINGS, SCORES};
pub use write::{Signing, receipt_name, write_answers};

/// The models that score a batch; one that is absent gives no answer.
#[derive(Default)]
pub struct OfflineModels {
    alert_scorer: Option<Prepared>,
    alert_ranker: Option<Prepared>,
    cluster_scorer: Option<Prepared>,
    state: Option<Arc<History>>,
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
    /// SHA-256 of the state that the model read beside the batch; `None` without one.
    pub state: Option<Digest>,
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
    /// The cluster scorer was trained on another alert scorer.
    #[error(transparent)]
    OtherScorer(#[from] OtherScorer),
    /// The state of addresses cannot be used.
    #[error(transparent)]
    State(#[from] HistoryError),
    /// A model needs a state, and none is named.
    #[error(transparent)]
    NeedsState(#[from] NeedsState),
    /// Nobody waits for it any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl OfflineModels {
    /// Loads the models at `files`.
    ///
    /// # Errors
    /// The first bundle that is missing, broken or different from its metadata.
    pub fn load(files: &ModelFiles) -> Result<Self, ScoreError> {
        files.check_pair()?;
        let state = files.state()?;
        let load = |path, kind| load(path, kind, state.as_ref());
        Ok(Self {
            alert_scorer: load(files.alert_scorer.as_deref(), ModelKind::AlertScorer)?,
            alert_ranker: load(files.alert_ranker.as_deref(), ModelKind::AlertRanker)?,
            cluster_scorer: load(files.cluster_scorer.as_deref(), ModelKind::ClusterScorer)?,
            state,
        })
    }

    /// How the state that a model asks stands to the day of a batch (days since 1970-01-01); `None` where no model asks one.
    #[must_use]
    pub fn standing(&self, day: i32) -> Option<Standing> {
        let models = [&self.alert_scorer, &self.alert_ranker, &self.cluster_scorer];
        let asked = models.into_iter().flatten().any(|model| model.history().is_some());
        self.state.as_ref().filter(|_| asked).map(|state| state.on(day))
    }

    /// Every model's answer, explained as `explain` says. Work is spread over the rayon pool that the caller runs in.
    ///
    /// # Errors
    /// When a model does not fit this program or the batch.
    pub fn answers(&self, batch: &Batch, explain: Explain) -> Result<Vec<Answer>, ScoreError> {
        let scored = |model: &Prepared, matrix: &Matrix, ids: &TextColumn| {
            let severe = severe(explain, model.model.schema().rows, batch);
            let choice = Choice::of(explain, model, matrix, Named { ids, severe: &severe }, &Stop::default())?;
            scores(model, matrix, &choice)
        };
        let mut answers = Vec::new();
        let mut alert_scores = None;
        if let Some(model) = &self.alert_scorer {
            let ids = ids(&batch.alerts);
            let column = scored(model, &matrix_of(model, batch, None)?, &ids)?;
            answers.push(answer(model, tables::scores(&SCORES, ids, model.model.version(), &column)));
            alert_scores = Some(column.scores);
        }
        if let Some(model) = &self.alert_ranker {
            let scores = model.scores(&matrix_of(model, batch, None)?, &Stop::default())?;
            let ids = ids(&batch.alerts);
            let ranks = ranks(&scores, &ids.iter().collect::<Vec<_>>());
            answers.push(answer(model, tables::rankings(ids, &ranks, &scores)));
        }
        if let Some(model) = &self.cluster_scorer {
            if alert_scores.is_none() && model.takes_alert_scores() {
                return Err(ScoreError::NoAlertScorer);
            }
            let ids = ids(&batch.clusters);
            let column = scored(model, &matrix_of(model, batch, alert_scores.as_deref())?, &ids)?;
            let table = tables::scores(&CLUSTER_SCORES, ids, model.model.version(), &column);
            let mut answer = answer(model, table);
            answer.state = self.state_behind(model);
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The state behind the answers of `model`: its own, else that of the alert scorer whose scores it takes.
    fn state_behind(&self, model: &Prepared) -> Option<Digest> {
        let scorer = self.alert_scorer.as_ref().filter(|_| model.takes_alert_scores());
        model.state.or_else(|| scorer.and_then(|scorer| scorer.state))
    }
}

fn load(path: Option<&Path>, kind: ModelKind, state: Option<&Arc<History>>) -> Result<Option<Prepared>, ScoreError> {
    let Some(path) = path else { return Ok(None) };
    let model = TreeModel::load(path, kind)?;
    let version = model.entry().lightgbm_version();
    let unknown = |source| ScoreError::Schema { model: kind.name().to_owned(), source };
    Ok(Some(Prepared::new(Arc::new(model), version).map_err(unknown)?.knowing(state)?))
}

fn answer(model: &Prepared, table: Table) -> Answer {
    let (model_version, schema) = (model.model.version().to_owned(), model.schema_hash);
    Answer { table, model_version, model: model.model.digest(), schema, state: model.state }
}

fn ids(table: &Table) -> TextColumn {
    let key = table.spec().key.unwrap_or_default();
    table.texts(key).cloned().unwrap_or_default()
}

fn matrix_of(model: &Prepared, batch: &Batch, alert_scores: Option<&[f64]>) -> Result<Matrix, ScoreError> {
    let failed = |source| ScoreError::Build { model: model.model.name().to_owned(), source };
    model.matrix(batch, alert_scores).map_err(failed)
}

/// Every row's score and the text that explains it; of a row that is not explained an empty object.
fn scores(model: &Prepared, matrix: &Matrix, choice: &Choice) -> Result<tables::Scores, Stopped> {
    let blocks = model.map(matrix, choice, &Stop::default(), |block| {
        let explained = |row: crate::scoring::ScoredRow<'_>| {
            let text = row.explanation().map(|explanation| explanation_text(row.score, explanation));
            (row.score, text.unwrap_or_else(|| "{}".to_owned()))
        };
        block.rows().map(explained).collect::<Vec<_>>()
    })?;
    let (scores, texts): (Vec<f64>, Vec<String>) = blocks.into_iter().flatten().unzip();
    Ok(tables::Scores { scores, explanations: choice.explains().then_some(texts) })
}
