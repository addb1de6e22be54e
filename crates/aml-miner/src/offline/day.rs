//! A day of any size, scored a block of alerts after another.
//!
//! Each table is read once (the clusters twice), a group of rows at a time, and checked as `verify` does. Rows go to the
//! blocks that need them: an address to the blocks of its alerts, an edge to those of its ends, a cluster to those of the
//! alerts that it is the first to name, and alerts, addresses and edges also to the blocks of clusters. A block is then a
//! small batch of its own, from which the same features follow as from the whole day. In memory stay one number for each
//! address and edge, the ids and the scores.

mod answers;
mod batches;
mod facts;
mod flows;
mod lists;
mod members;
mod reading;
mod rows;
mod sending;
mod spools;
mod wanted;

use std::io;
use std::path::{Path, PathBuf};

use super::write::Signing;
use super::{OfflineModels, ScoreError, scores, tables};
use crate::data::{BatchDir, ReadBatchError, Staging, WriteBatchError};
use crate::features::{Comparisons, Matrix};
use crate::scoring::{Choice, Extent, Named, Prepared, Stop, Stopped, chosen, ranks};
use crate::wire::{Explain, Share};
use answers::{Answers, ScoreFile};
pub(crate) use batches::Batches;
use reading::Reading;
pub(crate) use wanted::Wanted;

/// How a day is cut into blocks.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Alerts of a block, and what a block of clusters names: a few ten MB of features.
    pub rows: usize,
    /// Rows of a table that are read at once, at most.
    pub read: usize,
    /// Bytes of all blocks that wait in memory; more wait in a temporary file beside the answers.
    pub held: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { rows: 16_384, read: 131_072, held: 64 << 20 }
    }
}

