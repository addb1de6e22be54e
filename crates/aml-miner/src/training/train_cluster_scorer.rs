//! Trains the cluster scorer: the calibrated probability that a cluster has a confirmed illicit member.
//!
//! Its rows hold the alert scorer's scores of the cluster's alerts. On days that the alert scorer was trained on those
//! scores would be too good, so there they come from scorers that have not seen the day: the days are cut into blocks,
//! and each block is scored by a model of the other blocks (without their rows on the block's addresses). Later days
//! are scored by the alert scorer itself, as they will be in service; by one of the split where the alert scorer was fitted once more
//! on everything known, and has seen them.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::features::{BuildError, FeatureBuilder};
use crate::models::bundle::ModelKind;
use crate::models::{Calibration, TreeModel};
use crate::training::assemble::{AlertScores, Assembled, OneDay, alerts, clusters};
use crate::training::calibration::probability;
use crate::training::evaluation::date_text;
use crate::training::fit::fit;
use crate::training::keeping::train_on;
use crate::training::record::TrainingRecord;
use crate::training::samples::{Day, Samples};
use crate::training::select::narrowed;
use crate::training::session::{Session, TrainError, Trained};
use crate::training::split::Split;
use crate::trees::forest::Forest;

/// Blocks of training days; each is scored by a model of the others.
const BLOCKS: usize = 4;

/// Reads, scores alerts out of fold, splits, grows, calibrates, judges and writes the cluster scorer.
///
/// # Errors
/// Whatever step fails; nothing is written then.
pub fn train_cluster_scorer(session: &Session<'_>) -> Result<Trained, TrainError> {
    let alerts = scorers_alerts(session)?;
    train_cluster_scorer_with(session, &alerts)
}

/// Like [`train_cluster_scorer`], with alerts that were read before, under the alert scorer's features.
///
/// # Errors
/// As [`train_cluster_scorer`]; also when the alerts were read under other features.
pub fn train_cluster_scorer_with(session: &Session<'_>, alerts: &Assembled) -> Result<Trained, TrainError> {
    let kind = ModelKind::ClusterScorer;
    train_on(session, kind, &cluster_rows(session, alerts)?)
}

/// The labelled alerts under the features of the alert scorer in the session's output directory, whatever the
/// configuration says: the cluster scorer is made for that scorer.
///
/// # Errors
/// When the alert scorer is not there, or a batch cannot be read.
pub fn scorers_alerts(session: &Session<'_>) -> Result<Assembled, TrainError> {
    let scorer = saved_scorer(session)?;
    let schema = &scorer.entry().schema;
    if *schema != session.schema(ModelKind::AlertScorer) {
        session
            .watch
            .note("the alert scorer was trained on other features than the configuration names: its own are used");
    }
    Ok(alerts(&session.range, schema, session.watch)?)
}

/// The labelled clusters, with alert scores as the alert scorer would have given them before it saw the day.
///
/// # Errors
/// When the alert scorer is not in the session's output directory, the alerts were read under other features than its
/// own, it learnt from days that this session holds out, or a batch cannot be read.
pub fn cluster_rows(session: &Session<'_>, alerts: &Assembled) -> Result<Assembled, TrainError> {
    let scorer = saved_scorer(session)?;
    let schema = &scorer.entry().schema;
    let alerts = match *schema == alerts.samples.schema {
        true => Cow::Borrowed(alerts),
        false => match narrowed(&alerts.samples, schema) {
            Some(samples) => Cow::Owned(Assembled { samples, ..alerts.clone() }),
            None => {
                let (scorer, given) = (schema.features.len(), alerts.samples.schema.features.len());
                return Err(TrainError::OtherFeatures { scorer, given });
            }
        },
    };
    let calibration = scorer.entry().calibration.clone();
    let builder = FeatureBuilder::new(schema)?;
    let split = session.split(&alerts)?;
    let mut blocks = out_of_fold(session, &split)?;
    match record(session).is_some_and(|record| record.refit.is_some()) {
        true => blocks.push(of_split(session, &split)?),
        false => check_days(session, &split)?,
    }
    let score = |day: &OneDay<'_>| -> Result<Vec<f64>, BuildError> {
        let (date, matrix) = (day.date(), day.knowing(&builder).alerts(day.batch())?.matrix);
        let block = blocks.iter().find(|block| block.first <= date && date <= block.last);
        Ok(match block {
            Some(block) => block.score(&matrix, &calibration),
            None => crate::models::BaseModel::predict(&scorer, &matrix),
        })
    };
    let scores = AlertScores { of: &score, needs_history: builder.needs_history() };
    Ok(clusters(&session.range, &session.schema(ModelKind::ClusterScorer), scores, session.watch)?)
}

