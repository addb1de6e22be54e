//! A model with everything that is made for it once, and its way through a batch.

use std::ops::Range;
use std::sync::Arc;

use super::blocks::map_blocks;
use super::choice::Choice;
use super::explanation::{Extent, impacts};
use super::stop::{Stop, Stopped};
use crate::digest::Digest;
use crate::features::{BuildError, FeatureBuilder, Matrix, RowKind, SchemaError};
use crate::history::History;
use crate::models::{BaseModel, NeedsState, with_state};
use crate::wire::reply::{Explanation, FeatureNames, Impact};
use crate::wire::{Batch, Explain, Needs};

/// A model and what is prepared for it once.
pub struct Prepared {
    /// The model.
    pub model: Arc<dyn BaseModel>,
    /// Builds its matrix.
    pub builder: FeatureBuilder,
    /// Names of its features, as explanations write them.
    pub names: FeatureNames,
    /// Columns of a batch that it reads.
    pub needs: Needs,
    /// Hash of its schema.
    pub schema_hash: Digest,
    /// SHA-256 of the state file that it reads beside a batch, as receipts say it; `None` without one.
    pub state: Option<Digest>,
    /// Version of LightGBM that trained it, where that is known.
    pub lightgbm_version: Option<String>,
}

/// The rows of one block: scored, and explained where that is wanted.
pub struct Block<'a> {
    prepared: &'a Prepared,
    extent: Extent,
    first: usize,
    values: &'a [f64],
    scores: Vec<f64>,
    /// Which of its rows are explained.
    explained: Vec<bool>,
    /// Of those that are, one after another.
    contributions: Vec<f64>,
}

/// One row of a block.
#[derive(Debug)]
pub struct ScoredRow<'a> {
    /// Its place in the matrix.
    pub row: usize,
    /// Its score.
    pub score: f64,
    names: &'a FeatureNames,
    base_value: f64,
    impacts: Option<Vec<Impact>>,
}

impl Prepared {
    /// Prepares `model`.
    ///
    /// # Errors
    /// When its schema names a feature that is not known.
    pub fn new(model: Arc<dyn BaseModel>, lightgbm_version: Option<String>) -> Result<Self, SchemaError> {
        let schema = model.schema();
        let builder = FeatureBuilder::new(schema)?;
        let names = FeatureNames::new(&schema.features);
        let (needs, schema_hash) = (builder.columns(), schema.hash());
        Ok(Self { builder, names, needs, schema_hash, state: None, lightgbm_version, model })
    }

    /// The same with the state of addresses that its features of earlier days ask, where it has such.
    ///
    /// # Errors
    /// When it has such and there is no state.
    pub fn knowing(mut self, state: Option<&Arc<History>>) -> Result<Self, NeedsState> {
        self.builder = with_state(self.builder, self.model.name(), state)?;
        self.state = self.history().and_then(|history| history.sha256());
        Ok(self)
    }

    /// The state of addresses that it asks, where it asks one.
    #[must_use]
    pub fn history(&self) -> Option<&Arc<History>> {
        self.builder.history()
    }

    /// Columns of a batch that it reads where so much is explained.
    #[must_use]
    pub fn needs_for(&self, explain: Explain) -> Needs {
        match (explain, self.model.schema().rows) {
            (Explain::Share(_), RowKind::Alert) => self.needs.with("alerts", "severity"),
            (Explain::Share(_), RowKind::Cluster) => self.needs.with("clusters", "severity_max"),
            _ => self.needs,
        }
    }

    /// Whether its features include the alert scorer's scores.
    #[must_use]
    pub fn takes_alert_scores(&self) -> bool {
        self.model.schema().takes_alert_scores()
    }

    /// The model's matrix of `batch`.
    ///
    /// # Errors
    /// When a feature cannot be built.
    pub fn matrix(&self, batch: &Batch, alert_scores: Option<&[f64]>) -> Result<Matrix, BuildError> {
        self.matrix_until(batch, alert_scores, &Stop::default())
    }