/// Why a day was not scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreDayError {
    /// The batch cannot be used.
    #[error(transparent)]
    Batch(#[from] ReadBatchError),
    /// A model does not fit.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The answers cannot be written.
    #[error(transparent)]
    Write(#[from] WriteBatchError),
    /// The temporary file cannot be used.
    #[error("cannot keep rows in a temporary file in {path}: {source}", path = path.display())]
    Spool {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The blocks of the batch in `directory`, of which all was checked; rows that must wait do so in a temporary file in `place`.
///
/// # Errors
/// When the batch breaks a rule, or the temporary file cannot be used.
#[cfg(feature = "judging")]
pub(crate) fn read_day(
    directory: &BatchDir,
    wanted: Wanted,
    blocks: Blocks,
    place: &Path,
) -> Result<Batches, ScoreDayError> {
    Reading::new(wanted, directory, blocks).read(place)
}

impl OfflineModels {
    /// Scores the batch in `directory`, however large, into the directory `target`: the names of the tables of answers. Work
    /// is spread over the rayon pool that the caller runs in; neither that nor `blocks` changes a bit of an answer.
    ///
    /// # Errors
    /// When the batch breaks a rule, a model does not fit, or `target` is there and is not to be replaced.
    pub fn score_day(
        &self,
        directory: &BatchDir,
        explain: Explain,
        blocks: Blocks,
        (target, signing, replace): (&Path, &Signing<'_>, bool),
    ) -> Result<Vec<String>, ScoreDayError> {
        let staging = Staging::beside(target, replace)?;
        if self.alert_scorer.is_none() && self.cluster_scorer.as_ref().is_some_and(Prepared::takes_alert_scores) {
            return Err(ScoreError::NoAlertScorer.into());
        }
        let batches = Reading::new(Wanted::of_models(self, explain), directory, blocks).read(staging.path())?;
        let mut run = Run { models: self, explain, batches, answers: Answers::new(&staging, signing) };
        let alert_scores = run.alerts()?;
        run.clusters(alert_scores.as_deref())?;
        let names = run.answers.finish();
        staging.publish()?;
        Ok(names)
    }
}

impl From<Stopped> for ScoreDayError {
    fn from(stopped: Stopped) -> Self {
        Self::Score(stopped.into())
    }
}

struct Run<'a> {
    models: &'a OfflineModels,
    explain: Explain,
    batches: Batches,
    answers: Answers<'a>,
}

impl Run<'_> {
    /// Answers for alerts: the scores, where there is a scorer.
    fn alerts(&mut self) -> Result<Option<Vec<f64>>, ScoreDayError> {
        let models = self.models;
        let rows = self.batches.alert_ids.len();
        let share = share_of(self.explain);
        let mut scored = models.alert_scorer.as_ref().map(|model| (model, Vec::with_capacity(rows)));
        let mut ranked = models.alert_ranker.as_ref().map(|model| (model, Vec::with_capacity(rows)));
        let mut file = match &scored {
            Some((model, _)) if share.is_none() => Some(self.answers.scores(&tables::SCORES, model, rows)?),
            _ => None,
        };
        for block in 0..self.batches.of_alerts {
            let batch = self.batches.of_block(block)?;
            if let Some((model, scores)) = &mut scored {
                let matrix = matrix(model, &batch, None, self.batches.compared.as_ref())?;
                self.add(model, &matrix, &mut file, scores)?;
            }
            if let Some((model, scores)) = &mut ranked {
                let matrix = matrix(model, &batch, None, self.batches.compared.as_ref())?;
                scores.extend(model.scores(&matrix, &Stop::default())?);
            }
        }
        if let Some((model, scores)) = &scored {
            if let Some(share) = share {
                file = Some(self.explained_alerts(model, scores, share)?);
            }
            if let Some(file) = file {
                self.answers.add(file, model, model.state)?;
            }
        }
        if let Some((model, scores)) = ranked {
            let ids = &self.batches.alert_ids;
            let ranks = ranks(&scores, &ids.iter().collect::<Vec<_>>());
            self.answers.table(&tables::rankings(ids.clone(), &ranks, &scores), model)?;
        }
        Ok(scored.map(|(_, scores)| scores))
    }

    /// Scores a block, explains it where each row or none is explained, and writes it where there is a file.
    fn add(
        &self,
        model: &Prepared,
        matrix: &Matrix,
        file: &mut Option<ScoreFile>,
        all: &mut Vec<f64>,
    ) -> Result<(), ScoreDayError> {
        let Some(file) = file else {
            all.extend(model.scores(matrix, &Stop::default())?);
            return Ok(());
        };
        let choice = match self.explain {
            Explain::Top => Choice::All(Extent::Top),
            Explain::Full => Choice::All(Extent::Full),
            Explain::None | Explain::Share(_) => Choice::Nothing,
        };
        let block = scores(model, matrix, &choice)?;
        let ids = if file.is_of_alerts() { &self.batches.alert_ids } else { &self.batches.cluster_ids };
        file.add(ids, &block)?;
        all.extend(&block.scores);
        Ok(())
    }

    /// The answers for alerts of which a share is explained: which, is known when all are scored.
    fn explained_alerts(&mut self, model: &Prepared, all: &[f64], share: Share) -> Result<ScoreFile, ScoreDayError> {
        let named = Named { ids: &self.batches.alert_ids, severe: &self.batches.severe_alerts };
        let chosen = chosen(all, named, share);
        let mut file = self.answers.scores(&tables::SCORES, model, all.len())?;
        let mut start = 0;
        for block in 0..self.batches.of_alerts {
            let batch = self.batches.of_block(block)?;
            let rows = start..start + batch.alerts.rows();
            start = rows.end;
            let matrix = matrix(model, &batch, None, self.batches.compared.as_ref())?;
            let choice = Choice::Some { scores: all[rows.clone()].to_vec(), rows: chosen[rows].to_vec() };
            file.add(&self.batches.alert_ids, &scores(model, &matrix, &choice)?)?;
        }
        Ok(file)
    }

    /// Answers for clusters.
    fn clusters(&mut self, alert_scores: Option<&[f64]>) -> Result<(), ScoreDayError> {
        let Some(model) = &self.models.cluster_scorer else { return Ok(()) };
        let rows = self.batches.cluster_ids.len();
        let share = share_of(self.explain);
        let mut all = Vec::with_capacity(rows);
        let mut file = None;
        if share.is_none() {
            file = Some(self.answers.scores(&tables::CLUSTER_SCORES, model, rows)?);
        }
        for block in 0..self.batches.of_clusters {
            let matrix = self.cluster_matrix(model, block, alert_scores)?;
            self.add(model, &matrix, &mut file, &mut all)?;
        }
        if let Some(share) = share {
            let named = Named { ids: &self.batches.cluster_ids, severe: &self.batches.severe_clusters };
            let chosen = chosen(&all, named, share);
            let mut explained = self.answers.scores(&tables::CLUSTER_SCORES, model, rows)?;
            let mut start = 0;
            for block in 0..self.batches.of_clusters {
                let matrix = self.cluster_matrix(model, block, alert_scores)?;
                let rows = start..start + matrix.rows();
                start = rows.end;
                let choice = Choice::Some { scores: all[rows.clone()].to_vec(), rows: chosen[rows].to_vec() };
                explained.add(&self.batches.cluster_ids, &scores(model, &matrix, &choice)?)?;
            }
            file = Some(explained);
        }
        if let Some(file) = file {
            self.answers.add(file, model, self.models.state_behind(model))?;
        }
        Ok(())
    }

    /// The rows of the clusters of a block, without those that are only there for their alerts.
    fn cluster_matrix(
        &mut self,
        model: &Prepared,
        block: usize,
        alert_scores: Option<&[f64]>,
    ) -> Result<Matrix, ScoreDayError> {
        let (batch, alerts, own) = self.batches.of_cluster_block(block)?;
        let scores = alert_scores.map(|scores| alerts.iter().map(|&row| scores[row as usize]).collect::<Vec<_>>());
        let all = matrix(model, &batch, scores.as_deref(), self.batches.compared.as_ref())?;
        if own.len() == all.rows() {
            return Ok(all);
        }
        let mut rows = Matrix::missing(own.len(), all.columns());
        own.iter().enumerate().for_each(|(row, &of)| rows.row_mut(row).copy_from_slice(all.row(of)));
        Ok(rows)
    }
}

fn share_of(explain: Explain) -> Option<Share> {
    match explain {
        Explain::Share(share) => Some(share),
        Explain::None | Explain::Top | Explain::Full => None,
    }
}

fn matrix(
    model: &Prepared,
    batch: &crate::wire::Batch,
    alert_scores: Option<&[f64]>,
    day: Option<&Comparisons>,
) -> Result<Matrix, ScoreError> {
    let failed = |source| ScoreError::Build { model: model.model.name().to_owned(), source };
    model.matrix_within(batch, alert_scores, day).map_err(failed)
}