fn saved_scorer(session: &Session<'_>) -> Result<TreeModel, TrainError> {
    TreeModel::load(&session.model_path(ModelKind::AlertScorer), ModelKind::AlertScorer).map_err(TrainError::NoScorer)
}

/// The blocks cover this session's training days. Days after them that the alert scorer learnt from, under another
/// configuration, would have scores that are too good. A scorer without a record is taken as it is.
fn check_days(session: &Session<'_>, split: &Split) -> Result<(), TrainError> {
    let record = record(session);
    let Some(learnt) = record.as_ref().and_then(|record| record.periods.get("train")) else { return Ok(()) };
    let here = date_text(split.periods.train.1);
    if learnt.last > here {
        return Err(TrainError::OtherDays { scorer: learnt.last.clone(), here });
    }
    Ok(())
}

/// The record of the alert scorer in the session's output directory, where it has one.
fn record(session: &Session<'_>) -> Option<TrainingRecord> {
    TrainingRecord::load(&session.model_path(ModelKind::AlertScorer)).ok()
}

/// The alert scorer of the split, for all days that no other block has.
fn of_split(session: &Session<'_>, split: &Split) -> Result<Block, TrainError> {
    let settings = session.settings(ModelKind::AlertScorer);
    let forest = fit(settings, &split.train, &split.validation, session.watch)?.into_forest();
    Ok(Block { first: i32::MIN, last: i32::MAX, forest })
}

/// A stretch of days and the model that has not seen them.
struct Block {
    first: i32,
    last: i32,
    forest: Forest,
}

impl Block {
    fn score(&self, matrix: &crate::features::Matrix, calibration: &Calibration) -> Vec<f64> {
        let mut raw = vec![0.0; matrix.rows()];
        self.forest.raw_into(matrix.values(), &mut raw);
        raw.into_iter().map(|score| probability(calibration, score)).collect()
    }
}

/// One model per block of the alert scorer's training days, grown without that block.
fn out_of_fold(session: &Session<'_>, split: &Split) -> Result<Vec<Block>, TrainError> {
    let days = &split.train.days;
    let count = BLOCKS.min(days.len());
    let mut blocks = Vec::new();
    for block in 0..count {
        let range = block * days.len() / count..(block + 1) * days.len() / count;
        let others = without(&split.train, &range);
        if others.positives() == 0 || others.positives() == others.len() {
            continue;
        }
        let forest =
            fit(session.settings(ModelKind::AlertScorer), &others, &split.validation, session.watch)?.into_forest();
        blocks.push(Block { first: days[range.start].date, last: days[range.end - 1].date, forest });
    }
    Ok(blocks)
}

/// The samples without the days of `range` and without rows on those days' addresses.
fn without(samples: &Samples, range: &std::ops::Range<usize>) -> Samples {
    let of_range = samples.days[range.clone()].iter().flat_map(|day| &day.rows);
    let held: HashSet<u32> = of_range.flat_map(|row| row.addresses.iter().copied()).collect();
    let others = samples.days.iter().enumerate().filter(|(index, _)| !range.contains(index));
    let days = others.map(|(_, day)| {
        let mut day: Day = day.clone();
        day.retain(|row| !row.addresses.iter().any(|address| held.contains(address)));
        day
    });
    samples.with_days(days.collect())
}