    /// As [`Prepared::matrix`], as long as it is wanted.
    ///
    /// # Errors
    /// When a feature cannot be built, or the work is no longer wanted.
    pub fn matrix_until(&self, batch: &Batch, alert_scores: Option<&[f64]>, stop: &Stop) -> Result<Matrix, BuildError> {
        let wanted = || stop.check().is_ok();
        let built = match self.model.schema().rows {
            RowKind::Alert => self.builder.alerts_while(batch, &wanted)?,
            RowKind::Cluster => self.builder.clusters_while(batch, alert_scores, &wanted)?,
        };
        Ok(built.matrix)
    }

    /// One score per row.
    ///
    /// # Errors
    /// When the work is no longer wanted.
    pub fn scores(&self, matrix: &Matrix, stop: &Stop) -> Result<Vec<f64>, Stopped> {
        Ok(map_blocks(matrix.rows(), 0, stop, |rows| self.block(matrix, rows, &Choice::Nothing).scores)?.concat())
    }

    /// What `write` makes of each block of rows, explained as `choice` says, in order.
    ///
    /// # Errors
    /// When the work is no longer wanted.
    pub fn map<T: Send>(
        &self,
        matrix: &Matrix,
        choice: &Choice,
        stop: &Stop,
        write: impl Fn(&Block<'_>) -> T + Sync + Send,
    ) -> Result<Vec<T>, Stopped> {
        let steps = self.model.explain_steps().filter(|_| choice.explains()).unwrap_or(0);
        map_blocks(matrix.rows(), steps, stop, |rows| write(&self.block(matrix, rows, choice)))
    }

    fn block<'a>(&'a self, matrix: &'a Matrix, rows: Range<usize>, choice: &Choice) -> Block<'a> {
        let columns = matrix.columns();
        let values = &matrix.values()[rows.start * columns..rows.end * columns];
        let first = rows.start;
        let mut scores = vec![0.0; rows.len()];
        let mut contributions = Vec::new();
        let (extent, explained) = match choice {
            Choice::Nothing => {
                self.model.predict_into(values, &mut scores);
                (Extent::Top, vec![false; rows.len()])
            }
            Choice::All(extent) => {
                contributions.resize(values.len(), 0.0);
                self.model.predict_and_explain_into(values, &mut scores, &mut contributions);
                (*extent, vec![true; rows.len()])
            }
            Choice::Some { scores: known, rows: chosen } => {
                let explained = chosen[rows.clone()].to_vec();
                scores.copy_from_slice(&known[rows]);
                let chosen =
                    explained.iter().zip(values.chunks_exact(columns.max(1))).filter(|(explained, _)| **explained);
                let gathered: Vec<f64> = chosen.flat_map(|(_, row)| row.iter().copied()).collect();
                contributions.resize(gathered.len(), 0.0);
                let mut again = vec![0.0; gathered.len() / columns.max(1)];
                self.model.predict_and_explain_into(&gathered, &mut again, &mut contributions);
                (Extent::Top, explained)
            }
        };
        Block { prepared: self, extent, first, values, scores, explained, contributions }
    }
}

impl Block<'_> {
    /// Its rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = ScoredRow<'_>> {
        let columns = self.values.len() / self.scores.len().max(1);
        let base_value = self.prepared.model.base_value();
        let mut contributions = self.contributions.chunks_exact(columns.max(1));
        self.scores.iter().zip(&self.explained).enumerate().map(move |(offset, (&score, &explained))| {
            let values = &self.values[offset * columns..(offset + 1) * columns];
            let of_row = explained.then(|| contributions.next()).flatten();
            let impacts = of_row.map(|contributions| impacts(values, contributions, self.extent));
            ScoredRow { row: self.first + offset, score, names: &self.prepared.names, base_value, impacts }
        })
    }
}

impl ScoredRow<'_> {
    /// What explains the score, where that is wanted.
    #[must_use]
    pub fn explanation(&self) -> Option<Explanation<'_>> {
        let impacts = self.impacts.as_deref()?;
        Some(Explanation { names: self.names, base_value: self.base_value, impacts })
    }
}
