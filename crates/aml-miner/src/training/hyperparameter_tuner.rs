//! The search for better parameters: TPE over time-series cross-validation, with median pruning.
//!
//! The test period is never looked at. Every trial draws from a random stream of its own number, and the study file
//! keeps all trials: a search that was interrupted and continued tries what an uninterrupted one would have.

mod folds;
mod space;
mod study;

use std::collections::BTreeMap;
use std::path::Path;

use tpe::TpeOptimizer;

pub use folds::{Fold, FoldError, folds};
pub use space::{Dimension, Point, Scale, Space};
use study::mean;
pub use study::{Header, Study, StudyError, Trial};

use crate::training::assemble::Assembled;
use crate::training::config::Boosting;
use crate::training::fit::{Settings, Sides, grown};
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

/// Where a search is kept, and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The study file; one that is there is continued.
    pub study: &'a Path,
    /// Trials in all, those of the study included.
    pub trials: u32,
}

/// Tries until the study has as many trials as `search` says, or the session's watch says to stop.
///
/// # Errors
/// When there are too few days, the study belongs to other data, or nothing was tried.
pub fn tune(
    session: &Session<'_>,
    settings: Settings<'_>,
    assembled: &Assembled,
    search: Search<'_>,
) -> Result<Best, TuneError> {
    let tuning = &session.config.tuning;
    let folds = folds(&assembled.samples, &session.config.split, tuning.folds)?;
    let space = Space::new(settings.kind, settings.boosting);
    let header = Header::new(settings, &space, assembled, &session.config);
    let mut study = Study::open(search.study, header, &space)?;
    if !study.trials.is_empty() {
        session.watch.note(&format!("{} trials are in the study already", study.trials.len()));
    }
    while study.next_number() < search.trials && !session.watch.stopped() {
        let tuner = Tuner { session, settings, space: &space, folds: &folds, study: &study };
        let Some(trial) = tuner.attempt(tuner.propose())? else { break };
        session.watch.note(&describe(&trial));
        study.add(trial)?;
    }
    let best = study.best().ok_or(TuneError::NothingTried)?;
    let boosting = space.apply(&best.point, settings.boosting);
    Ok(Best { number: best.number, value: best.value, boosting, trials: study.trials.len() })
}

/// What a trial is made with.
struct Tuner<'a> {
    session: &'a Session<'a>,
    settings: Settings<'a>,
    space: &'a Space,
    folds: &'a [Fold],
    study: &'a Study,
}

impl Tuner<'_> {
    /// The first point is where the configuration already is; the next are random; then TPE learns from all before.
    fn propose(&self) -> Point {
        let number = self.study.next_number();
        if number == 0 {
            return self.space.point_of(self.settings.boosting);
        }
        let mut random = space::stream(self.session.config.seed, number);
        if number < self.session.config.tuning.startup_trials {
            return self.space.random(&mut random);
        }
        let next = |(index, dimension): (usize, &Dimension)| {
            let mut optimizer = TpeOptimizer::new(dimension.estimator(), dimension.range());
            for trial in &self.study.trials {
                // A point of the study is within its range and has a finite value: both were checked when it was read.
                let _ = optimizer.tell(trial.point.0[index], -trial.value);
            }
            match optimizer.ask(&mut random) {
                Ok(value) => value,
                Err(never) => match never {},
            }
        };
        Point(self.space.dimensions().iter().enumerate().map(next).collect())
    }

    /// Measures a point fold by fold; given up where it is behind the median of the trials before at the same fold.
    fn attempt(&self, point: Point) -> Result<Option<Trial>, TuneError> {
        let number = self.study.next_number();
        let boosting = self.space.apply(&point, self.settings.boosting);
        let settings = Settings { boosting: &boosting, ..self.settings };
        let watch = self.session.watch;
        let mut values: Vec<f64> = Vec::new();
        let mut pruned = false;
        for (index, fold) in self.folds.iter().enumerate() {
            let what = format!("trial {number}, fold {}", index + 1);
            let sides = Sides { train: &fold.train, validation: Some(&fold.validation) };
            let grown = grown(settings, sides, &what, watch)?.grown;
            if grown.interrupted {
                return Ok(None);
            }
            values.push(grown.best.unwrap_or(0.0));
            let last = index + 1 == self.folds.len();
            let started = number >= self.session.config.tuning.startup_trials;
            if !last && started && mean(&values) < self.study.median_after(index + 1) {
                pruned = true;
                break;
            }
        }
        Ok(Some(Trial { number, point, value: mean(&values), folds: values, pruned }))
    }
}

fn describe(trial: &Trial) -> String {
    let pruned = if trial.pruned { " (given up early)" } else { "" };
    format!("trial {}: {:.5}{pruned}", trial.number, trial.value)
}

/// The best parameters as a configuration: one section that `--config` takes.
///
/// # Errors
/// When they cannot be written as YAML.
pub fn best_as_yaml(section: &'static str, best: &Best) -> Result<String, serde_yaml_ng::Error> {
    let body = serde_yaml_ng::to_string(&BTreeMap::from([(section, &best.boosting)]))?;
    Ok(format!(
        "# Best of {} trials: trial {}, {:.6} on average over the folds.\n{body}",
        best.trials, best.number, best.value
    ))
}
