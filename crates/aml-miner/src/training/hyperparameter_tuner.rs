//! The search for better parameters: TPE over time-series cross-validation, with median pruning.
//!
//! The test period is never looked at. Every trial draws from a random stream of its own number, and the study file
//! keeps all trials: a search that was interrupted and continued tries what an uninterrupted one would have.

mod folds;
mod space;
mod study;

use std::path::Path;

use serde::Serialize;
use tpe::TpeOptimizer;

pub use folds::{Fold, FoldError, folds};
pub use space::{DIMENSIONS, Dimension, Point};
pub use study::{Header, Study, StudyError, Trial};

use crate::training::assemble::Assembled;
use crate::training::config::Boosting;
use crate::training::fit::{Settings, grown};
use crate::training::lightgbm::LightGbmError;
use crate::training::session::Session;

/// Why a search ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The days cannot be cut into folds.
    #[error(transparent)]
    Folds(#[from] FoldError),
    /// The study file cannot be used.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// LightGBM refused.
    #[error(transparent)]
    LightGbm(#[from] LightGbmError),
    /// Stopped before the first trial was finished.
    #[error("no trial was finished")]
    NothingTried,
}

/// The best of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// Number of the trial.
    pub number: u32,
    /// Mean metric over the folds.
    pub value: f64,
    /// Its parameters.
    pub boosting: Boosting,
    /// Trials in the study.
    pub trials: usize,
}

/// Tries until the study at `path` has `trials` trials, or the session's watch says to stop.
///
/// # Errors
/// When there are too few days, the study belongs to other data, or nothing was tried.
pub fn tune(
    session: &Session<'_>,
    settings: Settings<'_>,
    assembled: &Assembled,
    (path, trials): (&Path, u32),
) -> Result<Best, TuneError> {
    let tuning = &session.config.tuning;
    let folds = folds(&assembled.samples, &session.config.split, tuning.folds)?;
    let header = Header::new(settings, assembled, &session.config);
    let mut study = Study::open(path, header)?;
    if !study.trials.is_empty() {
        session.watch.note(&format!("{} trials are in the study already", study.trials.len()));
    }
    while study.next_number() < trials && !session.watch.stopped() {
        let number = study.next_number();
        let point = propose(&study, settings.boosting, tuning.startup_trials, session.config.seed);
        let boosting = point.apply(settings.boosting);
        let Some(trial) =
            attempt(number, &point, Settings { boosting: &boosting, ..settings }, (&folds, &study), session)?
        else {
            break;
        };
        session.watch.note(&describe(&trial));
        study.add(trial)?;
    }
    let best = study.best().ok_or(TuneError::NothingTried)?;
    let boosting = best.point.apply(settings.boosting);
    Ok(Best { number: best.number, value: best.value, boosting, trials: study.trials.len() })
}

/// The first point is where the configuration already is; the next are random; then TPE learns from all before.
fn propose(study: &Study, start: &Boosting, startup: u32, seed: u64) -> Point {
    let number = study.next_number();
    if number == 0 {
        return Point::of(start);
    }
    let mut random = space::stream(seed, number);
    if number < startup {
        return Point::random(&mut random);
    }
    let next = |(index, dimension): (usize, &Dimension)| {
        let mut optimizer = TpeOptimizer::new(dimension.estimator(), dimension.range());
        for trial in &study.trials {
            // A point of the study is within its range and has a finite value: both were checked when it was read.
            let _ = optimizer.tell(trial.point.0[index], -trial.value);
        }
        match optimizer.ask(&mut random) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    };
    Point(DIMENSIONS.iter().enumerate().map(next).collect())
}

/// Measures a point fold by fold; given up where it is behind the median of the trials before at the same fold.
fn attempt(
    number: u32,
    point: &Point,
    settings: Settings<'_>,
    (folds, study): (&[Fold], &Study),
    session: &Session<'_>,
) -> Result<Option<Trial>, TuneError> {
    let mut values: Vec<f64> = Vec::new();
    for (index, fold) in folds.iter().enumerate() {
        let what = format!("trial {number}, fold {}", index + 1);
        let (grown, ..) = grown(settings, (&fold.train, &fold.validation), &what, session.watch)?;
        if grown.interrupted {
            return Ok(None);
        }
        values.push(grown.best.unwrap_or(0.0));
        let last = index + 1 == folds.len();
        if !last && number >= session.config.tuning.startup_trials && mean(&values) < study.median_after(index + 1) {
            return Ok(Some(Trial { number, point: point.clone(), value: mean(&values), folds: values, pruned: true }));
        }
    }
    Ok(Some(Trial { number, point: point.clone(), value: mean(&values), folds: values, pruned: false }))
}

fn describe(trial: &Trial) -> String {
    let pruned = if trial.pruned { " (given up early)" } else { "" };
    format!("trial {}: {:.5}{pruned}", trial.number, trial.value)
}

#[expect(clippy::cast_precision_loss, reason = "a handful of folds")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The best parameters as a configuration: one section that `--config` takes.
///
/// # Errors
/// When they cannot be written as YAML.
pub fn best_as_yaml(section: &'static str, best: &Best) -> Result<String, serde_yaml_ng::Error> {
    #[derive(Serialize)]
    struct Section<'a>(#[serde(serialize_with = "as_map")] (&'static str, &'a Boosting));
    fn as_map<S: serde::Serializer>(pair: &(&'static str, &Boosting), serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(pair.0, pair.1)])
    }
    let body = serde_yaml_ng::to_string(&Section((section, &best.boosting)))?;
    Ok(format!(
        "# Best of {} trials: trial {}, {:.6} on average over the folds.\n{body}",
        best.trials, best.number, best.value
    ))
}
